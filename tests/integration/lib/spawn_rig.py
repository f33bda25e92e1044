"""A real spawner for tests: its site, a hub's connection, and an agent that evaluates what it is sent.

The agent is a Python line; what it may do is what any kernel may do.
"""

import json
import os
import pathlib
import signal
import socket

import pytest

from lib import spawn

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="needs root: other uids, mounts and control groups")

AGENT = """
import socket, os, sys, subprocess, signal, json, glob, time
s = socket.socket(fileno=3)
s.setblocking(True)
def sh(command):
    return subprocess.run(command, shell=True, capture_output=True, text=True, close_fds=True)
def out(command):
    done = sh(command + " 2>&1")
    return done.stdout.strip()
while True:
    c, _ = s.accept()
    code = b""
    while True:
        part = c.recv(65536)
        if not part:
            break
        code += part
    try:
        answer = eval(code.decode(), globals())
    except BaseException as e:
        answer = type(e).__name__ + ": " + str(e)
    c.sendall(str(answer).encode())
    c.close()
"""

TEMPLATES = """
templates:
  test:
    command: [/usr/bin/python3, -c, {agent}, '{{base_url}}', '{{home}}', '{{run_dir}}', '{{stack_prefix}}']
    memory: 512M
    memory-max: 1G
    cores: 0.5
    processes: 40
    setup-seconds: {seconds}
    environment: {{FROM_TEMPLATE: 'for {{user}}'}}
{more}
""".replace("{agent}", json.dumps(AGENT))


def site_of(tmp_path, more="", seconds=60, stacks=None):
    return spawn.Site(tmp_path, TEMPLATES.format(more=more, seconds=seconds), stacks)


def ask(site, server_id, code):
    """What the agent of a server returns for an expression."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(60)
        sock.connect(os.fspath(site.socket(server_id)))
        sock.sendall(code.encode())
        sock.shutdown(socket.SHUT_WR)
        parts = []
        while part := sock.recv(65536):
            parts.append(part)
        return b"".join(parts).decode()


class Running:
    """A spawner and the hub's connection to it; go() starts the next one on the same folders."""

    def __init__(self, daemon, site, *options, **how):
        self.start = lambda: daemon(site.argv(*options), name="spawner", **how)
        self.site = site
        self.go()

    def clean(self):
        if not list((self.site.run / "spawner/records").glob("*.record")):
            return
        if self.daemon.process.poll() is not None:
            self.go()
        self.hub = spawn.Hub(self.site.ctl)
        for server_id in self.hub.list():
            self.hub.stop(server_id, grace=0)
        self.hub.close()

    def go(self):
        self.daemon = self.start()
        self.daemon.wait_line("main: ready")
        self.hub = spawn.Hub(self.site.ctl)

    def kill(self):
        self.daemon.kill(signal.SIGKILL)
        self.daemon.wait_exit()
        self.hub.close()

    def end(self):
        self.daemon.stop()
        self.hub.close()
        assert self.site.leftovers() == []


def init_pid(site, server_id):
    """The pid of a server's init as this side sees it."""
    record = (site.run / "spawner/records" / (server_id + ".record")).read_text()
    return int(record.split("\ninit ")[1].split("\n")[0])


@pytest.fixture
def spawner(daemon):
    """A fixture's body: gives start(site, option...), and stops what a failed test leaves running."""
    all_of_test = []

    def start(site, *options, **how):
        all_of_test.append(Running(daemon, site, *options, **how))
        return all_of_test[-1]
    yield start
    for run in all_of_test:
        run.clean()
