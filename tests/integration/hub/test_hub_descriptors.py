"""A hub that has no descriptor left for a connection: who comes waits, it does not spin, and all are served when there is
one again."""

import itertools
import os
import pathlib
import resource
import socket

import pytest

from lib import places
from lib.hub_rig import make_site  # noqa: F401  a fixture
from lib.prometheus import parse

HEALTH = b"GET /hub/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
METRICS = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Client:
    """A connection that stays open and asks again."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(places.CEILING)
        self.sock.connect(os.fspath(path))
        self.read = self.sock.makefile("rb")

    def send(self, request=HEALTH):
        self.sock.sendall(request)

    def response(self):
        """Its status and body."""
        status = int(self.read.readline().split()[1])
        fields = dict(line.lower().split(b": ", 1) for line in iter(lambda: self.read.readline().strip(), b""))
        return status, self.read.read(int(fields[b"content-length"])).decode()

    def ask(self, request=HEALTH):
        self.send(request)
        return self.response()

    def close(self):
        self.read.close()
        self.sock.close()


def limit(hub, spare):
    """So many descriptors are free from now on; None: as many as may be."""
    used = {int(fd.name) for fd in (pathlib.Path("/proc") / str(hub.pid) / "fd").iterdir()}
    hard = resource.prlimit(hub.pid, resource.RLIMIT_NOFILE)[1]
    free = itertools.islice((n for n in itertools.count() if n not in used), spare or 0, None)
    resource.prlimit(hub.pid, resource.RLIMIT_NOFILE, (hard if spare is None else next(free), hard))


def cpu_ms(pid):
    fields = (pathlib.Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 // os.sysconf("SC_CLK_TCK")


def turns_meanwhile(site, control):
    """Turns of the loop while four scrapes wait, each half a second or more, for a spawner that does not respond."""
    def turns():
        return parse(control.ask(METRICS)[1])["cygnet_hub_loop_turn_seconds_count",]
    site.spawner.counts = None
    before = turns()
    used = cpu_ms(site.hub.pid)
    for _ in range(3):
        assert control.ask(METRICS)[0] == 200
    print(f"{cpu_ms(site.hub.pid) - used} ms of the processor meanwhile")
    return turns() - before


@pytest.mark.parametrize("spare, back", [(0, "raised"), (8, "raised"), (8, "closed")])
def test_connections_beyond_the_descriptors_wait_and_are_served(make_site, spare, back):  # noqa: F811
    site = make_site()
    control = Client(site.run / "hub/control.sock")
    assert control.ask(METRICS)[0] == 200
    kept = [Client(site.socket) for _ in range(3 if spare > 0 else 0)]
    for client in kept:
        assert client.ask()[0] == 200
    limit(site.hub, spare)
    coming = [Client(site.socket) for _ in range(40)]
    for client in coming:
        client.send()
    assert turns_meanwhile(site, control) < 1000, "it does not look again and again for what is not there"
    for client in kept:
        assert client.ask()[0] == 200, "who is in is served"
    if back == "raised":
        limit(site.hub, None)
    else:
        for client in kept:
            client.close()
    for client in coming:
        assert client.response()[0] == 200
        client.close()
    limit(site.hub, None)
    assert site.browser().get("/hub/health").status == 200
    for client in [control] + kept:
        client.close()
