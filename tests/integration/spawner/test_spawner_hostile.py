"""cygnet-spawner-sandbox against a hostile user and bad luck: what is tried from inside, what a full machine or a
kill leaves behind, and neighbours that look alike.
"""

import os
import pathlib
import re
import select
import signal
import socket
import subprocess

import pytest
from lib import leftovers, places, spawn
from lib.daemon import Daemons, wait_until
from lib.spawn_rig import ROOT, ask, init_pid, needs_root, site_of, spawner  # noqa: F401  spawner: fixture

def through(site, *before):
    """The site's spawner started by another command, which execs it."""
    argv = site.argv
    site.argv = lambda *more: [*before, Daemons.program("cygnet-spawner-sandbox"), *argv(*more)[1:]]
    return site


def in_mounts(site, command):
    """The site's spawner in mounts of its own, made by a shell command first."""
    return through(site, "unshare", "--mount", "bash", "-c", command + ' && exec "$@"', "x")


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


def of_another_user(site, uid=4321):
    """Ready for a spawner of an ordinary user, who has no control groups."""
    site.tmp.chmod(0o777)
    for path in (site.templates, site.stacks):
        os.chown(path, uid, uid)
    return site


def running(words):
    """The pids of processes with exactly this command line."""
    return subprocess.run(["pgrep", "-xf", words], capture_output=True, text=True).stdout.split()


# ---- what a user leaves in the run folder --------------------------------------------------------------------

def test_run_folder_goes_however_deep_it_is(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    ask(run.site, one, "os.chdir('/run/cygnet/journal') or [os.mkdir('d') or os.chdir('d') for _ in range(1500)]")
    run.hub.stop(one)
    run.end()


@needs_root
def test_run_folder_goes_also_when_its_folders_are_locked(spawner, tmp_path):
    run = spawner(of_another_user(site_of(tmp_path)), as_uid=4321)
    one = run.hub.spawn()
    ask(run.site, one, "os.makedirs('/run/cygnet/locked/x')")
    ask(run.site, one, "os.chmod('/run/cygnet/locked', 0)")
    run.hub.stop(one)
    run.end()


# ---- what lies between the spawner's rights and a container --------------------------------------------------

@needs_root
@pytest.mark.parametrize("mode, inside", [(0o644, "True"), (0o600, "False"), (0o640, "False")])
def test_what_others_may_not_read_in_etc_is_not_inside(spawner, tmp_path, mode, inside):
    (tmp_path / "profile").write_text("# who may read this\n")
    (tmp_path / "profile").chmod(mode)
    run = spawner(in_mounts(site_of(tmp_path), f"mount --bind {tmp_path}/profile /etc/profile"))
    one = run.hub.spawn()
    assert ask(run.site, one, "os.path.exists('/etc/profile')") == inside
    run.hub.stop(one)
    run.end()


LYING_BWRAP = """#!/usr/bin/python3
import os, sys
options = open(int(sys.argv[sys.argv.index("--args") + 1]), "rb").read().split(b"\\0")
if "--run-dir" not in sys.argv:
    sys.exit(64)
os.write(int(options[options.index(b"--json-status-fd") + 1]), b'{ "child-pid": PID }\\n')
os.write(1, b"ready\\n")
os.execv("/usr/bin/sleep", ["sleep", "1000"])
"""


def test_stranger_named_as_init_is_neither_watched_nor_killed(spawner, tmp_path):
    """Until it has entered its namespaces bubblewrap is a process of the user's, and its word is the user's."""
    stranger = subprocess.Popen(["sleep", "1000"])
    bwrap = script(tmp_path / "bwrap", LYING_BWRAP.replace("PID", str(stranger.pid)))
    run = spawner(site_of(tmp_path), "--bwrap", bwrap)
    one = run.hub.spawn()
    assert init_pid(run.site, one) != stranger.pid
    run.hub.stop(one, grace=0)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    run.end()


# Calls of x86-64 that answer something else where nothing refuses them: name, number, arguments, errno.
CALLS = [("io_uring_setup", 425, (1, 0), 1), ("keyctl", 250, (0, -3, 0), 1), ("add_key", 248, (0, 0, 0, 0, 0), 1),
         ("request_key", 249, (0, 0, 0, 0), 1), ("userfaultfd", 323, (1,), 1), ("unshare", 272, (0,), 1),
         ("perf_event_open", 298, (0, 0, -1, -1, 0), 1), ("name_to_handle_at", 303, (-1, 0, 0, 0, 0), 1),
         ("setns", 308, (-1, 0), 1), ("open_tree", 428, (-1, 0, 0), 1), ("fsopen", 430, (0, 0), 1),
         ("quotactl_fd", 443, (-1, 0, 0, 0), 1), ("clone3", 435, (0, 0), 38), ("TIOCSTI", 16, (0, 0x5412, 0), 1),
         ("TIOCSTI, high bits", 16, (0, 0x1_0000_5412, 0), 1), ("TIOCLINUX", 16, (0, 0x541C, 0), 1),
         ("TCGETS", 16, (0, 0x5401, 0), 25)]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86-64")
def test_filter_refuses_the_calls_it_names(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    ask(run.site, one, "globals().update(ctypes=__import__('ctypes'), libc=__import__('ctypes').CDLL(None, use_errno=True))")
    for name, number, arguments, errno in CALLS:
        words = "".join(f", ctypes.c_long({value})" for value in arguments)
        assert ask(run.site, one, f"(libc.syscall({number}{words}), ctypes.get_errno())") == f"(-1, {errno})", name
    run.hub.stop(one)
    run.end()


def test_spawner_has_room_for_many_servers_and_servers_keep_their_limit(spawner, tmp_path):
    run = spawner(through(site_of(tmp_path), "prlimit", "--nofile=300:3000"))
    one = run.hub.spawn()
    limits = pathlib.Path(f"/proc/{run.daemon.pid}/limits").read_text()
    assert re.search(r"Max open files +3000 +3000 ", limits)
    assert ask(run.site, one, "__import__('resource').getrlimit(7)") == "(300, 3000)"
    run.hub.stop(one)
    run.end()


# ---- ends at a bad moment ------------------------------------------------------------------------------------

@needs_root
def test_start_stopped_before_its_first_word_leaves_no_container(spawner, tmp_path):
    """There is no control group to find its processes by, and bubblewrap's death alone does not end them."""
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin/cygnet-init", "#!/bin/sh\n[ $# -eq 0 ] && exit 64\nexec sleep 1000.4712\n")
    run = spawner(of_another_user(site_of(tmp_path)), "--bin-dir", tmp_path / "bin", as_uid=4321)
    one, request = run.hub.send_spawn()
    wait_until(lambda: running("sleep 1000.4712"), "the container runs")
    assert run.hub.ask(spawn.STOP, one, 5000).code == 0
    assert "stopped before it started" in run.hub.wait(spawn.REPLY, request=request).message
    assert running("sleep 1000.4712") == []
    run.hub.wait(spawn.GONE, id=one)
    run.end()


def test_killed_init_takes_agent_and_kernels_along(spawner, tmp_path):
    """Where no namespace and no control group does it."""
    site = of_another_user(site_of(tmp_path)) if ROOT else site_of(tmp_path)
    run = spawner(site, "--engine", "process", **({"as_uid": 4321} if ROOT else {}))
    one = run.hub.spawn()
    agent = int(ask(site, one, "os.getpid()"))
    os.kill(init_pid(site, one), signal.SIGKILL)
    assert spawn.CAUSES[run.hub.wait(spawn.GONE, id=one).cause] == "signalled"
    wait_until(lambda: not leftovers.lives(agent), "the agent ended")
    run.end()


@needs_root
def test_name_service_that_hangs_holds_no_connection_and_outlives_nobody(spawner, tmp_path):
    os.mkfifo(tmp_path / "passwd")
    run = spawner(in_mounts(site_of(tmp_path, "    uid: nss\n"), f"mount --bind {tmp_path}/passwd /etc/passwd"))
    run.hub.send_spawn()
    wait_until(lambda: leftovers.children(run.daemon.pid), "the name service is asked")
    run.daemon.kill(signal.SIGKILL)
    run.daemon.wait_exit()
    while True:
        assert select.select([run.hub.sock], [], [], places.CEILING)[0], "the connection is still open"
        if run.hub.sock.recv(1 << 16) == b"":
            break
    run.hub.close()
    run.go()
    run.end()


def test_spawner_killed_while_it_copied_the_binaries_starts_again(spawner, tmp_path):
    """Also where each of its lives has the same pid, as in a container."""
    run = spawner(site_of(tmp_path))
    run.end()
    (folder,) = (run.site.cache / "bin").iterdir()
    half = f'mkdir {folder}.$$ && touch {folder}.$$/cygnet-init && mv {folder} {folder}-old && exec "$@"'
    run = spawner(through(run.site, "bash", "-c", half, "x"))
    run.end()


# ---- neighbours ----------------------------------------------------------------------------------------------

@needs_root
def test_sites_whose_folders_look_alike_leave_each_others_servers_alone(spawner, tmp_path):
    runs = []
    for name in ("a-b", "a_b"):
        (tmp_path / name).mkdir()
        runs.append(spawner(site_of(tmp_path / name)))
        if len(runs) == 1:
            one = runs[0].hub.spawn()
    assert ask(runs[0].site, one, "1 + 1") == "2"
    runs[0].hub.stop(one)
    for run in runs:
        run.end()
