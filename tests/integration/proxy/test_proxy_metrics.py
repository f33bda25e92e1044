"""What the proxy counts, and who may read it."""

import os
import subprocess

import pytest

from lib import places, web
from lib.prometheus import parse
from lib.proxyrig import (TOKEN, Backend, Proxy, credential, reply, route, wait_until,
                          websocket_echo)


@pytest.fixture
def backend(tmp_path):
    one = Backend(tmp_path / "b.sock")
    one.answers["/ws"] = websocket_echo
    yield one
    one.stop()


@pytest.fixture
def proxy(daemon, tmp_path, backend):
    """Its control socket is where cygnetctl looks for it: tmp_path/proxy/0."""
    folder = tmp_path / "proxy/0"
    folder.mkdir(parents=True)
    table = {"generation": 7, "credentials": [credential(TOKEN, "alice")],
             "routes": [route("/", f"unix:{backend.path}"), route("/gone/", f"unix:{tmp_path}/nobody.sock"),
                        route("/user/alice/", f"unix:{backend.path}", auth="session", owner="alice", server="a")]}
    return Proxy(daemon, folder, table=table)


def scrape(proxy):
    response = web.request(proxy.control, "GET", "/metrics")
    assert response.status == 200
    return parse(response.data.decode())


def test_requests_are_counted_by_class_and_connections_to_targets_by_use(proxy, backend):
    with proxy.dial() as sock:
        backend.answers["/no"] = reply(b"", "404 Not Found")
        for path in ("/a", "/b", "/no"):
            proxy.get(path, sock=sock)
        found = scrape(proxy)
    assert found["cygnet_proxy_requests_total", "2xx"] == 2
    assert found["cygnet_proxy_requests_total", "4xx"] == 1
    assert found["cygnet_proxy_upstream_connections_total", "new"] == backend.connections == 1
    assert found["cygnet_proxy_upstream_connections_total", "reused"] == 2
    assert found["cygnet_proxy_connections", "http"] == found["cygnet_proxy_accepted_total",] == 1
    assert found["cygnet_proxy_connections", "inner"] == 0
    assert all(value == 0 for key, value in found.items() if key[0] == "cygnet_proxy_refusals_total")
    assert found["process_resident_memory_bytes",] > 1 << 20
    with web.dial(proxy.inner):
        wait_until(lambda: scrape(proxy)["cygnet_proxy_connections", "inner"] == 1,
                   "the inner connection is counted")
    wait_until(lambda: not any(scrape(proxy)["cygnet_proxy_connections", name] for name in ("http", "inner")),
               "no connection is counted any more")


def test_bytes_are_counted_each_way_while_they_flow(proxy, backend):
    body = b"x" * 300_000
    backend.answers["/large"] = reply(body)
    assert proxy.get("/large", "Authorization: token x", method="POST", body=b"y" * 50_000)[2] == body
    found = scrape(proxy)
    assert 50_000 < found["cygnet_proxy_received_bytes_total", "client"] < 51_000
    assert 50_000 < found["cygnet_proxy_sent_bytes_total", "target"] < 51_000
    assert 300_000 < found["cygnet_proxy_received_bytes_total", "target"] < 301_000
    assert 300_000 < found["cygnet_proxy_sent_bytes_total", "client"] < 301_000
    sock, reader, _ = proxy.websocket("/ws")
    with sock:
        sock.sendall(b"z" * 100_000)
        reader.exactly(100_000)
        found = scrape(proxy)
        assert found["cygnet_proxy_websockets",] == 1
        assert found["cygnet_proxy_received_bytes_total", "client"] > 150_000
        assert found["cygnet_proxy_sent_bytes_total", "client"] > 400_000
    wait_until(lambda: scrape(proxy)["cygnet_proxy_websockets",] == 0, "no WebSocket is counted any more")
    assert scrape(proxy)["cygnet_proxy_requests_total", "1xx"] == 1


REFUSED = [
    ("head", b"GET / HTTP/1.1\r\nBad header\r\n\r\n", 400),
    ("head", b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
    ("host", b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    ("path", b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ("origin", b"POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n\r\n", 403),
    ("credential", b"GET /user/alice/api HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
    ("credential", b"GET /user/alice/ HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Mode: navigate\r\n\r\n", 302),
    ("upgrade", b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 426),
    ("body", b"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ("target_unreachable", b"GET /gone/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 502),
    ("target_invalid", b"GET /invalid HTTP/1.1\r\nHost: localhost\r\n\r\n", 502),
]


@pytest.mark.parametrize("cause, request_, status", REFUSED)
def test_a_refusal_is_counted_under_its_cause(proxy, backend, cause, request_, status):
    backend.answers["/invalid"] = b"nonsense\r\n\r\n"
    with proxy.dial() as sock:
        sock.sendall(request_)
        assert sock.recv(1 << 16).startswith(f"HTTP/1.1 {status} ".encode())
        found = scrape(proxy)
    counted = {key[1]: value for key, value in found.items() if key[0] == "cygnet_proxy_refusals_total" and value > 0}
    assert counted == {cause: 1}


def test_the_table_in_force_is_told(proxy):
    found = scrape(proxy)
    assert found["cygnet_proxy_table_in_force",] == 1 and found["cygnet_proxy_table_generation",] == 7
    assert found["cygnet_proxy_table_routes",] == 3 and found["cygnet_proxy_table_credentials",] == 1


def test_without_a_table_requests_are_refused_for_that(daemon, tmp_path):
    proxy = Proxy(daemon, tmp_path)
    assert proxy.get("/")[0] == 503
    found = scrape(proxy)
    assert found["cygnet_proxy_refusals_total", "no_table"] == 1 and found["cygnet_proxy_table_in_force",] == 0


def ctl(tmp_path, uid=None):
    command = [places.BIN / "cygnetctl", "metrics", "--run-dir", tmp_path, "proxy/0"]
    if uid is not None:
        command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *command]
    return subprocess.run(command, capture_output=True, text=True)


def test_cygnetctl_reads_a_proxys_metrics(proxy, tmp_path):
    told = ctl(tmp_path)
    assert told.returncode == 0, told.stderr
    assert parse(told.stdout)["cygnet_proxy_table_generation",] == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another uid")
def test_another_uid_may_send_tables_but_reads_no_metrics(proxy, tmp_path):
    socket = proxy.control
    for folder in (tmp_path, *tmp_path.parents[:-2], tmp_path / "proxy", tmp_path / "proxy/0"):
        folder.chmod(folder.stat().st_mode | 0o055)
    socket.chmod(0o666)
    refused = ctl(tmp_path, uid=65534)
    assert refused.returncode == 1 and "403" in refused.stderr
    ask = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
           "s.sendall(b'GET /status HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print(s.recv(20))")
    status = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", ask, socket]
    assert "200" in subprocess.run(status, capture_output=True, text=True).stdout
