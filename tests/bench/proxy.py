"""Proxied requests per second of one core, keep-alive, 64 connections, and what an idle WebSocket costs: cygnet-proxy beside
configurable-http-proxy in front of the same server, in turns. A busy machine slows both, so the figure is requests per second of
the proxy's own processor time. Use: proxy.py [SECONDS [ROUNDS]]. Needs wrk."""

import hashlib
import re
import select
import socket
import subprocess
import sys
import threading

import rig

BACKEND, OURS, CHP, IDLE = 18601, 18602, 18603, 18605
SECRET = "1" * 64
SOCKETS = 1000
OPENING = (b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://127.0.0.1\r\n\r\n")
ACCEPT = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


def wrk(seconds, url):
    out = subprocess.run(["wrk", "-t1", "-c64", f"-d{seconds}s", "-H", f"Authorization: token {SECRET}", url],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    return int(re.search(r"(\d+) requests in", out)[1]), float(re.search(r"Requests/sec: +([\d.]+)", out)[1])


def measure(pid, seconds, url):
    """(requests per second by the clock, requests per second of the process's own time)"""
    before = rig.cpu_seconds(pid)
    requests, rate = wrk(seconds, url)
    return rate, requests / (rig.cpu_seconds(pid) - before)


def accept_idle(listener):
    """Says 101 to every opening and then nothing."""
    listener.settimeout(None)
    kept = []
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        kept.append(sock)
        data = b""
        while b"\r\n\r\n" not in data:
            part = sock.recv(4096)
            if not part:
                break
            data += part
        else:
            sock.sendall(ACCEPT)


def idle_kb(pid, port):
    """Private memory that one idle WebSocket adds to the proxy."""
    before, socks = rig.private_kb(pid), []
    for _ in range(SOCKETS):
        sock = rig.web.dial(("127.0.0.1", port))
        socks.append(sock)
        sock.sendall(OPENING.replace(b"127.0.0.1", b"127.0.0.1:%d" % port))
        got = b""
        while b"\r\n\r\n" not in got:
            part = sock.recv(4096)
            assert part, got
            got += part
        assert got.startswith(b"HTTP/1.1 101 "), got
    select.select([], [], [], 1)
    kb = (rig.private_kb(pid) - before) / SOCKETS
    for sock in socks:
        sock.close()
    return kb


def main(seconds, rounds):
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    with rig.programs() as (group, tmp):
        group.start(["bench_backend", str(BACKEND), tmp / "server.sock"]).wait_connect(("127.0.0.1", BACKEND)).close()
        unix, tcp = f"unix:{tmp}/server.sock", f"tcp:127.0.0.1:{BACKEND}"
        ours = rig.our_proxy(group.start, tmp, OURS, [
            {"prefix": "/", "target": unix, "auth": "none"}, {"prefix": "/tcp/", "target": tcp, "auth": "none"},
            {"prefix": "/user/alice/", "target": unix, "auth": "session", "owner": "alice", "server": "0123456789abcdef"},
        ], [{"sha256": digest, "user": "alice", "expires": 0}])
        chp = rig.chp(group.start, CHP, f"http://127.0.0.1:{BACKEND}")
        kinds = {"configurable-http-proxy": (chp.pid, f"http://127.0.0.1:{CHP}/x"),
                 "cygnet-proxy, TCP behind": (ours.pid, f"http://127.0.0.1:{OURS}/tcp/x"),
                 "cygnet-proxy, Unix socket behind": (ours.pid, f"http://127.0.0.1:{OURS}/x"),
                 "cygnet-proxy, session checked": (ours.pid, f"http://127.0.0.1:{OURS}/user/alice/api/x")}
        measure(chp.pid, seconds, f"http://127.0.0.1:{CHP}/x")  # its compiler warms up
        got, memory = {who: [] for who in kinds}, {}
        for _ in range(rounds):
            for who, (pid, url) in kinds.items():
                got[who].append(measure(pid, seconds, url))
                memory[who] = rig.private_kb(pid) / 1024
        listener = socket.create_server(("127.0.0.1", IDLE), backlog=1024)
        threading.Thread(target=accept_idle, args=(listener,), daemon=True).start()
        fresh = rig.our_proxy(group.start, tmp, IDLE + 1, [
            {"prefix": "/", "target": f"tcp:127.0.0.1:{IDLE}", "auth": "none"}])
        peer = rig.chp(group.start, IDLE + 2, f"http://127.0.0.1:{IDLE}")
        idle = {"configurable-http-proxy": idle_kb(peer.pid, IDLE + 2), "cygnet-proxy": idle_kb(fresh.pid, IDLE + 1)}
        listener.close()
    rows = [{"row": "proxied requests", "who": who, "value": rig.median([core for _, core in both]), "unit": "req/s of CPU",
             "wall": rig.median([wall for wall, _ in both]), "private_mb": memory[who], "n": len(both)} for who, both in got.items()]
    rows += [{"row": "idle WebSocket", "who": who, "value": kb, "unit": "KB", "n": SOCKETS} for who, kb in idle.items()]
    rig.write("proxy", rows)
    for row in rows:
        print(f"  {row['row']:16} {row['who']:34} {row['value']:10.1f} {row['unit']}")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]) if len(sys.argv) > 1 else (3, 3))
