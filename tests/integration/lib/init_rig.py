"""cygnet-init alone, with an agent of the tests that speaks its link."""

import fcntl
import os
import select
import signal
import socket
import struct
import sys

import pytest

from lib import places
from lib.daemon import wait_until

HELLO, START, LIST, SIGNAL, STARTED, CHILD, LISTED, EXITED, FAILED, RESIZE = range(1, 11)
HEAD = "@IHHII"
FORMS = {
    HELLO: ("II", "restarts env_bytes"),
    STARTED: ("iIQ128s", "pid pty started_us tag"),
    CHILD: ("iIQ128s", "pid pty started_us tag"),
    LISTED: ("", ""),
    EXITED: ("iiiIQQQ128s", "pid status signal oom max_rss memory_used memory_limit tag"),
    FAILED: ("i256s", "errnum message"),
}
MAGIC, VERSION = 0x43594749, 1
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
# Waits for the test, gives it descriptors 3 and 4, then lives until the test closes the connection.
AGENT = """
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendmsg([str(os.getpid()).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [3, 4]))])
os.close(4)
s.recv(1)
"""


class Message:
    def __init__(self, data, fds):
        magic, version, self.type, length, self.request = struct.unpack_from(HEAD, data)
        assert (magic, version, length) == (MAGIC, VERSION, len(data))
        form, names = FORMS[self.type]
        for name, value in zip(names.split(), struct.unpack(HEAD + form, data)[5:]):
            setattr(self, name, value.split(b"\0")[0].decode() if isinstance(value, bytes) else value)
        self.fds = fds


class Agent:
    """One life of the agent: its pid and the link to init."""

    def __init__(self, server):
        self.control, _ = server.accept()
        data, fds, _, _ = socket.recv_fds(self.control, 100, 4)
        self.pid = int(data)
        self.listener = socket.socket(fileno=fds[0])
        self.link = socket.socket(fileno=fds[1])
        self.kept, self.request = [], 0
        self.hello = self.wait(HELLO)
        self.environment = dict(word.split("=", 1) for word in os.pread(
            self.hello.fds[0], self.hello.env_bytes, 0).decode().split("\0")[:-1])
        assert fcntl.fcntl(self.hello.fds[0], fcntl.F_GET_SEALS) & SEALS == SEALS
        os.close(self.hello.fds[0])

    def close(self):
        for sock in (self.control, self.listener, self.link):
            sock.close()

    def send(self, kind, form="", *values, fds=()):
        self.request += 1
        form = HEAD + form
        values = [value.encode() if isinstance(value, str) else value for value in values]
        data = struct.pack(form, MAGIC, VERSION, kind, struct.calcsize(form), self.request, *values)
        socket.send_fds(self.link, [data], fds)
        return self.request

    def receive(self):
        assert select.select([self.link], [], [], places.CEILING)[0], f"no message; kept {self.kept}"
        data, fds, _, _ = socket.recv_fds(self.link, 1 << 16, 4)
        assert data, "init closed the link"
        return Message(data, fds)

    def wait(self, kind, **fields):
        def fits(m):
            return m.type == kind and all(getattr(m, name) == value for name, value in fields.items())
        for message in self.kept:
            if fits(message):
                self.kept.remove(message)
                return message
        while not fits(message := self.receive()):
            self.kept.append(message)
        return message

    def start(self, argv, tag="kernel:1", env=None, cwd="", log="", pty=False, seal=True, size=(24, 80)):
        """Sends START; returns the reply, STARTED or FAILED."""
        env = {"PATH": "/usr/bin:/bin"} if env is None else env
        words = [*argv, *(f"{name}={value}" for name, value in env.items())]
        block = b"".join(os.fspath(word).encode() + b"\0" for word in words)
        memfd = os.memfd_create("start", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.write(memfd, block)
        if seal:
            fcntl.fcntl(memfd, fcntl.F_ADD_SEALS, SEALS)
        request = self.send(START, "IIIIHH128s1024s1024s", len(argv), len(env), len(block), int(pty), *size, tag,
                            os.fspath(cwd), os.fspath(log), fds=[memfd])
        os.close(memfd)
        while True:
            message = self.receive()
            if message.type in (STARTED, FAILED) and message.request == request:
                return message
            self.kept.append(message)

    def list(self):
        request = self.send(LIST)
        self.wait(LISTED, request=request)
        children = [m for m in self.kept if m.type == CHILD and m.request == request]
        self.kept = [m for m in self.kept if m not in children]
        return {child.pid: child for child in children}

    def signal(self, pid, sig, group=False):
        self.send(SIGNAL, "iiII", pid, sig, int(group), 0)

    def die(self):
        """Until init knows: what it sends to an agent that is dying counts as told."""
        os.kill(self.pid, signal.SIGKILL)
        self.close()
        wait_until(lambda: not os.path.exists(f"/proc/{self.pid}"), "the agent's end")


class Init:
    """A running init whose agents connect back to us."""

    def __init__(self, daemon, tmp, *options, agent=None, wrap=()):
        self.run = tmp / "run"
        for name in ("", "log", "runtime"):
            (self.run / name).mkdir(exist_ok=True)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(os.fspath(tmp / "agent.sock"))
        self.server.listen()
        self.server.settimeout(places.CEILING)
        (tmp / "agent.py").write_text(AGENT)
        command = agent or [sys.executable, tmp / "agent.py", tmp / "agent.sock"]
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.fspath(tmp / "in.sock"))
            listener.listen()
            n = listener.fileno()
            move = f'exec 3<&{n} {n}<&-; exec "$@"' if n != 3 else 'exec "$@"'
            self.daemon = daemon(["/bin/bash", "-c", move, "init", *wrap, places.BIN / "cygnet-init", "--run-dir", self.run,
                                  "--env", "PATH=/usr/bin:/bin", "--env", f"HOME={tmp}", *options, "--", *command],
                                 name="init", pass_fds=(n,))

    def agent(self):
        return Agent(self.server)

    def stages(self):
        return [line.split() for line in self.daemon.log.splitlines() if line.startswith("stage ")]

    def end(self, agent=None, status=0):
        if agent is not None:
            agent.close()
        self.daemon.stop(status=status)
        self.server.close()


@pytest.fixture
def init(daemon, tmp_path):
    made = []

    def start(*options, **how):
        made.append(Init(daemon, tmp_path, *options, **how))
        return made[-1]
    yield start
    for one in made:
        one.server.close()
