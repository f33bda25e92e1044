"""A real spawner with the sandbox engine: what a server is, what two users share, limits, setup scripts, mounts."""

import os
import pathlib
import socket
import subprocess

import pytest

from lib import spawn
from lib.daemon import Daemons
from lib.spawn_rig import ROOT, ask, init_pid, needs_root, site_of, spawner


# ---- what a server is ----
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


# ---- two users ----
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


# ---- limits ----
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


# ---- setup scripts ----
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


# ---- mounts ----
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
