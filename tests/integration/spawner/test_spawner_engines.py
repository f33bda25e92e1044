"""Other engines than the sandbox of root, the policy files, and the engine whose servers go wrong on purpose."""

import contextlib
import os
import signal
import socket
import subprocess

import pytest

from lib import spawn
from lib.daemon import Daemons, wait_until
from lib.spawn_rig import ROOT, ask, needs_root, site_of, spawner


# ---- other engines and places ----
@needs_root
def test_ordinary_user_has_sandboxes_of_one_uid(spawner, tmp_path):
    tmp_path.chmod(0o777)
    site = site_of(tmp_path)
    for path in (site.templates, site.stacks):
        os.chown(path, 4321, 4321)
    run = spawner(site, as_uid=4321)
    assert spawn.ISOLATION[run.hub.hello.isolation] == "sandbox-one-uid"
    assert "uid 4321" in run.hub.hello.statement and run.hub.hello.limits == 0
    a, b = run.hub.spawn(user="alice"), run.hub.spawn(user="bob")
    assert ask(site, a, "os.getuid()") == ask(site, b, "os.getuid()") == "4321"
    assert ask(site, a, "os.listdir('/home')") == "['alice']"
    assert ask(site, a, "len(glob.glob('/proc/[0-9]*'))") == "2"
    run.hub.stop(a)
    run.hub.stop(b)
    run.end()


def forbidden(argv):
    """The same command where no user namespace may be made."""
    return ["unshare", "--user", "--map-root-user", "bash", "-c", 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "x", *argv]


def test_where_namespaces_are_forbidden_it_says_so_and_runs_processes(spawner, tmp_path):
    site = site_of(tmp_path)
    site.argv = lambda *more, argv=site.argv: forbidden([Daemons.program("cygnet-spawner-sandbox"),
                                                         *argv(*more)[1:]])
    run = spawner(site)
    assert spawn.ISOLATION[run.hub.hello.isolation] == "process"
    assert "No isolation" in run.hub.hello.statement and "namespace" in run.hub.hello.statement
    one = run.hub.spawn()
    assert ask(site, one, "sys.argv[2]") == os.fspath(site.state / "homes/alice")
    assert run.hub.stop(one).cause == 1
    run.end()


def test_engine_sandbox_does_not_fall_back(daemon, tmp_path):
    site = site_of(tmp_path)
    argv = forbidden([Daemons.program("cygnet-spawner-sandbox"), *site.argv("--engine", "sandbox")[1:]])
    spawner = daemon(argv, name="spawner")
    assert spawner.wait_exit() == 1
    assert "no sandbox can be made here" in spawner.log


def test_process_engine_leaves_no_descendant(spawner, tmp_path):
    run = spawner(site_of(tmp_path), "--engine", "process")
    one = run.hub.spawn(credential="0123abcd" * 8)
    secret = run.site.run / "servers" / one / "secrets/credential"
    assert secret.read_text() == "0123abcd" * 8 and secret.stat().st_mode & 0o777 == 0o400
    assert ask(run.site, one, "os.readlink(sys.argv[3] + '/hub.sock')") == os.fspath(run.site.run / "inner/hub.sock")
    mark = "1000.4711"
    ask(run.site, one, f"out('trap \"\" TERM; (setsid sleep {mark} >/dev/null 2>&1 &) ; setsid sh -c \"trap : TERM; sleep {mark}; sleep {mark}\" "
        ">/dev/null 2>&1 &')")
    def sleepers():
        return subprocess.run(["pgrep", "-f", f"^sleep {mark}"], capture_output=True, text=True).stdout.split()
    wait_until(lambda: len(sleepers()) == 2, "two sleepers")
    if ROOT:
        assert ask(run.site, one, "os.getuid()") == "200000"
    assert run.hub.stop(one, grace=300).cause == 1
    assert sleepers() == []
    run.end()


# ---- policy files ----
@pytest.mark.parametrize("text, words", [
    ("templates:\n  a:\n    command: [x]\n    memory: lots\n", "templates.yaml:4:13: 'memory' must be a size"),
    ("templates:\n  a:\n    comand: [x]\n", "templates.yaml:3:5: unknown key 'comand', perhaps 'command'"),
    ("templates:\n  a:\n    memory: 1G\n", "needs 'command'"),
    ("templates:\n  a:\n    command: [x]\n    memory: 2G\n    memory-max: 1G\n", "above its maximum"),
    ("templates:\n  a:\n    command: [x]\n    mounts:\n      - {source: rel}\n", "templates.yaml:5:18: 'source' must be"),
    ("templates:\n  a:\n    command: [x]\n    uid: root\n", "templates.yaml:4:10: 'uid' must be one of range, nss"),
    ("templates: []\n", "must be a map"),
])
def test_wrong_template_is_named_by_file_and_line(daemon, tmp_path, text, words):
    site = site_of(tmp_path)
    site.templates.write_text(text)
    spawner = daemon(site.argv(), name="spawner")
    assert spawner.wait_exit() == 1
    assert words in spawner.log


def test_policy_that_others_can_write_is_refused(daemon, tmp_path):
    site = site_of(tmp_path)
    site.stacks.chmod(0o666)
    spawner = daemon(site.argv(), name="spawner")
    assert spawner.wait_exit() == 1
    assert "writable by nobody else" in spawner.log


# ---- the fault engine ----
FAULTS = "ok slow never dies dies-later bad-port mute container-fails setup-fails setup-hangs refused".split()


def fault_site(tmp_path):
    text = "templates:\n" + "".join(
        f"  {name}: {{command: [x], environment: {{seconds: '1'}}}}\n" for name in FAULTS)
    site = spawn.Site(tmp_path, text)
    argv = ["cygnet-spawner-fault", "--run-dir", site.run, "--state-dir", site.state, "--templates", site.templates,
            "--stacks", site.stacks, "--hub-uid", str(os.geteuid())]
    site.argv = lambda *more: argv
    return site


def get(site, server_id):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(os.fspath(site.socket(server_id)))
        sock.sendall(b"GET /api HTTP/1.1\r\nHost: x\r\n\r\n")
        return sock.recv(4096)


def test_every_fault_shows_as_it_is_named(spawner, tmp_path):
    site = fault_site(tmp_path)
    run = spawner(site)
    assert run.hub.hello.engine == "fault"
    for name in ("ok", "slow"):
        one = run.hub.spawn(template=name)
        assert b"200 OK" in get(site, one)
        assert run.hub.stop(one).cause == 1
    for name, cause, status in (("dies", "exited", 3), ("dies-later", "signalled", 14), ("setup-hangs", "setup", 71),
                                ("setup-fails", "setup", 70)):
        gone = run.hub.wait(spawn.GONE, id=run.hub.spawn(template=name))
        assert (spawn.CAUSES[gone.cause], gone.status) == (cause, status)
    assert "no such release" in run.hub.wait(spawn.TAIL).text
    one = run.hub.spawn(template="bad-port")
    with pytest.raises(ConnectionRefusedError):
        wait_until(lambda: get(site, one) and None, "refused")
    run.hub.stop(one)
    one = run.hub.spawn(template="never")
    assert run.hub.list()[one].state == 2
    run.hub.stop(one)
    assert "no room" in run.hub.spawn(template="refused").message
    assert "No permissions" in run.hub.spawn(template="container-fails").message
    run.end()


def test_start_that_is_stopped_is_told_as_gone_too(spawner, tmp_path):
    run = spawner(fault_site(tmp_path))
    one, request = run.hub.send_spawn(template="mute")
    run.hub.wait(spawn.STAGE, id=one, name="container", state=0)
    assert spawn.CAUSES[run.hub.stop(one).cause] == "stopped"
    assert "stopped before it started" in run.hub.wait(spawn.REPLY, request=request).message
    run.end()


def test_start_that_fails_is_told_to_the_hub_that_came_after(spawner, tmp_path):
    run = spawner(fault_site(tmp_path))
    one, _ = run.hub.send_spawn(template="mute")
    run.hub.wait(spawn.STAGE, id=one, name="container", state=0)
    run.hub.close()
    run.daemon.wait_line("hub: disconnected")
    run.hub = spawn.Hub(run.site.ctl)
    assert run.hub.list()[one].state == 1
    os.kill(int((run.site.run / f"spawner/records/{one}.pid").read_text().split()[0]), signal.SIGKILL)
    assert "could not be started" in run.hub.wait(spawn.GONE, id=one).message
    run.end()


def test_hub_that_does_not_read_is_cut_off_and_can_come_again(spawner, tmp_path):
    """Messages that cannot be kept for it are not lost in silence: connecting anew it asks for the list."""
    run = spawner(fault_site(tmp_path))
    with contextlib.suppress(BrokenPipeError):
        for number in range(1, 20000):
            run.hub.sock.send(spawn.pack(spawn.PING, number))
    run.daemon.wait_line("cannot be sent")
    run.daemon.wait_line("hub: disconnected")
    run.hub.close()
    run.hub = spawn.Hub(run.site.ctl)
    assert run.hub.ask(spawn.PING).code == 0
    run.end()
