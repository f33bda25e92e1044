"""What one authenticated GET of the hub's API costs: processor time of cygnet-hub a request, on one kept connection to its own
socket, 64 requests in flight on as many connections, one response at a time each. Use: hub.py [REQUESTS [ROUNDS]]."""

import select
import sys

import rig

from lib import hub_rig

CONNECTIONS = 64


def play(path, cookie, requests):
    """Sends the requests over kept connections, a new one on each when its response is complete."""
    text = (b"GET /hub/api/users/alice HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nCookie: "
            + cookie.encode() + b"\r\n\r\n")
    socks = {}
    for _ in range(CONNECTIONS):
        sock = rig.web.dial(path)
        socks[sock.fileno()] = [sock, b""]
    poll = select.epoll()
    for fd, (sock, _) in socks.items():
        poll.register(fd, select.EPOLLIN)
        sock.sendall(text)
    sent, done = CONNECTIONS, 0
    while done < requests:
        for fd, _ in poll.poll():
            entry = socks[fd]
            part = entry[0].recv(65536)
            assert part, "the hub closed a connection"
            entry[1] += part
            head, mark, body = entry[1].partition(b"\r\n\r\n")
            length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                           if line.lower().startswith(b"content-length:")), None) if mark else None
            if length is None or len(body) < length:
                continue
            assert head.startswith(b"HTTP/1.1 200 "), head
            entry[1] = b""
            done += 1
            if sent < requests:
                entry[0].sendall(text)
                sent += 1
    poll.close()
    for sock, _ in socks.values():
        sock.close()


def main(requests, rounds):
    with rig.programs() as (group, tmp):
        site = hub_rig.HubSite(tmp, group, ["--log-level", "info"])
        try:
            browser = site.browser("alice")
            cookie = f"__Host-cygnet={browser.cookie}"
            play(site.socket, cookie, CONNECTIONS * 10)
            costs = []
            for _ in range(rounds):
                before = rig.cpu_seconds(site.hub.pid)
                play(site.socket, cookie, requests)
                costs.append((rig.cpu_seconds(site.hub.pid) - before) / requests * 1e6)
            private_mb = rig.private_kb(site.hub.pid) / 1024
        finally:
            site.close()
        rig.write("hub", [{"row": "authenticated GET", "who": "cygnet-hub", "value": rig.median(costs), "unit": "µs",
                           "private_mb": private_mb}])
        print(f"authenticated GET: {rig.median(costs):.1f} µs of the hub's processor time")


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:] + ["20000", "5"][len(sys.argv) - 1:])))
