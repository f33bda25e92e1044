"""The hub's side of the spawner protocol (include/cygnet/spawn_msg.h) and a spawner with its folders."""

import os
import pathlib
import re
import secrets
import select
import socket
import time
import zlib

from lib import places
from lib.spawn_msg import (  # noqa: F401  tests name them as ours
    CAUSES, COUNTS, GONE, HAND_OVER, HELLO, ISOLATION, ITEM, LIST, METRICS, PING, REPLY, SPAWN, STAGE, STAT, STOP, TAIL, TEMPLATE, Message, pack,
)


def id_of(user):
    """An id for a user's name, where a test does not say one."""
    return zlib.crc32(user.encode()) + 1


def new_id():
    return secrets.token_hex(8)


class Hub:
    """One connection to a spawner. Messages that were not waited for yet are kept in order."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.connect(os.fspath(path))
        self.kept, self.request = [], 0
        self.hello = self.wait(HELLO)
        self.templates = [self.wait(TEMPLATE).name for _ in range(self.hello.templates)]

    def close(self):
        self.sock.close()

    def receive(self, ceiling=places.CEILING):
        if not select.select([self.sock], [], [], ceiling)[0]:
            raise AssertionError(f"no message; kept: {self.kept}")
        data = self.sock.recv(1 << 16)
        assert data, "the spawner closed the connection"
        return Message(data)

    def wait(self, kind, ceiling=places.CEILING, **fields):
        """The first message of a kind whose fields are as given; others are kept."""
        def fits(message):
            return message.type == kind and all(getattr(message, name) == value for name, value in fields.items())
        for message in self.kept:
            if fits(message):
                self.kept.remove(message)
                return message
        end = time.monotonic() + ceiling
        while True:
            message = self.receive(end - time.monotonic())
            if fits(message):
                return message
            self.kept.append(message)

    def ask(self, kind, *values):
        """Sends a request and returns its REPLY."""
        self.request += 1
        self.sock.send(pack(kind, self.request, *values))
        return self.wait(REPLY, request=self.request)

    def send_spawn(self, user="alice", server="", template="test", stack="system", memory=0, cpu=0, base_url=None,
                   credential="ab" * 32, home_packages=0, user_script="", server_id=None, user_id=None,
                   user_made=7, name_before=""):
        """Asks for a server and does not wait; returns its id and the number of the request."""
        server_id = server_id or new_id()
        self.request += 1
        self.sock.send(pack(SPAWN, self.request, server_id, user_id or id_of(user), user_made, user, name_before, server, template, stack, base_url or f"/user/{user}/",
                            credential, memory, cpu, home_packages, user_script, ""))
        return server_id, self.request

    def spawn(self, **values):
        """Asks for a server; returns its id, or the failed REPLY."""
        server_id, request = self.send_spawn(**values)
        reply = self.wait(REPLY, request=request)
        return server_id if reply.code == 0 else reply

    def stop(self, server_id, grace=5000):
        """Stops a server and waits for its GONE."""
        assert self.ask(STOP, server_id, grace).code == 0
        return self.wait(GONE, id=server_id)

    def list(self):
        reply = self.ask(LIST)
        assert reply.code == 0
        items = [m for m in self.kept if m.type == ITEM and m.request == reply.request]
        self.kept = [m for m in self.kept if m not in items]
        return {item.id: item for item in items}


class Site:
    """The folders and policy files of one spawner."""

    def __init__(self, tmp, templates, stacks=None):
        self.tmp = pathlib.Path(tmp)
        self.run, self.state, self.cache = self.tmp / "run", self.tmp / "state", self.tmp / "cache"
        self.templates, self.stacks = self.tmp / "templates.yaml", self.tmp / "stacks.yaml"
        self.templates.write_text(templates)
        self.stacks.write_text(stacks or "stacks:\n  system:\n    prefix: /usr\n")
        for path in (self.templates, self.stacks):
            path.chmod(0o644)

    def argv(self, *more, program="cygnet-spawner-sandbox"):
        return [program, "--run-dir", self.run, "--state-dir", self.state, "--cache-dir", self.cache, "--templates",
                self.templates, "--stacks", self.stacks, "--hub-uid", str(os.geteuid()), *more]

    @property
    def ctl(self):
        return self.run / "spawner/ctl.sock"

    def socket(self, server_id):
        return self.run / f"s/{server_id}.sock"

    def leftovers(self):
        """What the spawner left of its servers: must be empty once all are gone."""
        found = [os.fspath(p) for sub in ("servers", "s", "spawner/records") for p in (self.run / sub).glob("*")]
        return found + [os.fspath(p) for p in self.cgroups()]

    def cgroups(self, server_id="*"):
        # The spawner puts a hash after it, as the folder's name holds more than letters and digits.
        parent = "cygnet-" + re.sub(r"\W|_", "-", os.fspath(self.run)[1:])
        return [p for p in pathlib.Path("/sys/fs/cgroup").glob(f"*/{parent}-????????/{server_id}") if p.is_dir()]
