"""A whole Cygnet for one test file: `cygnetctl up` with the demo site in folders of its own, a signed-in user,
and that person's server by its API and from the outside (its processes, its network namespace)."""

import http.client
import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.parse

import websocket

from lib import agent as agent_rig
from lib import leftovers, places

CACHE = os.environ.get("CACHE") or ("/var/cache/cygnet" if os.geteuid() == 0 else os.path.expanduser("~/.cache/cygnet"))


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.data = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.data)


class WholeSite:
    """The daemons; `ready` is what the ready file says (url, password)."""

    def __init__(self, tmp, daemons, port, agent_word=None):
        self.tmp = pathlib.Path(tmp)
        self.run, self.state, self.config = self.tmp / "run", self.tmp / "state", self.tmp / "config"
        subprocess.run([places.ROOT / "config/demo/render.sh", self.config], check=True, stdout=subprocess.DEVNULL)
        if agent_word:  # one more option of the agents with Spark
            templates = self.config / "templates.yaml"
            mark = '      - "--spark-cluster={cluster}"\n'
            text = templates.read_text()
            assert mark in text
            templates.write_text(text.replace(mark, f'{mark}      - "{agent_word}"\n'))
        shutil.copytree(places.ROOT / "src/web", self.tmp / "web")
        programs = self.tmp / "bin"
        shutil.copytree(places.BIN, programs)
        ready = self.tmp / "ready.json"
        self.program = daemons.start(
            [programs / "cygnetctl", "up", "--port", str(port), "--state-dir", self.state, "--run-dir", self.run,
             "--cache-dir", CACHE, "--bin-dir", programs, "--web-dir", self.tmp / "web", "--config-dir", self.config,
             "--ready-file", ready], name="cygnetctl")
        self.program.wait_line("Cygnet is ready: ")
        self.ready = json.loads(ready.read_text())
        self.address = ("127.0.0.1", port)

    def person(self, name):
        return Person(self, name)

    def stop(self):
        self.program.stop()


class Person:
    """A signed-in user."""

    def __init__(self, site, name):
        self.site, self.name, self.cookie = site, name, None
        form = urllib.parse.urlencode({"username": name, "password": site.ready["password"]})
        answer = self.ask("POST", "/hub/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status == 200, answer.data
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    def ask(self, method, target, body=None, headers=None, ceiling=places.JVM_CEILING):
        url = self.site.ready["url"].rstrip("/")
        headers = {"Accept": "application/json", "Host": url.split("//")[1], "Origin": url, **(headers or {})}
        if self.cookie:
            headers["Cookie"] = self.cookie
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(*self.site.address, timeout=ceiling)
        try:
            connection.request(method, target, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    # ---- the server ----
    def start(self, choice):
        answer = self.ask("POST", f"/hub/api/users/{self.name}/server", {"user_options": choice})
        assert answer.status in (201, 202), answer.data
        self.wait(lambda model: model and model["ready"])

    def stop(self):
        answer = self.ask("DELETE", f"/hub/api/users/{self.name}/server")
        assert answer.status in (202, 204), answer.data
        self.wait(lambda model: model is None)

    def server(self):
        answer = self.ask("GET", f"/hub/api/users/{self.name}")
        assert answer.status == 200, answer.data
        return answer.json["servers"].get("")

    def wait(self, is_right):
        until(lambda: is_right(self.server()), "the server's state")

    # ---- what lib/agent.py's Channels need ----
    @property
    def base(self):
        return f"/user/{self.name}/"

    def get(self, path):
        answer = self.ask("GET", self.base + path)
        assert answer.status == 200, (path, answer.status, answer.data)
        return answer.json

    def open(self, path, protocols=None):
        host, port = self.site.address
        url = self.site.ready["url"].rstrip("/")
        return websocket.create_connection(
            f"ws://{host}:{port}{self.base}{path}", subprotocols=protocols, timeout=places.JVM_CEILING,
            cookie=self.cookie, host=url.split("//")[1], origin=url)

    def kernel(self):
        answer = self.ask("POST", self.base + "api/kernels", {"name": "python3"})
        assert answer.status == 201, answer.data
        return agent_rig.Channels(self, answer.json["id"])

    def end_kernel(self, tab):
        tab.close()
        assert self.ask("DELETE", f"{self.base}api/kernels/{tab.id}").status == 204

    # ---- its processes, seen from outside ----
    def processes(self, word=""):
        """pid → command line of the server's processes whose command line has the word."""
        found = {}
        for pid in leftovers.children(self.site.program.pid):
            try:
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                own = os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid")
            except OSError:
                continue
            if own and words and word in words and not words.startswith("bwrap"):
                found[pid] = words
        return found

    def agent(self):
        """The agent's pid: init's own line ends with the agent's."""
        found = [pid for pid, words in self.processes("cygnet-agent --base-url").items() if "cygnet-init" not in words]
        assert len(found) == 1, found
        return found[0]

    def the(self, word):
        """The one process with that word."""
        found = self.processes(word)
        assert len(found) == 1, found
        return next(iter(found))


def until(is_right, what, ceiling=places.CEILING):
    """Waits for what nothing tells us of, by looking."""
    end = time.monotonic() + ceiling
    while not is_right():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.05)
