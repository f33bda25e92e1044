"""An upgrade under a running server: the programs of an older commit serve a user, `up` is killed as the administrator's
guide says, the programs of today start on the same folders and configuration. The server goes on: the same processes,
the same kernel with its variables, a session that is still good; and it can be stopped and started again.

tests/support/upgrade_running.sh builds the older programs and says where they are (OLD_TREE)."""

import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess

import pytest

from lib import leftovers, places
from lib.agent import Channels
from lib.daemon import wait_until
from lib.whole_site import CACHE, Person

PORT = 8019


# What a server says to the hub it says through the proxy's inner socket, with its own credential.
ASK_HUB = """
import http.client, socket
hub = http.client.HTTPConnection("localhost")
hub.sock = socket.socket(socket.AF_UNIX)
hub.sock.connect("/run/cygnet/hub.sock")
secret = open("/run/cygnet/secrets/credential").read().strip()
hub.request("GET", "/hub/api/user", headers={"Authorization": "token " + secret})
print(hub.getresponse().status)
"""


class Site:
    """Folders and configuration that stay while programs change; `program` is the `up` that runs."""

    def __init__(self, tmp, daemons, old):
        self.tmp, self.daemons = tmp, daemons
        self.run, self.state, self.config = tmp / "run", tmp / "state", tmp / "config"
        self.address, self.ready, self.program = ("127.0.0.1", PORT), None, None
        subprocess.run([old / "config/demo/render.sh", self.config], check=True, stdout=subprocess.DEVNULL)

    def start(self, name, tree, flavour):
        """Copies the tree's programs to where the daemons' uids reach them, and starts them."""
        shutil.copytree(tree / f"build/{flavour}/bin", self.tmp / name / "bin")
        shutil.copytree(tree / "src/web", self.tmp / name / "web")
        ready = self.tmp / f"{name}.json"
        self.program = self.daemons.start(
            [self.tmp / name / "bin/cygnetctl", "up", "--port", str(PORT), "--state-dir", self.state, "--run-dir", self.run,
             "--cache-dir", CACHE, "--bin-dir", self.tmp / name / "bin", "--web-dir", self.tmp / name / "web",
             "--config-dir", self.config, "--ready-file", ready], name=name)
        self.program.wait_line("Cygnet is ready: ")
        self.ready = json.loads(ready.read_text())

    def kill(self):
        """Kills `up`; its daemons end by themselves."""
        ours = [pid for pid in leftovers.children(self.program.pid) if exe(pid).startswith("cygnet-")
                and exe(pid) not in ("cygnet-init", "cygnet-agent")]
        assert sorted(exe(pid) for pid in ours) == ["cygnet-hub", "cygnet-proxy", "cygnet-spawner-sandbox"]
        self.program.kill(signal.SIGKILL).wait_exit()
        wait_until(lambda: not any(map(leftovers.lives, ours)), "the daemons of the older version end")


def exe(pid):
    """The name of a process's program."""
    try:
        return pathlib.Path(os.readlink(f"/proc/{pid}/exe")).name
    except OSError:
        return ""


def servers_processes():
    """{(pid, start time): program} of all that lives in a server's process namespace, wherever it hangs now."""
    found = {}
    for pid in leftovers.children(os.getpid()):
        try:
            if os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid"):
                found[pid, pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]] = exe(pid)
        except OSError:
            continue
    return found


def uids_of(state):
    """{name: its uids}, by all lines of the spawner's file, old or new."""
    found = {}
    for line in (state / "uids").read_text().splitlines():
        uid, name, *_ = line.split()
        found.setdefault(name, set()).add(uid)
    return found


@pytest.fixture
def site(tmp_path, daemons):
    old = pathlib.Path(os.environ["OLD_TREE"])
    made = Site(tmp_path, daemons, old)
    made.start("old", old, "release")
    yield made
    made.program.stop()


def test_a_running_server_is_kept_over_an_upgrade(site):
    alice = Person(site, "alice")
    alice.start({"profile": "standard"})
    kernel = alice.kernel()
    assert kernel.run("import os; kept = [41]; open('before.txt', 'w').write('mine'); print(os.getpid())")[1]["status"] == "ok"
    pid, _ = kernel.run("print(os.getpid(), id(kept))")
    kernel.close()
    before, (uid,) = servers_processes(), uids_of(site.state / "spawner")["alice"]
    with sqlite3.connect(site.state / "hub/hub.db") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
    assert {"cygnet-init", "cygnet-agent"} <= set(before.values())
    site.kill()
    assert servers_processes() == before

    site.start("new", places.ROOT, places.FLAVOUR)
    assert site.program.wait_line("adopted: 'alice', uid ([0-9]+)").group(1) == uid
    alice.wait(lambda model: model and model["ready"])
    assert servers_processes() == before
    assert [one["id"] for one in alice.get("api/kernels")] == [kernel.id]
    again = Channels(alice, kernel.id)
    assert again.run("print(os.getpid(), id(kept))")[0] == pid
    assert again.run("kept.append(1); print(kept)")[0] == "[41, 1]\n"
    assert again.run(ASK_HUB)[0] == "200\n"
    alice.end_kernel(again)

    alice.stop()
    wait_until(lambda: not servers_processes(), "the server's processes end")
    alice.start({"profile": "standard"})
    assert uids_of(site.state / "spawner") == {"alice": {uid}}
    fresh = alice.kernel()
    assert fresh.run("print(open('before.txt').read())")[0] == "mine\n"
    alice.end_kernel(fresh)
    alice.stop()
