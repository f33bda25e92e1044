"""The proxy between a client and a target: heads, connections, bodies, WebSockets, the end."""

import os
import socket
import threading

import pytest

from lib.proxyrig import (  # noqa: F401  backend, proxy: fixtures
    BIG, TOKEN_FIELD, Proxy, Reader, backend, ended, in_parallel, proxy, reply, route, values, wait_until,
    websocket_echo,
)


# ---- heads ----
def test_heads_are_written_anew_and_identity_is_ours_to_give(proxy, backend):
    claims = ("X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil", "Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6",
              "X-Cygnet-User: root", "x-cygnet-server: f00", "X_Cygnet_User: root", "Remote-User: root",
              "X-Scheme: https")
    hops = ("Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: 5", "TE: trailers", "Proxy-Authorization: x")
    assert proxy.get("/a%20b/%C3%A9?x=%2F&y", *claims, *hops, "X-Kept: yes", "Cookie: a=1; b=2")[0] == 200
    request = backend.seen[0]
    assert request.target == "/a%20b/%C3%A9?x=%2F&y"
    assert sorted(request.fields) == sorted([
        ("Host", proxy.host), ("X-Kept", "yes"), ("Cookie", "a=1; b=2"), ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", proxy.host)])


def test_answers_lose_what_belongs_to_one_hop(proxy, backend):
    backend.answers["/"] = reply(fields=("Connection: X-Secret-Hop", "X-Secret-Hop: 1", "X-Cygnet-User: root",
                                         "Set-Cookie: a=1", "Set-Cookie: b=2", "Set-Cookie: __Host-cygnet=evil",
                                         "Service-Worker-Allowed: /", "X-Kept: yes"))
    _, fields, _ = proxy.get("/")
    assert fields == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Kept", "yes"), ("Content-Length", "2")]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body_leave_the_connection_usable(proxy, backend, status):
    backend.answers["/none"] = f"HTTP/1.1 {status}\r\nETag: x\r\n\r\n".encode()
    with proxy.dial() as sock:
        assert proxy.get("/none", sock=sock)[0] == int(status[:3])
        assert proxy.get("/", sock=sock)[2] == b"ok"


def test_head_tells_the_length_and_sends_nothing(proxy, backend):
    backend.answers["/"] = reply(b"x" * 1000)
    with proxy.dial() as sock:
        _, fields, body = proxy.get("/", method="HEAD", sock=sock)
        assert values(fields, "Content-Length") == ["1000"] and body == b""
        assert proxy.get("/", sock=sock)[2] == b"x" * 1000


# ---- connections ----
def test_connections_are_kept_on_both_sides(proxy, backend):
    with proxy.dial() as sock:
        for _ in range(100):
            assert proxy.get("/", sock=sock)[0] == 200
    assert backend.connections == 1


def test_a_kept_connection_that_ended_is_replaced_without_an_error(proxy, backend):
    def last(_backend, sock, _reader, _request):
        sock.sendall(reply())
        return False                 # closes although it promised to stay

    backend.answers["/last"] = last
    with proxy.dial() as sock:
        for _ in range(50):
            assert proxy.get("/last", sock=sock)[0] == 200
            assert proxy.get("/", sock=sock)[0] == 200


def test_a_request_that_changes_something_is_never_sent_twice(proxy, backend):
    def dies(_backend, _sock, _reader, _request):
        return False

    backend.answers["/dies"] = dies
    assert proxy.get("/")[0] == 200
    for method in ("POST", "DELETE"):
        assert proxy.get("/dies", TOKEN_FIELD, method=method)[0] == 502
    assert backend.targets().count("/dies") == 2


def test_a_client_that_asks_for_it_is_closed(proxy):
    with proxy.dial() as sock:
        status, fields, _ = proxy.get("/", "Connection: close", sock=sock)
        assert (status, values(fields, "Connection")) == (200, ["close"])
        assert ended(sock) == b""


def test_more_connections_than_allowed_wait_for_their_turn(daemon, tmp_path, backend):
    table = {"generation": 1, "routes": [route("/", f"unix:{backend.path}")]}
    proxy = Proxy(daemon, tmp_path, "--connections-max", "16", table=table)
    held = [proxy.dial() for _ in range(16)]
    for sock in held:
        assert proxy.get("/", sock=sock)[0] == 200
    with proxy.dial() as late:
        late.sendall(proxy.head("GET", "/late"))
        assert proxy.get("/held", sock=held[0])[0] == 200
        assert "/late" not in backend.targets()
        held.pop().close()
        assert Reader(late).response()[0] == 200
    for sock in held:
        sock.close()


def test_two_proxies_share_a_port(daemon, tmp_path, backend):
    table = {"generation": 1, "routes": [route("/", f"unix:{backend.path}")]}
    folders = [tmp_path / "1", tmp_path / "2"]
    for folder in folders:
        folder.mkdir()
    one = Proxy(daemon, folders[0], "--reuse-port", "true", table=table)
    two = Proxy(daemon, folders[1], "--reuse-port", "true", "--listen", f"127.0.0.1:{one.port}", table=table)
    wait_until(lambda: one.get("/")[0] == 200 and one.status()["accepted"] > 0 and two.status()["accepted"] > 0,
               "both get connections")


def test_http_1_0_clients_get_what_they_understand(proxy, backend):
    backend.answers["/chunked"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    with proxy.dial() as sock:
        sock.sendall(proxy.head("GET", "/chunked", version="1.0"))
        status, fields, body = Reader(sock).response()
        assert (status, body) == (200, b"abc")
        assert values(fields, "Transfer-Encoding") == [] and values(fields, "Connection") == ["close"]
    with proxy.dial() as sock:
        for _ in range(3):
            sock.sendall(proxy.head("GET", "/", ("Connection: keep-alive",), version="1.0"))
            status, fields, body = Reader(sock).response()
            assert (status, body, values(fields, "Connection")) == (200, b"ok", ["keep-alive"])


def test_pipelined_requests_are_answered_in_order(proxy, backend):
    for n in range(40):
        backend.answers[f"/{n}"] = reply(str(n).encode())
    with proxy.dial() as sock:
        sock.sendall(b"".join(proxy.head("GET", f"/{n}") for n in range(40)))
        reader = Reader(sock)
        assert [reader.response()[2] for _ in range(40)] == [str(n).encode() for n in range(40)]


def test_a_client_that_ended_its_direction_still_gets_its_answers(proxy, backend):
    backend.answers["/long"] = reply(b"y" * 3_000_000)
    with proxy.dial() as sock:
        sock.sendall(proxy.head("GET", "/long") + proxy.head("GET", "/"))
        sock.shutdown(socket.SHUT_WR)
        reader = Reader(sock)
        assert len(reader.response()[2]) == 3_000_000
        assert reader.response()[2] == b"ok"
        assert reader.rest() == b""


def test_fifty_clients_at_once(proxy, backend):
    backend.answers["/many"] = lambda _b, sock, _r, request: sock.sendall(reply(request.body)) or True

    def client(number):
        with proxy.dial() as sock:
            for turn in range(20):
                body = f"{number}/{turn}".encode() * (1 + turn * 50)
                assert proxy.get("/many", TOKEN_FIELD, method="POST", body=body, sock=sock)[2] == body

    in_parallel(50, client)
    assert len(backend.seen) == 1000


# ---- bodies ----
def test_chunked_requests_are_chunked_anew(proxy, backend):
    chunks = b"5;ext=1\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nX-Trailer: gone\r\n\r\n"
    with proxy.dial() as sock:
        head = proxy.head("POST", "/up", (TOKEN_FIELD, "Transfer-Encoding: chunked"))
        for byte in head + chunks:
            sock.sendall(bytes([byte]))
        assert Reader(sock).response()[0] == 200
    assert backend.seen[0].body == b"hello 0123456789"
    assert backend.seen[0].values("Transfer-Encoding") == ["chunked"]


def test_answers_of_every_framing_arrive_whole(proxy, backend):
    data = os.urandom(700_000)

    def chunked(_backend, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(data), 9973):
            part = data[at:at + 9973]
            sock.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        sock.sendall(b"0\r\n\r\n")
        return True

    def until_close(_backend, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + data)
        return False

    backend.answers |= {"/length": reply(data), "/chunked": chunked, "/close": until_close}
    with proxy.dial() as sock:
        for path, framing in (("/length", []), ("/chunked", ["chunked"]), ("/close", ["chunked"]), ("/length", [])):
            _, fields, body = proxy.get(path, sock=sock)
            assert body == data and values(fields, "Transfer-Encoding") == framing, path


def test_expect_continue_reaches_the_target_and_comes_back(proxy):
    with proxy.dial() as sock:
        sock.sendall(proxy.head("POST", "/up", (TOKEN_FIELD, "Content-Length: 3", "Expect: 100-continue")))
        reader = Reader(sock)
        assert reader.head()[0].startswith("HTTP/1.1 100 ")
        sock.sendall(b"abc")
        assert reader.response()[0] == 200


def test_an_answer_may_begin_before_its_request_ends(proxy, backend):
    def echo(_backend, sock, reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while size := int(reader.until(b"\r\n"), 16):
            data = reader.exactly(size + 2)
            sock.sendall(b"%x\r\n%s" % (size, data))
        sock.sendall(b"0\r\n\r\n")
        return reader.until(b"\r\n") == b""

    echo.early = True
    backend.answers["/echo"] = echo
    with proxy.dial() as sock:
        sock.sendall(proxy.head("POST", "/echo", (TOKEN_FIELD, "Transfer-Encoding: chunked")))
        reader = Reader(sock)
        assert "200" in reader.head()[0]
        for size in (1, 1000, 100_000):
            sock.sendall(b"%x\r\n%s\r\n" % (size, b"e" * size))
            got = b""
            while len(got) < size:
                got += reader.exactly(int(reader.until(b"\r\n"), 16) + 2)[:-2]
            assert got == b"e" * size
        sock.sendall(b"0\r\n\r\n")
        assert reader.chunks() == b""
        assert proxy.get("/", sock=sock)[0] == 200


def test_an_early_refusal_of_a_body_is_passed_on(proxy, backend):
    def refuse(_backend, sock, _reader, _request):
        sock.sendall(reply(b"too large", "413 Content Too Large", ("Connection: close",)))
        return False

    refuse.early = True
    backend.answers["/up"] = refuse
    with proxy.dial() as sock:
        sock.sendall(proxy.head("POST", "/up", (TOKEN_FIELD, f"Content-Length: {BIG}")) + b"x" * 100_000)
        reader = Reader(sock)
        assert reader.response()[::2] == (413, b"too large")
        assert reader.rest() == b""


def test_a_client_that_leaves_inside_its_body_takes_the_request_with_it(proxy, backend):
    with proxy.dial() as sock:
        sock.sendall(proxy.head("POST", "/up", (TOKEN_FIELD, "Content-Length: 1000")) + b"x" * 10)
    wait_until(lambda: backend.broken == 1, "the backend sees a request that was cut")
    assert backend.seen == []


# ---- WebSockets ----
def test_a_websocket_carries_every_byte_both_ways(proxy, backend):
    backend.answers["/ws"] = websocket_echo
    sock, reader, status = proxy.websocket("/ws")
    assert status == 101
    with sock:
        for size in [*range(1, 900), *(1 << n for n in range(10, 20)), *range(70_000, 70_091)]:
            data = bytes([size & 0xff]) * size
            sender = threading.Thread(target=sock.sendall, args=(data,))
            sender.start()
            assert reader.exactly(size) == data
            sender.join()
        sock.shutdown(socket.SHUT_WR)
        assert reader.rest() == b""
    wait_until(lambda: proxy.status()["connections"]["websocket"] == 0, "no WebSocket is left")
    assert backend.open == 0


def test_a_client_that_vanishes_ends_the_targets_websocket(proxy, backend):
    backend.answers["/ws"] = websocket_echo
    sock, _, status = proxy.websocket("/ws")
    assert status == 101
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
    wait_until(lambda: backend.open == 0, "the target's side is closed")


def test_a_refused_websocket_is_answered_and_closed(proxy, backend):
    backend.answers["/ws"] = reply(b"no", "403 Forbidden")
    sock, reader, status = proxy.websocket("/ws")
    with sock:
        assert status == 403 and reader.rest() == b"no"


def test_idle_websockets_hold_no_buffers(proxy, backend):
    backend.answers["/ws"] = websocket_echo
    first = [proxy.websocket("/ws") for _ in range(100)]
    before = proxy.rss_kb()
    more = []
    for _ in range(400):
        sock, reader, status = proxy.websocket("/ws")
        assert status == 101
        sock.sendall(b"x" * 30_000)
        assert reader.exactly(30_000) == b"x" * 30_000
        more.append(sock)
    grown = proxy.rss_kb() - before
    for sock in [one[0] for one in first] + more:
        sock.close()
    # The sanitizer's own bookkeeping is most of it; a single buffer each would be 25 MB.
    assert grown < 8 << 10


# ---- the end ----
def test_at_the_end_requests_in_flight_finish(proxy, backend):
    started, release = threading.Event(), threading.Event()

    def slow(_backend, sock, _reader, _request):
        started.set()
        assert release.wait(120)
        sock.sendall(reply(b"late"))
        return True

    backend.answers |= {"/slow": slow, "/ws": websocket_echo}
    tunnel, _, status = proxy.websocket("/ws")
    assert status == 101
    with tunnel, proxy.dial() as idle, proxy.dial() as sock:
        assert proxy.get("/", sock=idle)[0] == 200
        sock.sendall(proxy.head("GET", "/slow"))
        assert started.wait(120)
        proxy.daemon.process.terminate()
        assert ended(tunnel) == b"" and ended(idle) == b""
        release.set()
        status, fields, body = Reader(sock).response()
        assert (status, body, values(fields, "Connection")) == (200, b"late", ["close"])
    assert proxy.daemon.wait_exit() == 0
