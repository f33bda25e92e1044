"""One endpoint table on both of our HTTP servers: src/http's own and libmicrohttpd. The same requests get the
same responses; and what waits, streams or is left alone behaves on libmicrohttpd as server.h promises."""

import concurrent.futures
import contextlib
import http.client
import itertools
import socket
import time

import pytest

from lib import places, web

ECHO = places.TEST_BIN / "http_echo_server"
# What each server says of itself and of its connection.
OWN_FIELDS = {"date", "connection", "keep-alive"}


@pytest.fixture
def mhd(daemon, tmp_path):
    server = daemon([ECHO, f"mhd:{tmp_path}/mhd.sock"], name="mhd")
    server.wait_line("^ready")
    server.path = tmp_path / "mhd.sock"
    return server


@pytest.fixture
def ours(daemon, tmp_path):
    server = daemon([ECHO, f"unix:{tmp_path}/ours.sock"], name="ours")
    server.wait_line("^ready")
    server.path = tmp_path / "ours.sock"
    return server


def well_formed_requests():
    """At least 200 requests as (method, target, fields, body)."""
    paths = ["/", "/echo", "/path/", "/path/a/b", "/path/a%2Fb%20c", "/path/%C3%A9", "/path//x", "/nothing",
             "/echo/", "/path/a+b", "/later?ms=1", "/stream?bytes=0", "/stream?bytes=10", "/stream?bytes=300000",
             "/file", "/stream?bytes=1&bytes=2", "/path/..%2fx", "/path/%00", "/path/%zz", "/path/%FF"]
    for path, method in itertools.product(paths, ["GET", "HEAD", "OPTIONS", "DELETE", "PATCH"]):
        yield method, path, {}, None
    sizes = [0, 1, 100, 16384, 16385, 65535, 65536, 300000]
    for size, method, kind in itertools.product(sizes, ["POST", "PUT"], ["length", "chunked"]):
        body = bytes(i % 251 for i in range(size))
        yield method, "/echo", {}, body if kind == "length" else [body[:size // 2], body[size // 2:]]
    for size in (1, 70000):
        for method in ("POST", "PUT", "DELETE"):
            yield method, "/", {}, b"x" * size
            yield method, "/nothing", {}, b"x" * size
    values = ["", "a", "a b", "a,b", '"quoted"', "x" * 4000, "tab\there", "; ,=", "0", "%41"]
    for name, value in itertools.product(["X-Test", "Cookie", "Accept", "Authorization", "If-None-Match"], values):
        yield "GET", "/fields", {name: value}, None
    for n in (1, 2, 30, 90):
        yield "GET", "/fields", [("X-Many", str(i)) for i in range(n)], None
    yield "POST", "/echo", {"Expect": "100-continue"}, b"after continue"
    yield "OPTIONS", "*", {}, None
    yield "GET", "/fields", [("X-A", "1"), ("x-a", "2"), ("X-A", "1")], None


REQUESTS = list(well_formed_requests())


def ask(connection, method, target, fields, body):
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in fields.items() if isinstance(fields, dict) else fields:
        connection.putheader(name, value)
    # A body that is refused may not be read to its end; the response is there all the same.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        if isinstance(body, list):
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders(iter(part for part in body if part), encode_chunked=True)
        elif body is not None:
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
        else:
            connection.endheaders()
    response = connection.getresponse()
    data = response.read()
    said = sorted((name.lower(), value) for name, value in response.getheaders() if name.lower() not in OWN_FIELDS)
    return response.status, said, data


def test_there_are_two_hundred_requests_to_compare():
    assert len(REQUESTS) >= 200


def test_both_servers_give_the_same_responses(ours, mhd):
    different = []
    for request in REQUESTS:
        answers = []
        for server in (ours, mhd):
            connection = web.Connection(server.path)
            answers.append(ask(connection, *request))
            connection.close()
        if answers[0] != answers[1]:
            different.append((request[:3], [(a[0], a[1], a[2][:200]) for a in answers]))
    assert not different


@pytest.mark.parametrize("fields", [b"X-Bad: a\x01b\r\n", b"X-Bad: a\x01b\r\nX-Good: 1\r\n", b"X-Good: 1\r\nX-B@d: 1\r\n"])
def test_both_servers_refuse_a_malformed_field_wherever_it_stands(ours, mhd, fields):
    text = b"GET /fields HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + b"\r\n"
    for server in (ours, mhd):
        assert web.raw(server.path, text).startswith(b"HTTP/1.1 400 "), server


@pytest.mark.parametrize(("target", "cookie"), [(8180, 7900), (6, 16000), (4000, 12000)])
def test_both_servers_take_the_largest_head(ours, mhd, target, cookie):
    """libmicrohttpd copies cookies beside the head, and its memory of a connection is bounded."""
    request = ("GET", "/path/" + "a" * (target - len("/path/")), {"Cookie": "a=" + "x" * (cookie - 2)}, None)
    answers = []
    for server in (ours, mhd):
        connection = web.Connection(server.path)
        answers += [ask(connection, *request), ask(connection, *request)]
        connection.close()
    assert answers[0][0] == http.client.OK
    assert all(one == answers[0] for one in answers)


def test_both_servers_keep_a_connection_alive_alike(ours, mhd):
    answers = []
    for server in (ours, mhd):
        connection = web.Connection(server.path)
        connection.connect()
        first = connection.sock
        answers.append([ask(connection, "GET", f"/path/{i}", {}, None) for i in range(50)]
                       + [ask(connection, "POST", "/echo", {}, b"x" * i) for i in range(50)])
        assert connection.sock is first
        connection.close()
    assert answers[0] == answers[1]


def test_a_thousand_suspended_requests_are_all_answered(mhd):
    def one(i):
        return web.request(mhd.path, "GET", f"/later?ms={i % 7}").data

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        assert set(pool.map(one, range(1000))) == {b"later\n"}
    assert web.request(mhd.path, "GET", "/counts").data == b"aborted 0 open 0\n"


def wait_counts(path, expected):
    end = time.monotonic() + places.CEILING
    while time.monotonic() < end:
        got = web.request(path, "GET", "/counts").data.decode().strip()
        if got == expected:
            return
    pytest.fail(f"counts are {got!r}, not {expected!r}")


@pytest.mark.parametrize("half", [False, True])
def test_a_client_that_leaves_a_suspended_request_is_noticed(mhd, half):
    with web.dial(mhd.path) as sock:
        sock.sendall(b"GET /later?ms=4000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_counts(mhd.path, "aborted 0 open 1")
        if half:
            sock.shutdown(socket.SHUT_WR)
            wait_counts(mhd.path, "aborted 1 open 0")
    wait_counts(mhd.path, "aborted 1 open 0")


def test_a_client_that_leaves_an_idle_stream_is_noticed(mhd):
    with web.dial(mhd.path) as sock:
        sock.sendall(b"GET /ticks HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"tick" in sock.recv(65536) or b"tick" in sock.recv(65536)
        wait_counts(mhd.path, "aborted 0 open 1")
    wait_counts(mhd.path, "aborted 1 open 0")


def test_a_stream_whose_client_does_not_read_is_held_back(mhd):
    connection = web.Connection(mhd.path)
    connection.request("GET", "/stream?bytes=50000000")
    response = connection.getresponse()
    assert response.read(10) == b"a stream o"
    assert web.request(mhd.path, "GET", "/").data == b"hello\n"
    assert len(response.read()) == 50000000 - 10
    connection.close()


def test_a_stream_that_is_cut_is_not_whole(mhd):
    connection = web.Connection(mhd.path)
    connection.request("GET", "/cut")
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    connection.close()


def test_it_ends_with_requests_and_streams_open(mhd):
    socks = [web.dial(mhd.path) for _ in range(20)]
    for i, sock in enumerate(socks):
        target = b"/later?ms=4000000" if i % 2 else b"/ticks"
        sock.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_counts(mhd.path, "aborted 0 open 20")
    mhd.stop()
    for sock in socks:
        while sock.recv(65536):
            continue
        sock.close()


def test_pipelined_requests_are_answered_in_order(mhd):
    text = b"".join(b"GET /path/%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(30))
    text += b"GET /path/last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    got = web.raw(mhd.path, text)
    bodies = [part.split(b"HTTP/1.1")[0] for part in got.split(b"\r\n\r\n")[1:]]
    assert bodies == [str(i).encode() for i in range(30)] + [b"last"]
