"""What clients and targets may use up at the proxy: connections, files, time; and that nothing of it is left."""

import contextlib
import functools
import os
import resource
import socket
import threading

import pytest

from lib import web
from lib.proxyrig import (  # noqa: F401  backend: fixture
    TOKEN_FIELD, Backend, Proxy, Reader, backend, ended, reply, route, wait_until, websocket_echo,
)


class Target:
    """A listening socket that the test itself serves, byte by byte."""

    def __init__(self, path):
        self.path, self.listener = os.fspath(path), socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(16)
        self.listener.settimeout(120)

    def accept(self):
        sock, _ = self.listener.accept()
        sock.settimeout(120)
        return sock, Reader(sock)


@pytest.fixture
def target(tmp_path):
    one = Target(tmp_path / "t.sock")
    yield one
    one.listener.close()


@pytest.fixture
def hurried(daemon, tmp_path, target):
    """A proxy with a short time limit for bodies, in front of the target."""
    table = {"generation": 1, "routes": [route("/", f"unix:{target.path}")]}
    return Proxy(daemon, tmp_path, "--body-timeout", "300ms", table=table)


# ---- connections and files ----
def test_containers_keep_nobody_out_at_the_public_door(daemon, tmp_path, backend):
    table = {"generation": 1, "routes": [route("/", f"unix:{backend.path}")]}
    proxy = Proxy(daemon, tmp_path, "--connections-max", "16", "--header-timeout", "10m", table=table)
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(web.dial(proxy.inner))
        for _ in range(16):
            assert proxy.get("/", sock=stack.enter_context(proxy.dial()))[0] == 200
        counts = proxy.status()["connections"]
        assert counts["idle"] == 16 and counts["head"] <= 4


@pytest.fixture
def poor(daemon):
    """Starts a program that may have 128 files open."""
    return functools.partial(daemon, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)))


def test_a_full_proxy_still_reaches_its_targets(poor, tmp_path, backend):
    table = {"generation": 1, "routes": [route("/", f"unix:{backend.path}")]}
    proxy = Proxy(poor, tmp_path, table=table)
    proxy.daemon.wait_line(r"128 open files are allowed: no more than 24 connections")
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(proxy.dial())
        assert proxy.get("/", sock=held)[0] == 200
        for _ in range(200):
            stack.enter_context(proxy.dial())
        for _ in range(20):
            assert proxy.get("/", TOKEN_FIELD, method="POST", sock=held)[0] == 200


def test_idle_connections_to_targets_give_way_to_new_ones(poor, tmp_path, backend):
    other = Backend(tmp_path / "other.sock")
    table = {"generation": 1, "routes": [route("/", f"unix:{backend.path}"), route("/o/", f"unix:{other.path}")]}
    proxy = Proxy(poor, tmp_path, table=table)
    with contextlib.ExitStack() as stack:
        stack.callback(other.stop)
        sock = stack.enter_context(proxy.dial())
        for _ in range(70):
            for path in ("/", "/o/"):
                assert proxy.get(path, TOKEN_FIELD, method="POST", sock=sock)[0] == 200


# ---- time ----
def test_a_client_that_waited_for_100_and_sends_is_held_to_the_rate(hurried, target):
    with hurried.dial() as sock:
        sock.sendall(hurried.head("PUT", "/", ("Content-Length: 10", TOKEN_FIELD, "Expect: 100-continue")))
        upstream, reader = target.accept()
        with upstream:
            assert ("Expect", "100-continue") in reader.head()[1]
            sock.sendall(b"x")
            assert reader.exactly(1) == b"x"
            assert Reader(sock).response()[0] == 408
            assert reader.rest() == b""


def test_a_target_that_no_longer_reads_is_not_its_clients_fault(hurried, target):
    with hurried.dial() as sock, hurried.dial() as slow:
        sock.sendall(hurried.head("PUT", "/", ("Content-Length: 10", TOKEN_FIELD)))
        upstream, reader = target.accept()
        with upstream:
            reader.head()
            upstream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
            upstream.shutdown(socket.SHUT_RD)
            answer = Reader(sock)
            assert "200" in answer.head()[0] and answer.exactly(2) == b"ab"
            sock.sendall(b"xy")
            # By the time that a later client is found slow the first has had its time too.
            slow.sendall(hurried.head("PUT", "/", ("Content-Length: 10", TOKEN_FIELD)))
            with target.accept()[0]:
                assert Reader(slow).response()[0] == 408
            upstream.sendall(b"cd")
            assert answer.exactly(2) == b"cd"


def test_a_large_body_may_end_before_its_refusal_is_read(hurried, target):
    sent, stop = [], threading.Event()

    def upload(sock):
        try:
            while not stop.is_set():
                sent.append(sock.send(b"x" * (1 << 16)))
        except OSError as error:
            sent.append(error)

    def refuse(sock):
        sock.sendall(hurried.head("PUT", "/", (f"Content-Length: {1 << 40}", TOKEN_FIELD)))
        upstream, reader = target.accept()
        with upstream:
            reader.head()
            upstream.sendall(reply(b"no", "413 Content Too Large", ("Connection: close",)))

    with hurried.dial() as large, hurried.dial() as silent:
        refuse(large)
        sender = threading.Thread(target=upload, args=(large,))
        sender.start()
        refuse(silent)
        # One that sends nothing more is let go; the other was refused before.
        assert Reader(silent).response()[0] == 413 and ended(silent) == b""
        wait_until(lambda: sum(hurried.status()["connections"].values()) == 1, "the silent one is closed")
        stop.set()
        sender.join()
        assert Reader(large).response()[::2] == (413, b"no")
        assert not [one for one in sent if isinstance(one, OSError)]


@pytest.mark.parametrize("kind", ["websocket", "pipelined"])
def test_a_client_that_vanishes_behind_a_full_buffer_is_noticed(hurried, target, kind):
    """The target does not read what the client sends, so that only the client's end can be noticed."""
    with hurried.dial() as sock:
        if kind == "websocket":
            sock.sendall(hurried.head("GET", "/ws", (
                "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Origin: {hurried.origin}")))
        else:
            sock.sendall(hurried.head("GET", "/events"))
        upstream, reader = target.accept()
        with upstream:
            reader.head()
            if kind == "websocket":
                upstream.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            else:
                upstream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            Reader(sock).head()
            sock.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                while True:
                    sock.send(b"z" * (1 << 16))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
            wait_until(lambda: sum(hurried.status()["connections"].values()) == 0, "the client is forgotten")


# ---- what is left ----
def test_no_way_to_fail_leaves_anything_behind(daemon, tmp_path, backend):
    table = {"generation": 1, "routes": [route("/", f"unix:{backend.path}")]}
    proxy = Proxy(daemon, tmp_path, table=table)

    def part(_backend, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome")
        return False

    def early(_backend, sock, _reader, _request):
        sock.sendall(reply(b"no", "413 Content Too Large"))
        return False

    early.early = True
    backend.answers |= {
        "/ws": websocket_echo, "/no-ws": reply(b"no", "403 Forbidden"), "/junk": b"junk\r\n\r\n", "/part": part,
        "/early": early, "/dies": lambda *_: False, "/wait": lambda _b, sock, _r, _q: sock.recv(1) and False,
        "/hints": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9,
        "/chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz"}

    def send(data):
        with proxy.dial() as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            ended(sock)

    def leave(path):
        with proxy.dial() as sock:
            sock.sendall(proxy.head("GET", path))
            wait_until(lambda: path in backend.targets(), "the target is asked")
            backend.seen.clear()

    def websocket(path):
        sock, reader, status = proxy.websocket(path)
        with sock:
            assert status == 403 or sock.sendall(b"x") is None and reader.exactly(1) == b"x"

    ways = [lambda path=path: send(proxy.head("GET", path)) for path in (
        "/", "/junk", "/part", "/dies", "/hints", "/chunks", "/%zz")]
    ways += [lambda fields=fields: send(proxy.head("POST", "/early", (TOKEN_FIELD, *fields)) + b"x" * 5000) for fields in (
        ("Content-Length: 9000",), ("Content-Length: 5000",), ("Transfer-Encoding: chunked",))]
    ways += [lambda: send(b"junk\r\n\r\n"), lambda: leave("/wait"), lambda: websocket("/ws"), lambda: websocket("/no-ws")]

    def files():
        return len(os.listdir(f"/proc/{proxy.daemon.pid}/fd"))

    def quiet():
        backend.drop_all()
        return sum(proxy.status()["connections"].values()) == 0

    wait_until(quiet, "the start is over")
    before = files()
    for way in ways * 10:
        way()
    wait_until(quiet, "no connection is left")
    wait_until(lambda: files() <= before, "no file is left")
