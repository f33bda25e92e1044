"""cygnet-agent --relay: stock JupyterLab behind a passed socket, and the relay's own promises."""

import json
import os
import signal
import socket
import sys

from lib import places, web

SERVER = r"""
import os, socket, sys, threading
path = sys.argv[1]
if len(sys.argv) > 2:
    open(sys.argv[2]).read(1)          # a FIFO: the test says when to listen
s = socket.socket(socket.AF_UNIX)
s.bind(path + ".new")
s.listen(64)
os.rename(path + ".new", path)
def echo(c):
    while True:
        part = c.recv(65536)
        if not part:
            c.sendall(b"bye")
            return c.close()
        c.sendall(part)
while True:
    threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()
"""


def start(daemon, tmp, command, **options):
    """The relay with a listening socket as descriptor 3; returns it and the socket's path."""
    path = tmp / "in.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(path))
        listener.listen(128)
        n = listener.fileno()
        move = f'exec 3<&{n} {n}<&-; exec "$@"' if n != 3 else 'exec "$@"'
        relay = daemon(["/bin/bash", "-c", move, "relay", places.BIN / "cygnet-agent", "--relay", tmp / "out.sock",
                        "--", *command], name="relay", pass_fds=(n,), **options)
    return relay, path


def echo_server(tmp, *more):
    script = tmp / "server.py"
    script.write_text(SERVER)
    return [sys.executable, script, tmp / "out.sock", *more]


def test_bytes_and_half_close_cross_both_ways(daemon, tmp_path):
    relay, path = start(daemon, tmp_path, echo_server(tmp_path))
    data = os.urandom(3 << 20)
    with web.dial(path) as sock:
        got = b""
        sent = 0
        while len(got) < len(data):
            if sent < len(data):
                sent += sock.send(data[sent:sent + 65536])
            got += sock.recv(65536)
        assert got == data
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(16) == b"bye"
    relay.kill(signal.SIGTERM)
    assert relay.wait_exit() == 128 + signal.SIGTERM


def test_connection_made_before_the_command_listens_is_served(daemon, tmp_path):
    os.mkfifo(tmp_path / "go")
    relay, path = start(daemon, tmp_path, echo_server(tmp_path, tmp_path / "go"))
    early = web.dial(path)
    early.sendall(b"early")
    with open(tmp_path / "go", "w") as go:
        go.write("x")
    assert early.recv(16) == b"early"
    early.close()
    relay.stop(status=128 + signal.SIGTERM)


def test_relay_ends_with_the_status_of_its_command(daemon, tmp_path):
    relay, _ = start(daemon, tmp_path, ["/bin/sh", "-c", "exit 7"])
    assert relay.wait_exit() == 7


def test_command_that_does_not_exist_is_named(daemon, tmp_path):
    relay, _ = start(daemon, tmp_path, ["/no/such/program"])
    assert relay.wait_exit() == 127
    assert "cannot run /no/such/program" in relay.log


def test_stock_jupyterlab_answers_through_the_relay(daemon, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    lab = [places.prefix("jupyter") / "bin/jupyter-lab", "--no-browser", "--allow-root", f"--ServerApp.sock={tmp_path}/out.sock",
           "--IdentityProvider.token=", "--ServerApp.base_url=/user/alice/", "--ServerApp.allow_remote_access=True",
           f"--ServerApp.root_dir={home}"]
    relay, path = start(daemon, tmp_path, lab, env={"HOME": str(home)})
    answer = web.request(path, "GET", "/user/alice/api", host="hub.example.org")
    assert answer.status == 200
    assert "version" in json.loads(answer.data)
    page = web.request(path, "GET", "/user/alice/lab", host="hub.example.org")
    assert page.status == 200 and b"jupyter-config-data" in page.data
    relay.kill(signal.SIGTERM)
    relay.wait_exit()
