"""The hostile requests, through the real proxy: each file of tests/fuzz/http1_head.corpus is a request, and the
end of its name the status it must get. What is refused never reaches the backend whole, and takes nothing along
that hides behind it."""

import re

import pytest

from lib import places
from lib.proxyrig import Backend, Proxy, Reader, ended, route

CORPUS = sorted((places.ROOT / "tests/fuzz/http1_head.corpus").iterdir())
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: hub.test\r\n\r\n"
GOOD = b"GET /good HTTP/1.1\r\nHost: hub.test\r\n\r\n"


def sample(path):
    """The request, with a token where it has a body: without one it would be refused before the body is."""
    data = path.read_bytes()
    if data.startswith((b"POST", b"PUT", b"DELETE", b"PATCH")) and b"\r\n" in data:
        data = data.replace(b"\r\n", b"\r\nAuthorization: token t\r\n", 1)
    return data


@pytest.fixture
def rig(daemon, tmp_path):
    backend = Backend(tmp_path / "b.sock")
    table = {"generation": 1, "routes": [route("/", f"unix:{tmp_path}/b.sock")]}
    yield Proxy(daemon, tmp_path, "--hosts", "hub.test,*", table=table), backend
    backend.stop()


def statuses(data):
    """The statuses of all final responses in a byte stream."""
    return [int(one) for one in re.findall(rb"(?:^|\r\n\r\n|\n|ok)HTTP/1\.1 ([2-5]\d\d) ", data)]


# Where a proxy differs from a server: it must know the Host; "*" has no route; it has no pages of its own to miss; and a body of any
# size may pass, so that a client which announces a huge one and leaves gets no response at all (None).
OTHERWISE = {"more-1.0-no-host.200": 400, "more-options-star.204": 400}


def expected(path):
    status = int(path.name.rpartition(".")[2])
    return OTHERWISE.get(path.name, {404: 200, 413: None}.get(status, status))


def send(proxy, data, step):
    with proxy.dial() as sock:
        try:
            for at in range(0, len(data), step):
                sock.sendall(data[at:at + step])
            sock.shutdown(1)
        except OSError:
            pass  # it was refused before its end
        return ended(sock)


def check(proxy, backend, path, before, step):
    backend.seen.clear()
    answer = send(proxy, before + sample(path), step)
    got = statuses(answer)
    good = [200] * before.count(b"GET /good")
    assert got[:len(good)] == good, (path.name, answer[:200])
    want = expected(path)
    assert got[len(good):len(good) + 1] == ([want] if want else []), (path.name, got, answer[:300])
    assert "/smuggled" not in backend.targets(), path.name
    seen = [one for one in backend.targets() if one != "/good"]
    assert len(seen) == (1 if want == 200 else 0), (path.name, seen)
    for request in backend.seen:
        strict = b"".join(f"{name}{value}".encode("latin-1") for name, value in request.fields)
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", strict), path.name
        assert not (request.values("Content-Length") and request.values("Transfer-Encoding")), path.name
        assert len(request.values("Host")) == 1


def test_every_request_gets_its_status_and_only_good_ones_pass(rig):
    for path in CORPUS:
        check(*rig, path, b"", 1 << 20)


def test_the_same_pipelined_behind_a_good_one(rig):
    for path in CORPUS:
        check(*rig, path, GOOD, 1 << 20)


def test_the_same_byte_by_byte(rig):
    for path in CORPUS:
        if path.stat().st_size < 1000:
            check(*rig, path, b"", 1)


def test_refused_requests_end_the_connection_and_what_hides_behind_them(rig):
    proxy, backend = rig
    for path in CORPUS:
        if expected(path) in (200, None):
            continue
        answer = send(proxy, sample(path) + SMUGGLED, 1 << 20)
        assert len(statuses(answer)) <= 1, path.name
    assert "/smuggled" not in backend.targets()


def test_heads_that_end_at_each_edge_of_a_buffer(rig):
    proxy, backend = rig
    for size in (4095, 4096, 4097, 8191, 8192, 8193, 16383, 16384):
        line = b"GET /edge HTTP/1.1\r\nHost: hub.test\r\nX-Fill: "
        data = line + b"x" * (size - len(line) - 4) + b"\r\n\r\n"
        assert len(data) == size
        for cut in (size - 1, size - 2, size - 3, size - 4):
            with proxy.dial() as sock:
                sock.sendall(data[:cut])
                sock.sendall(data[cut:])
                assert Reader(sock).response()[0] == 200
    assert set(backend.targets()) == {"/edge"}


def test_bytes_behind_a_failed_opening_are_no_request(rig):
    proxy, backend = rig
    opening = (b"GET /no-websocket HTTP/1.1\r\nHost: hub.test\r\nOrigin: http://hub.test\r\nConnection: Upgrade\r\n"
               b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
               b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    answer = send(proxy, opening + SMUGGLED, 1 << 20)
    assert statuses(answer) == [200]
    assert backend.targets() == ["/no-websocket"]
