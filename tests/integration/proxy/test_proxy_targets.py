"""The proxy: a slow side holds back the other, and targets that fail."""

import hashlib
import os
import socket
import struct
import threading

import pytest

from lib import places
from lib.proxyrig import (  # noqa: F401  backend, proxy: fixtures
    BIG, TOKEN_FIELD, Proxy, Reader, backend, ended, proxy, reply, route, values, wait_until,
)


# ---- back-pressure ----
def test_a_large_body_up_is_streamed_in_little_memory(proxy, backend):
    digest = hashlib.sha256()

    def swallow(_backend, sock, reader, request):
        left = BIG
        while left > 0:
            if not reader.buffer:
                reader.more()
            digest.update(reader.buffer)
            left -= len(reader.buffer)
            reader.buffer = b""
        sock.sendall(reply(str(request.values("Content-Length")).encode()))
        return True

    swallow.early = True
    backend.answers["/up"] = swallow
    before = proxy.rss_kb()
    block = os.urandom(1 << 20)
    with proxy.dial() as sock:
        sock.sendall(proxy.head("PUT", "/up", (TOKEN_FIELD, f"Content-Length: {BIG}")))
        for _ in range(BIG >> 20):
            sock.sendall(block)
        assert Reader(sock).response()[0] == 200
    assert digest.hexdigest() == hashlib.sha256(block * (BIG >> 20)).hexdigest()
    assert proxy.rss_kb() - before < 8 << 10


def test_a_slow_reader_stops_the_target_not_the_proxy(proxy, backend):
    sent, go = [0], threading.Event()
    block = b"z" * (1 << 16)

    def flood(_backend, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG)
        sock.settimeout(0.5)
        for _ in range(BIG // len(block)):
            view = memoryview(block)
            while view:
                try:
                    done = sock.send(view)
                except TimeoutError:
                    go.set()         # no more is read: back-pressure has come through
                    sock.settimeout(120)
                    done = sock.send(view)
                view = view[done:]
                sent[0] += done
        go.set()
        return True

    backend.answers["/down"] = flood
    with proxy.dial() as sock:
        sock.sendall(proxy.head("GET", "/down"))
        assert go.wait(120)
        assert sent[0] < BIG // 2, "the target was never stopped"
        stopped = proxy.rss_kb()
        with proxy.dial() as other:
            assert proxy.get("/", sock=other)[0] == 200
        reader = Reader(sock)
        assert values(reader.head()[1], "Content-Length") == [str(BIG)]
        left = BIG
        while left > 0:
            left -= len(reader.buffer or sock.recv(1 << 18))
            reader.buffer = b""
    assert left == 0
    assert proxy.rss_kb() - stopped < 8 << 10
    wait_until(lambda: sent[0] == BIG, "the target has counted what it sent")


# ---- targets that fail ----
def test_a_target_that_is_not_there_gives_a_page_that_helps(proxy, backend):
    backend.stop()
    status, fields, body = proxy.get("/", "Accept: text/html")
    assert status == 502 and values(fields, "Content-Type") == ["text/html; charset=utf-8"]
    assert b"start it again" in body and b"<script" not in body
    assert "script-src" not in values(fields, "Content-Security-Policy")[0]
    status, fields, body = proxy.get("/")
    assert (status, values(fields, "Content-Type")) == (502, ["application/json"])


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello", b"hello\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20000 + b"\r\n\r\n"], ids=["lengths", "length-and-chunked", "junk", "field-name", "101", "large"])
def test_an_answer_that_is_not_http_is_a_502(proxy, backend, answer):
    backend.answers["/"] = answer
    assert proxy.get("/")[0] == 502


@pytest.mark.parametrize("head", [b"Content-Length: 1000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n400\r\n"])
def test_a_target_that_dies_inside_its_answer_cuts_the_client_off(proxy, backend, head):
    def die(_backend, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"some bytes")
        return False

    backend.answers["/die"] = die
    with proxy.dial() as sock:
        sock.sendall(proxy.head("GET", "/die"))
        got = ended(sock)
    assert b"some bytes" in got and b"0\r\n\r\n" not in got.partition(b"some bytes")[2]
    with proxy.dial() as sock:
        sock.sendall(proxy.head("GET", "/die", version="1.0"))
        if b"chunked" in head:
            # Without a length only a reset tells it from an end.
            with pytest.raises(ConnectionResetError):
                while sock.recv(1 << 16):
                    pass
        else:
            assert ended(sock).endswith(b"some bytes")
    assert proxy.status()["cut"] == 2


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_an_answer_without_a_length_that_is_reset_is_not_passed_on_as_whole(daemon, tmp_path, version):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(places.CEILING)
        table = {"generation": 1, "routes": [route("/", f"tcp:127.0.0.1:{listener.getsockname()[1]}")]}
        proxy = Proxy(daemon, tmp_path, table=table)
        with proxy.dial() as client:
            client.sendall(proxy.head("GET", "/", version=version))
            target, _ = listener.accept()
            Reader(target).head()
            target.sendall(b"HTTP/1.1 200 OK\r\n\r\nsome bytes")
            reader = Reader(client)
            reader.until(b"some bytes")
            reset(target)
            if version == "1.1":
                assert reader.rest() == b"\r\n"  # of the chunk; the last one never comes
            else:
                with pytest.raises(ConnectionResetError):
                    reader.more()
    assert proxy.status()["cut"] == 1


@pytest.mark.parametrize("head", [b"HEAD / HTTP/1.1\r\n\r\n", b"HEAD /\r\n", b"HEAD /" + b"a" * 10000 + b" HTTP/1.1\r\n"])
def test_a_refusal_of_head_has_no_body(proxy, head):
    with proxy.dial() as sock:
        sock.sendall(head)
        got = ended(sock)
    assert got.startswith(b"HTTP/1.1 4") and got.endswith(b"\r\n\r\n")
    assert int(values([tuple(line.split(": ", 1)) for line in got.decode().split("\r\n")[1:-2]], "Content-Length")[0]) > 0


def test_thousands_of_commas_in_connection_are_refused_in_both_directions(proxy, backend):
    commas = "Connection: " + "," * 14800
    assert proxy.get("/", commas)[0] == 400
    backend.answers["/"] = reply(fields=(commas,))
    assert proxy.get("/")[0] == 502


def test_bad_chunks_from_a_target_cut_the_client_off(proxy, backend):
    backend.answers["/"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX"
    with proxy.dial() as sock:
        sock.sendall(proxy.head("GET", "/"))
        got = ended(sock)
    assert got.endswith(b"3\r\nabc\r\n")


@pytest.fixture
def limited(daemon, tmp_path, backend):
    """A proxy with one short time limit."""
    table = {"generation": 1, "routes": [route("/", f"unix:{backend.path}")]}
    return lambda option: Proxy(daemon, tmp_path, option, "300ms", table=table)


def test_a_target_that_does_not_answer_in_time_is_a_504(limited, backend):
    release = threading.Event()
    backend.answers["/never"] = lambda *_: release.wait(120) and False
    assert limited("--answer-timeout").get("/never")[0] == 504
    release.set()


def test_a_target_that_takes_no_connections_is_a_504(daemon, tmp_path):
    with socket.socket(socket.AF_UNIX) as full, socket.socket(socket.AF_UNIX) as first:
        full.bind(os.fspath(tmp_path / "full.sock"))
        full.listen(0)
        first.connect(os.fspath(tmp_path / "full.sock"))
        table = {"generation": 1, "routes": [route("/", f"unix:{tmp_path}/full.sock")]}
        assert Proxy(daemon, tmp_path, "--connect-timeout", "300ms", table=table).get("/")[0] == 504


def test_a_full_backlog_is_waited_for(daemon, tmp_path):
    with socket.socket(socket.AF_UNIX) as full, socket.socket(socket.AF_UNIX) as first:
        full.bind(os.fspath(tmp_path / "full.sock"))
        full.listen(0)
        first.connect(os.fspath(tmp_path / "full.sock"))
        table = {"generation": 1, "routes": [route("/", f"unix:{tmp_path}/full.sock")]}
        proxy = Proxy(daemon, tmp_path, "--connect-timeout", "60s", table=table)
        with proxy.dial() as sock:
            sock.sendall(proxy.head("GET", "/"))
            wait_until(lambda: proxy.status()["connections"]["connect"] == 1, "the request waits")
            full.accept()[0].close()
            target = full.accept()[0]
            with target:
                Reader(target).head()
                target.sendall(reply())
                assert Reader(sock).response()[0] == 200


@pytest.mark.parametrize(("option", "start"), ids=["head", "body"], argvalues=[
    ("--header-timeout", b"GET / HT"), ("--body-timeout", b"POST / HTTP/1.1\r\nHost: localhost\r\n"
                                        b"Authorization: token t\r\nContent-Length: 10\r\n\r\nx")])
def test_a_request_that_takes_too_long_is_a_408(limited, option, start):
    with limited(option).dial() as sock:
        sock.sendall(start)
        reader = Reader(sock)
        assert reader.response()[0] == 408 and reader.rest() == b""


def test_connections_that_say_nothing_are_closed(limited):
    with limited("--header-timeout").dial() as sock:
        assert ended(sock) == b""


def test_idle_connections_are_closed(limited):
    proxy = limited("--idle-timeout")
    with proxy.dial() as sock:
        assert proxy.get("/", sock=sock)[0] == 200
        assert ended(sock) == b""
