"""For the proxy's tests: a raw HTTP backend that says what it saw, and a proxy in front of it."""

import contextlib
import hashlib
import json
import os
import re
import socket
import threading
import time

import pytest

from lib import places, web
from lib.daemon import wait_until

TOKEN = "a" * 64
OTHER = "b" * 64
INNER = "c" * 64
COOKIE = "__Host-cygnet"
TOKEN_FIELD = "Authorization: token t"
BIG = 200 << 20


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Gone(Exception):
    """The peer ended the connection inside a message."""


class Reader:
    """Messages off a socket, byte-exact: lines end with CRLF, bodies by their framing."""

    def __init__(self, sock):
        self.sock, self.buffer = sock, b""

    def more(self):
        part = self.sock.recv(1 << 18)
        if not part:
            raise Gone
        self.buffer += part

    def until(self, mark):
        while mark not in self.buffer:
            self.more()
        part, _, self.buffer = self.buffer.partition(mark)
        return part

    def exactly(self, size):
        while len(self.buffer) < size:
            self.more()
        part, self.buffer = self.buffer[:size], self.buffer[size:]
        return part

    def rest(self):
        with contextlib.suppress(Gone):
            while True:
                self.more()
        return self.buffer

    def head(self):
        first, *lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        return first, [tuple(line.split(": ", 1)) for line in lines]

    def chunks(self):
        body = b""
        while True:
            size = int(self.until(b"\r\n"), 16)
            data = self.exactly(size)
            assert self.exactly(2) == b"\r\n"
            if size == 0:
                return body
            body += data

    def body(self, fields, bodiless=False):
        names = {name.lower(): value for name, value in fields}
        if bodiless:
            return b""
        if names.get("transfer-encoding") == "chunked":
            return self.chunks()
        if "content-length" in names:
            return self.exactly(int(names["content-length"]))
        return None

    def response(self, method="GET"):
        """(status, fields, body); without framing the body lasts until the end."""
        first, fields = self.head()
        status = int(first.split()[1])
        body = self.body(fields, method == "HEAD" or status in (204, 304) or status < 200)
        return status, fields, self.rest() if body is None else body


def values(fields, name):
    return [value for key, value in fields if key.lower() == name.lower()]


class Request:
    def __init__(self, first, fields, body, connection):
        self.method, self.target, self.version = first.split(" ")
        self.fields, self.body, self.connection = fields, body, connection

    def values(self, name):
        return values(self.fields, name)


def reply(body=b"ok", status="200 OK", fields=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Backend:
    """Serves a Unix socket, one thread a connection. `answers` maps a target to bytes to send, or to a function
    (backend, sock, reader, request) that returns True when the connection goes on. Others get 200 and "ok"."""

    def __init__(self, path):
        self.path = os.fspath(path)
        self.seen, self.broken, self.connections, self.open = [], 0, 0, 0
        self.answers = {}
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.listener.bind(self.path)
        self.listener.listen(256)
        self.threads, self.socks = [], set()
        self.main = threading.Thread(target=self._accept, daemon=True)
        self.main.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open += 1
                self.socks.add(sock)
            thread = threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, sock, number):
        reader = Reader(sock)
        with contextlib.suppress(OSError):
            try:
                while self._one(sock, reader, number):
                    pass
            except Gone:
                self.broken += bool(reader.buffer) or getattr(reader, "inside", False)
        with self.lock:
            self.open -= 1
            self.socks.discard(sock)
        sock.close()

    def _one(self, sock, reader, number):
        reader.inside = False
        first, fields = reader.head()
        reader.inside = True
        target = first.split(" ")[1]
        answer = self.answers.get(target.partition("?")[0], reply())
        early = getattr(answer, "early", False)
        if values(fields, "Expect"):
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = None if early else reader.body(fields) or b""
        request = Request(first, fields, body, number)
        reader.inside = False
        with self.lock:
            self.seen.append(request)
        if callable(answer):
            return answer(self, sock, reader, request)
        sock.sendall(answer if request.method != "HEAD" else answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        return True

    def targets(self):
        return [request.target for request in self.seen]

    def drop_all(self):
        """Resets every connection, as a server that died does."""
        with self.lock:
            for sock in self.socks:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.main.join()
        self.drop_all()
        for thread in self.threads:
            thread.join()


class Proxy:
    """cygnet-proxy on a free loopback port, with its control and inner sockets in a folder."""

    def __init__(self, daemon, tmp, *options, table=None):
        self.control, self.inner, self.file = tmp / "control.sock", tmp / "inner.sock", tmp / "table.json"
        words = ["cygnet-proxy", "--listen", "127.0.0.1:0", "--control", self.control, "--inner", self.inner,
                 "--log-level", "debug", *options]
        if table is not None:
            self.file.write_text(json.dumps(table))
            words += ["--table", self.file]
        self.daemon = daemon(words)
        self.port = int(self.daemon.wait_line(r"public listener at .* port (\d+)").group(1))
        self.address = ("127.0.0.1", self.port)
        self.generation = 1
        self.host = f"localhost:{self.port}"
        self.origin = f"http://{self.host}"

    def dial(self):
        sock = web.dial(self.address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def head(self, method, path, fields=(), version="1.1"):
        lines = [f"{method} {path} HTTP/{version}", f"Host: {self.host}", *fields]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def get(self, path, *fields, method="GET", body=b"", sock=None):
        """One request; (status, fields, body)."""
        if body:
            fields = (*fields, f"Content-Length: {len(body)}")
        with contextlib.ExitStack() as stack:
            sock = sock or stack.enter_context(self.dial())
            sock.sendall(self.head(method, path, fields) + body)
            return Reader(sock).response(method)

    def put(self, routes, credentials=(), status=200):
        """PUT /table; the response's JSON."""
        self.generation += 1
        table = {"generation": self.generation, "routes": list(routes), "credentials": list(credentials)}
        answer = web.request(self.control, "PUT", "/table", json.dumps(table))
        assert answer.status == status, answer.data
        return json.loads(answer.data)

    def patch(self, status=200, start=None, routes=(), credentials=(), drop_routes=(), drop_credentials=()):
        """PATCH /table from the generation in force (or start); the response's JSON."""
        change = {"from": self.generation if start is None else start, "to": self.generation + 1,
                  "set": {"routes": list(routes), "credentials": list(credentials)},
                  "drop": {"routes": [{"prefix": prefix} for prefix in drop_routes],
                           "credentials": [sha256(secret) for secret in drop_credentials]}}
        answer = web.request(self.control, "PATCH", "/table", json.dumps(change))
        assert answer.status == status, answer.data
        self.generation += status == 200
        return json.loads(answer.data)

    def status(self):
        return json.loads(web.request(self.control, "GET", "/status").data)

    def rss_kb(self):
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as text:
            return int(re.search(r"VmRSS:\s+(\d+)", text.read()).group(1))

    def websocket(self, path, *fields):
        """An opened WebSocket as (socket, Reader, status)."""
        sock = self.dial()
        sock.sendall(self.head("GET", path, (
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Origin: {self.origin}", *fields)))
        reader = Reader(sock)
        first, _ = reader.head()
        return sock, reader, int(first.split()[1])


def route(prefix, target, auth="none", owner=None, server=None, host=None):
    return {"host": host, "prefix": prefix, "target": target, "auth": auth, "owner": owner or "",
            "server": server or ""}


def credential(secret, user, expires=0, **more):
    """A row; more may be server, host, access."""
    return {"sha256": sha256(secret), "user": user, "expires": expires, **more}


def websocket_echo(_backend, sock, reader, request):
    """Accepts an opening, then sends back every byte (frames are bytes like others to a proxy)."""
    assert request.values("Upgrade") == ["websocket"]
    sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    sock.sendall(reader.buffer)
    reader.buffer = b""
    while True:
        part = sock.recv(1 << 16)
        if not part:
            sock.shutdown(socket.SHUT_WR)
            return False
        sock.sendall(part)


def ended(sock):
    """Waits for the end of a connection, whichever way; what still came."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(1 << 16):
            got += part
    return got


def in_parallel(n, work):
    """Runs work(i) in n threads at once and raises what any raised."""
    errors = []

    def guarded(i):
        try:
            work(i)
        except BaseException as error:  # noqa: BLE001  (raised again below)
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(places.CEILING)
    if errors:
        raise errors[0]


__all__ = ["Backend", "Proxy", "Reader", "Gone", "reply", "route", "credential", "websocket_echo", "ended",
           "in_parallel", "values", "wait_until", "sha256", "TOKEN", "OTHER", "INNER", "COOKIE", "time"]


# ---- fixtures, for the files that import them ----
@pytest.fixture
def backend(tmp_path):
    one = Backend(tmp_path / "b.sock")
    yield one
    one.stop()


@pytest.fixture
def proxy(daemon, tmp_path, backend):
    table = {"generation": 1, "routes": [route("/", f"unix:{backend.path}", server="0123456789abcdef")]}
    return Proxy(daemon, tmp_path, table=table)
