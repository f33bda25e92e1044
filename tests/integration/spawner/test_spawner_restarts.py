"""A real spawner that dies, is stopped, or starts beside what an earlier one left: what is adopted, swept and told."""

import os
import pathlib
import signal

from lib import leftovers, spawn
from lib.daemon import wait_until
from lib.spawn_rig import ask, init_pid, site_of, spawner


# ---- restarts ----
def test_killed_spawner_ends_no_server_and_the_next_adopts(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn(user="alice", server="second")
    ask(run.site, one, "globals().update(kept=42)")
    pid = init_pid(run.site, one)
    run.kill()
    assert ask(run.site, one, "kept") == "42"
    run.go()
    item = run.hub.list()[one]
    assert (item.user, item.server, item.adopted, item.state) == ("alice", "second", 1, 2)
    assert init_pid(run.site, one) == pid and ask(run.site, one, "kept") == "42"
    assert spawn.CAUSES[run.hub.stop(one).cause] == "stopped"
    run.end()


def test_stopped_spawner_ends_no_server_either(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    run.daemon.stop()
    run.hub.close()
    assert ask(run.site, one, "1 + 1") == "2"
    run.go()
    run.hub.stop(one)
    run.end()


def test_adopted_server_that_dies_is_told_with_its_status(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    run.kill()
    run.go()
    os.kill(init_pid(run.site, one), signal.SIGKILL)
    gone = run.hub.wait(spawn.GONE, id=one)
    assert (spawn.CAUSES[gone.cause], gone.status) == ("signalled", 9)
    run.end()


def test_what_died_with_its_spawner_is_swept(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one, two = run.hub.spawn(user="alice"), run.hub.spawn(user="bob")
    pid = init_pid(run.site, one)
    run.kill()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "init ended")
    assert run.site.socket(one).exists()
    run.go()
    assert spawn.CAUSES[run.hub.wait(spawn.GONE, id=one).cause] == "signalled"
    assert list(run.hub.list()) == [two]
    assert not run.site.socket(one).exists()
    run.hub.stop(two)
    run.end()


def test_what_a_dead_server_leaves_is_removed_while_others_are_served(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    pid = init_pid(run.site, one)
    run.kill()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "init ended")
    many = run.site.run / "servers" / one / "many"
    many.mkdir()
    for number in range(60000):
        os.mknod(many / str(number))
    run.go()
    assert run.hub.ask(spawn.PING).code == 0
    assert many.exists() and run.hub.list()[one].state == 3
    two = run.hub.spawn(user="bob")
    assert ask(run.site, two, "1 + 1") == "2"
    run.hub.wait(spawn.GONE, id=one)
    run.hub.stop(two)
    run.end()


def test_gone_is_kept_for_a_hub_that_was_away(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    run.hub.close()
    run.daemon.wait_line("hub: disconnected")
    os.kill(init_pid(run.site, one), signal.SIGKILL)
    run.daemon.wait_line("gone:")
    run.hub = spawn.Hub(run.site.ctl)
    assert run.hub.wait(spawn.GONE, id=one).status == 9
    run.end()


def test_same_id_twice_is_refused(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    assert "there already" in run.hub.spawn(server_id=one).message
    assert run.hub.ask(spawn.STOP, "0" * 16, 100).code == 2
    assert run.hub.ask(spawn.PING).code == 0
    run.hub.stop(one)
    run.end()


# What a spawner that starts takes for bubblewrap: it says that it runs, and never ends.
SLOW_BWRAP = """#!/usr/bin/python3
import ctypes, os, pathlib, time
if {alone}:
    ctypes.CDLL(None).prctl(1, 0)
mine = pathlib.Path("{folder}") / "pid"
mine.write_text(str(os.getpid()))
time.sleep(1000)
"""


def kill_while_it_probes(daemon, site, tmp_path, alone):
    """Ends a spawner by SIGKILL while its probe runs; returns the probe's pid."""
    folder = tmp_path / "probe"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    (folder / "bwrap").write_text(SLOW_BWRAP.format(folder=folder, alone=alone))
    (folder / "bwrap").chmod(0o755)
    spawner = daemon(site.argv("--bwrap", folder / "bwrap"), name="spawner")
    wait_until(lambda: (folder / "pid").exists() and (folder / "pid").read_text(), "the probe runs")
    spawner.kill(signal.SIGKILL)
    spawner.wait_exit()
    return int((folder / "pid").read_text())


def test_probe_ends_with_its_spawner(daemon, tmp_path):
    pid = kill_while_it_probes(daemon, site_of(tmp_path), tmp_path, alone=False)
    wait_until(lambda: not leftovers.lives(pid), "the probe ended with its spawner")


def test_probe_that_outlived_its_spawner_is_ended_by_the_next(spawner, daemon, tmp_path):
    site = site_of(tmp_path)
    pid = kill_while_it_probes(daemon, site, tmp_path, alone=True)
    assert leftovers.lives(pid)
    run = spawner(site)
    wait_until(lambda: not leftovers.lives(pid), "the next spawner ended it")
    run.end()


# ---- who may connect ----
def test_message_that_breaks_the_rules_closes_the_connection(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    run.hub.sock.send(b"x" * 100)
    assert run.hub.sock.recv(10) == b""
    run.hub = spawn.Hub(run.site.ctl)
    run.hub.sock.send(spawn.pack(spawn.PING, 0))
    assert run.hub.sock.recv(10) == b""
    run.hub = spawn.Hub(run.site.ctl)
    assert run.hub.ask(spawn.PING).code == 0
    run.end()
