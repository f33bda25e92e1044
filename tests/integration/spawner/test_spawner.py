"""cygnet-spawner-sandbox with real bubblewrap: what a server is, what it cannot see, and that nothing is left."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess

import pytest
from lib import leftovers, spawn
from lib.daemon import Daemons, wait_until
from lib.spawn_rig import ROOT, ask, init_pid, site_of, starter

needs_root = pytest.mark.skipif(not ROOT, reason="needs root: other uids and control groups")


@pytest.fixture
def spawner(daemon):
    """spawner(site, option...) starts one; what a failed test leaves running is stopped."""
    yield from starter(daemon)


# ---- what a server is ----------------------------------------------------------------------------------------

def test_server_runs_with_what_the_template_says(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn(user="alice")
    assert ask(run.site, one, "sys.argv[1:]") == str(["/user/alice/", "/home/alice", "/run/cygnet", "/usr"])
    assert ask(run.site, one, "os.environ['FROM_TEMPLATE']") == "for alice"
    assert ask(run.site, one, "out('id -un; hostname; pwd; getent hosts $(hostname)')").split() == [
        "alice", "cygnet", "/home/alice", "127.0.0.1", "localhost", "cygnet"]
    assert run.hub.stop(one).cause == 1
    run.end()


def test_stages_come_in_order_with_their_times(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    run.hub.wait(spawn.STAGE, name="agent", state=1)
    told = [(m.name, m.state) for m in run.hub.kept if m.type == spawn.STAGE]
    assert told == [(name, state) for name in ("folders", "home", "limits", "container") for state in (0, 1)] + [
        ("agent", 0)]
    assert run.hub.list()[one].state == 2
    run.hub.stop(one)
    run.end()


def test_agent_has_exactly_its_descriptors(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    seen = ask(run.site, one, "sorted(int(n) for n in os.listdir('/proc/self/fd'))")
    # 0 1 2, the listening socket, the link, then this connection and the listing itself
    assert seen == "[0, 1, 2, 3, 4, 5, 6]"
    assert ask(run.site, one, "[os.readlink('/proc/self/fd/%d' % n).split(':')[0] for n in (0, 3, 4)]") == str(
        ["/dev/null", "socket", "socket"])
    assert ask(run.site, one, "os.readlink('/proc/self/fd/1')") == "/run/cygnet/log/agent.log"
    run.hub.stop(one)
    run.end()


def test_pid_1_shows_nothing_of_the_spawner(spawner, tmp_path):
    run = spawner(site_of(tmp_path), env={"CANARY": "canary-4711"})
    one = run.hub.spawn(credential="c0ffee00" * 8)
    assert "PermissionError" in ask(run.site, one, "open('/proc/1/environ').read()")
    assert "PermissionError" in ask(run.site, one, "os.listdir('/proc/1/fd')")
    line = ask(run.site, one, "open('/proc/1/cmdline').read()")
    assert line.startswith("/cygnet/bin/cygnet-init\0")
    assert str(tmp_path) not in line and "c0ffee" not in line and "bwrap" not in line
    everything = ask(run.site, one, "out('cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline')")
    assert "canary" not in everything and "c0ffee" not in everything
    run.hub.stop(one)
    run.end()


def test_credential_is_a_file_of_the_container_alone(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn(credential="0123abcd" * 8)
    assert ask(run.site, one, "open('/run/cygnet/secrets/credential').read()") == "0123abcd" * 8
    assert ask(run.site, one, "oct(os.stat('/run/cygnet/secrets/credential').st_mode)") == "0o100400"
    assert ask(run.site, one, "out('stat -f -c %T /run/cygnet/secrets')") == "tmpfs"
    # On the host there is none: it lives on a mount that only the container has.
    assert list((run.site.run / "servers" / one / "secrets").iterdir()) == []
    assert b"0123abcd" * 8 not in b"".join(p.read_bytes() for p in run.site.run.rglob("*") if p.is_file())
    run.hub.stop(one)
    run.end()


def test_no_right_is_left_inside(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    status = ask(run.site, one, "open('/proc/self/status').read()")
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in status
    for command in ("unshare -U true", "unshare -m true", "mount -t tmpfs x /tmp", "umount /tmp", "touch /usr/x",
                    "touch /etc/x", "touch /x", "touch /cygnet/bin/x", "echo x >/etc/passwd", "dmesg",
                    "chroot / true", "nsenter -t 1 -m true", "echo 1 >/proc/sys/kernel/hostname",
                    "rm -f /cygnet/bin/cygnet-init"):
        assert ask(run.site, one, f"sh({command!r}).returncode") != "0", command
    assert "PermissionError" in ask(run.site, one, "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)") or \
        "not supported" in ask(run.site, one, "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)")
    assert "Address family not supported" in ask(run.site, one, "socket.socket(socket.AF_VSOCK)")
    for family in ("AF_PACKET", "AF_VSOCK"):
        assert "not supported by protocol" in ask(run.site, one, f"socket.socketpair(socket.{family}, socket.SOCK_RAW)")
    assert ask(run.site, one, "socket.socket(socket.AF_INET).close()") == "None"
    assert ask(run.site, one, "[s.close() for s in socket.socketpair()]") == "[None, None]"
    run.hub.stop(one)
    run.end()


def test_only_loopback_is_there(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    assert ask(run.site, one, "os.listdir('/sys/class/net') if os.path.exists('/sys/class/net') else "
               "[n for _, n in socket.if_nameindex()]") == "['lo']"
    assert "Network is unreachable" in ask(run.site, one, "socket.create_connection(('192.0.2.1', 80), 5)")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert "refused" in ask(run.site, one, f"socket.create_connection(('127.0.0.1', {port}), 5)")
    run.hub.stop(one)
    run.end()


# ---- two users -----------------------------------------------------------------------------------------------

def test_two_people_share_nothing(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    a, b = run.hub.spawn(user="alice"), run.hub.spawn(user="bob")
    ask(run.site, b, "out('echo secret >~/private; echo x >/dev/shm/s; echo x >/tmp/t; sleep 1000 >/dev/null 2>&1 &')")
    ask(run.site, b, "globals().setdefault('keep', [socket.socket(socket.AF_UNIX)])[0].bind('\\0bob')")
    ask(run.site, b, "keep[0].listen()")
    host_home = run.site.state / "homes/bob/private"
    assert host_home.exists() or not ROOT
    for path in (host_home, run.site.run / "servers" / b, run.site.socket(b), "/home/bob", "/dev/shm/s", "/tmp/t"):
        assert ask(run.site, a, f"os.path.exists({os.fspath(path)!r})") == "False"
    assert ask(run.site, a, "os.listdir('/home')") == "['alice']"
    names = ask(run.site, a, "[open(p + '/cmdline').read().split('\\0')[0] for p in glob.glob('/proc/[0-9]*')]")
    assert sorted(eval(names)) == ["/cygnet/bin/cygnet-init", "/usr/bin/python3"]
    assert "refused" in ask(run.site, a, "socket.socket(socket.AF_UNIX).connect('\\0bob')")
    if ROOT:
        uids = [ask(run.site, one, "os.getuid()") for one in (a, b)]
        assert len(set(uids)) == 2 and min(map(int, uids)) >= 200000
        assert (run.site.state / "homes/bob").stat().st_mode & 0o777 == 0o700
    run.hub.stop(a)
    run.hub.stop(b)
    run.end()


@needs_root
def test_users_uid_reaches_nothing_of_another_on_the_host(spawner, tmp_path):
    """What walks out of a sandbox still is that uid."""
    run = spawner(site_of(tmp_path))
    a, b = run.hub.spawn(user="alice"), run.hub.spawn(user="bob")
    uid = ask(run.site, a, "os.getuid()")
    as_alice = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]
    for path in (run.site.state / "homes/bob/x", run.site.run / "servers" / b / "x", run.site.run / "s" / "x",
                 run.site.run / "spawner/records/x"):
        done = subprocess.run([*as_alice, "touch", path], capture_output=True, text=True)
        assert done.returncode != 0 and "Permission denied" in done.stderr
    connect = f"import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect({os.fspath(run.site.ctl)!r})"
    done = subprocess.run([*as_alice, "/usr/bin/python3", "-c", connect], capture_output=True, text=True)
    assert "PermissionError" in done.stderr
    run.hub.stop(a)
    run.hub.stop(b)
    run.end()


@needs_root
def test_template_with_nss_runs_as_the_users_own_uid_in_their_own_home(spawner, tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    os.chown(home, 54321, 54322)
    (home / "mine").write_text("x")
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/sh\n" f"nora:x:54321:54322::{home}:/bin/sh\n"
                                     "daemon:x:200:200::/:/bin/sh\n" "overflow:x:65535:65535::/:/bin/sh\n")
    (tmp_path / "group").write_text("nora:x:54322:\nlab:x:54400:nora\n")
    site = site_of(tmp_path, "    uid: nss\n")
    bind = f'mount --bind {tmp_path}/passwd /etc/passwd && mount --bind {tmp_path}/group /etc/group && exec "$@"'
    site.argv = lambda *more, argv=site.argv: ["unshare", "--mount", "bash", "-c", bind, "x",
                                               Daemons.program("cygnet-spawner-sandbox"), *argv(*more)[1:]]
    run = spawner(site)
    one = run.hub.spawn(user="nora")
    assert ask(site, one, "(os.getuid(), os.getgid(), os.listdir('/home/nora'))") == "(54321, 54322, ['mine'])"
    groups = pathlib.Path(f"/proc/{init_pid(site, one)}/status").read_text().split("Groups:")[1].split("\n")[0]
    assert "54400" in groups.split()
    assert run.hub.list()[one].uid == 54321
    run.hub.stop(one)
    assert "does not know user 'nobody2'" in run.hub.spawn(user="nobody2").message
    for user in ("daemon", "nobody", "overflow", "root"):
        assert "system account" in run.hub.spawn(user=user).message
    run.end()


@needs_root
@pytest.mark.parametrize("user", ["root", "nobody", "daemon", "sys"])
def test_no_user_has_the_name_of_a_system_account(spawner, tmp_path, user):
    run = spawner(site_of(tmp_path))
    reply = run.hub.spawn(user=user)
    assert f"'{user}' is a system account of this machine" in reply.message
    assert not (run.site.state / "homes" / user).exists()
    run.end()


# ---- limits --------------------------------------------------------------------------------------------------

EATER = """  eater:
    command: [/usr/bin/python3, -c, 'x = bytearray(400 << 20)']
    memory: 96M
"""


@needs_root
def test_memory_limit_ends_the_server_and_is_named(spawner, tmp_path):
    run = spawner(site_of(tmp_path, EATER))
    assert run.hub.hello.limits == 7
    one = run.hub.spawn(template="eater")
    gone = run.hub.wait(spawn.GONE, id=one)
    assert spawn.CAUSES[gone.cause] == "memory"
    assert gone.memory_limit == 96 << 20 and gone.memory_peak > 90 << 20
    assert "96 MiB" in gone.message
    run.end()


@needs_root
def test_limits_hold_and_are_seen_inside(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn(memory=300 << 20)
    item = run.hub.list()[one]
    assert item.memory_limit == 300 << 20 and item.cpu == 500 and item.memory > 0 and item.processes >= 2
    killed = ask(run.site, one, "sh('python3 -c \"x = bytearray(400 << 20)\"').returncode")
    assert killed == "137"
    limits = ask(run.site, one, "[open(p).read() for p in glob.glob('/sys/fs/cgroup/memory/memory.limit_in_bytes') + "
                 "glob.glob('/sys/fs/cgroup/memory.max')]")
    assert str(300 << 20) in limits
    bomb = "import os, time\\nn = 0\\ntry:\\n while n < 200:\\n  n += 1\\n  os.fork() or (time.sleep(5), os._exit(0))\\nexcept OSError: print(n)"
    code = f'"{bomb}"'
    told = ask(run.site, one, f"subprocess.run(['/usr/bin/python3', '-c', {code}], capture_output=True, text=True, "
               "timeout=50).stdout if not os.system('true') else 0")
    assert 0 < int(told.split()[0]) < 41
    run.hub.stop(one, grace=100)
    run.end()


def test_more_than_the_template_allows_is_refused(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    for values, words in (({"memory": 2 << 30}, "allows 1024 MiB"), ({"cpu": 4000}, "allows 0.500 cores"),
                          ({"template": "other"}, "no template 'other'"), ({"stack": "other"}, "no stack 'other'"),
                          ({"user_script": "../x"}, "below the home"), ({"user": "../root"}, "name"),
                          ({"base_url": "user"}, "base URL"), ({"credential": "xyz"}, "credential")):
        reply = run.hub.spawn(**values)
        assert words in reply.message
    assert run.hub.list() == {}
    run.end()


# ---- setup scripts -------------------------------------------------------------------------------------------

def stack(tmp_path, text):
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "setup.sh").write_text(text)
    return f"stacks:\n  one:\n    prefix: {folder}\n    setup: {folder}/setup.sh\n    mounts:\n      - source: {folder}\n"


def test_failing_setup_script_ends_the_start_with_its_last_lines(spawner, tmp_path):
    text = "for i in $(seq 2000); do echo line $i; done\necho no such release >&2\nreturn 3\n"
    run = spawner(site_of(tmp_path, stacks=stack(tmp_path, text)))
    one = run.hub.spawn(stack="one")
    tail = run.hub.wait(spawn.TAIL, id=one)
    gone = run.hub.wait(spawn.GONE, id=one)
    assert tail.text.endswith("line 2000\nno such release\n") and len(tail.text) <= 8192
    assert spawn.CAUSES[gone.cause] == "setup" and "setup script" in gone.message
    assert run.hub.wait(spawn.STAGE, name="setup", state=2).ms < 60000
    run.end()


def test_hanging_setup_script_ends_at_its_deadline(spawner, tmp_path):
    text = "echo before the hang\nsleep 1000 &\nsleep 1000\n"
    run = spawner(site_of(tmp_path, seconds=1, stacks=stack(tmp_path, text)))
    one = run.hub.spawn(stack="one")
    assert run.hub.wait(spawn.TAIL, id=one).text == "before the hang\n"
    gone = run.hub.wait(spawn.GONE, id=one)
    assert spawn.CAUSES[gone.cause] == "setup" and "in time" in gone.message
    run.end()


def test_failing_user_script_is_named_as_the_users_own(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn()
    ask(run.site, one, "open('my.sh', 'w').write('echo mine; false')")
    run.hub.stop(one)
    two = run.hub.spawn(user_script="my.sh")
    assert run.hub.wait(spawn.TAIL, id=two).text == "mine\n"
    assert "Your own" in run.hub.wait(spawn.GONE, id=two).message
    run.end()


def test_agent_that_keeps_dying_ends_the_server(spawner, tmp_path):
    more = "  dying:\n    command: [/bin/sh, -c, 'echo why I die >&2; exit 1']\n"
    run = spawner(site_of(tmp_path, more))
    one = run.hub.spawn(template="dying")
    assert run.hub.wait(spawn.TAIL, id=one).text == "why I die\n" * 5
    gone = run.hub.wait(spawn.GONE, id=one)
    assert (gone.cause, gone.status) == (2, 74)
    run.end()


# ---- mounts --------------------------------------------------------------------------------------------------

def test_mounts_are_as_the_files_say(spawner, tmp_path):
    for name in ("ro", "rw"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "there").write_text(name)
        (tmp_path / name).chmod(0o777)
    more = f"""    mounts:
      - {{source: {tmp_path}/ro, target: /data/ro}}
      - {{source: {tmp_path}/rw, target: /data/rw, writable: true}}
      - {{source: {tmp_path}/none, target: /data/none, optional: true}}
"""
    run = spawner(site_of(tmp_path, more))
    one = run.hub.spawn()
    assert ask(run.site, one, "[open('/data/%s/there' % n).read() for n in ('ro', 'rw')]") == "['ro', 'rw']"
    assert "Read-only" in ask(run.site, one, "open('/data/ro/x', 'w')")
    assert ask(run.site, one, "open('/data/rw/x', 'w').write('y')") == "1"
    assert (tmp_path / "rw/x").read_text() == "y"
    assert ask(run.site, one, "os.listdir('/data')") in ("['ro', 'rw']", "['rw', 'ro']")
    run.hub.stop(one)
    run.end()


def test_missing_mount_is_an_error_that_names_it(spawner, tmp_path):
    run = spawner(site_of(tmp_path, f"    mounts:\n      - source: {tmp_path}/none\n"))
    reply = run.hub.spawn()
    assert reply.code != 0 and f"{tmp_path}/none" in reply.message
    assert run.site.leftovers() == [] and run.hub.list() == {}
    run.end()


def test_inner_door_survives_a_new_socket(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    door = run.site.run / "inner"
    door.mkdir(mode=0o755)
    one = run.hub.spawn()
    dial = "[(s.connect('/run/cygnet/hub.sock'), s.recv(9)) for s in [socket.socket(socket.AF_UNIX)]][0][1]"
    for turn in range(2):
        with socket.socket(socket.AF_UNIX) as proxy:
            (door / "hub.sock").unlink(missing_ok=True)
            proxy.bind(os.fspath(door / "hub.sock"))
            (door / "hub.sock").chmod(0o666)
            proxy.listen()
            answer = subprocess.Popen(["/usr/bin/python3", "-c", "import socket; s = socket.socket(fileno=0); "
                                       "c = s.accept()[0]; c.sendall(b'inner')"], stdin=proxy.fileno())
            assert ask(run.site, one, dial) == "b'inner'", turn
            answer.wait()
    run.hub.stop(one)
    run.end()


# ---- restarts ------------------------------------------------------------------------------------------------

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


# ---- who may connect -----------------------------------------------------------------------------------------

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


# ---- other engines and places --------------------------------------------------------------------------------

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


# ---- policy files --------------------------------------------------------------------------------------------

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


# ---- the fault engine ----------------------------------------------------------------------------------------

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
