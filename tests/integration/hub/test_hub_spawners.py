"""One hub with two spawners, of two engines: each start goes to the one that has its template, and either may be away."""

import json
import os
import signal
import socket
import subprocess

import pytest
from lib import hub_rig, places
from lib.daemon import wait_until
from lib.prometheus import parse
from lib.spawn import Site

ANSWERS = """
import http.server, json, socket
class One(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(dict(version="process")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def address_string(self):
        return ""
    def log_message(self, *_):
        pass
listener = socket.socket(fileno=3)
listener.setblocking(True)
while True:
    One(listener.accept()[0], "", None)
"""
TEMPLATES = {
    "fault": "templates:\n  ok: {command: [x]}\n",
    "process": f"templates:\n  plain:\n    command: [/usr/bin/python3, -c, {json.dumps(ANSWERS)}]\n",
}
ENGINES = {"fault": "ok", "process": "plain"}  # and the profile of its template


class Person(hub_rig.Person):
    def start(self, name, profile):
        return self.post(f"/hub/api/users/{name}/server", {"user_options": {"profile": profile}})


class Two:
    def __init__(self, tmp, daemons):
        self.tmp, self.daemons, self.run = tmp, daemons, tmp / "run"
        self.sites = {}
        for engine, templates in TEMPLATES.items():
            (tmp / engine).mkdir()
            self.sites[engine] = Site(tmp / engine, templates)
        for folder in ("", "hub", "proxy", "proxy/0", "inner"):
            (self.run / folder).mkdir(mode=0o755)
        (tmp / "hub").mkdir()
        (tmp / "profiles.yaml").write_text("stacks: [{id: system}]\nprofiles:\n" + "".join(
            f"  - {{id: {name}, template: {name}, stacks: [system], cores: [1], memory: [256M]}}\n"
            for name in (*ENGINES.values(), "nobody")))
        (tmp / "password").write_text("pw")
        (tmp / "password").chmod(0o600)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.spawners = {engine: self.start_spawner(engine) for engine in ENGINES}
        daemons.start(["cygnet-proxy", "--listen", f"127.0.0.1:{self.port}", "--control", self.run / "proxy/0/control.sock",
                       "--inner", self.run / "inner/hub.sock"])
        self.hub = self.start_hub()
        self.wait_known()

    def start_spawner(self, engine):
        site = self.sites[engine]
        daemon = self.daemons.start(site.argv("--engine", "process") if engine == "process" else [
            "cygnet-spawner-fault", "--run-dir", site.run, "--state-dir", site.state, "--templates", site.templates,
            "--stacks", site.stacks])
        daemon.wait_line("main: ready")
        return daemon

    def start_hub(self):
        hub = self.daemons.start(
            ["cygnet-hub", "--sign-in", "development", "--public-url", f"http://127.0.0.1:{self.port}/", "--run-dir",
             self.run, "--state-dir", self.tmp / "hub", "--web-dir", places.ROOT / "src/web", "--profiles",
             self.tmp / "profiles.yaml", "--dev-password-file", self.tmp / "password", "--stop-grace", "2s",
             "--spawners", ",".join(os.fspath(site.ctl) for site in self.sites.values())])
        hub.wait_line("hub: ready")
        return hub

    def wait_known(self):
        assert hub_rig.Browser(self.run / "hub/http.sock").get("/hub/health?wait=1").status == 200

    def person(self, name):
        person = Person(self.port)
        assert person.sign_in(name, "pw").status == 200
        return person

    def leftovers(self):
        return [one for site in self.sites.values() for one in site.leftovers()]


@pytest.fixture
def two(tmp_path, daemons):
    return Two(tmp_path, daemons)


def both_run(two):
    people = {engine: two.person(engine) for engine in ENGINES}
    for engine, person in people.items():
        assert person.start(engine, ENGINES[engine]).status == 201
    return people


def both_answer(people):
    return {engine: person.get(f"/user/{engine}/api").json["version"] for engine, person in people.items()} == {
        engine: engine for engine in ENGINES}


def end(two, people):
    for engine, person in people.items():
        assert person.delete(f"/hub/api/users/{engine}/server").status == 204
    assert two.leftovers() == []


def test_each_start_goes_to_the_spawner_that_has_its_template(two):
    people = both_run(two)
    for engine, site in two.sites.items():
        assert len(list((site.run / "s").glob("*.sock"))) == 1, engine
    assert both_answer(people)
    end(two, people)


def test_restarted_hub_finds_the_servers_of_both_where_they_listen(two):
    people = both_run(two)
    two.hub.kill(signal.SIGKILL)
    two.hub.wait_exit()
    two.hub = two.start_hub()
    two.wait_known()
    assert both_answer(people)
    end(two, people)


def test_spawner_that_is_away_holds_up_its_own_starts_alone(two):
    two.spawners["process"].stop()
    two.hub.wait_line("connection ended")
    away, here = two.person("process"), two.person("fault")
    asked = away.ask("POST", "/hub/api/users/process/server", {"user_options": {"profile": "plain"}}, {"Prefer": "respond-async"})
    assert asked.status in (201, 202)
    assert here.start("fault", "ok").status == 201
    assert hub_rig.record(away)["cygnet"]["state"] == "queued"
    two.spawners["process"] = two.start_spawner("process")
    wait_until(lambda: hub_rig.record(away)["cygnet"]["state"] == "running", "the start went on")
    people = {"process": away, "fault": here}
    assert both_answer(people)
    end(two, people)


def test_death_of_one_spawners_server_is_told_of_it_alone(two):
    people = both_run(two)
    (record,) = (two.sites["process"].run / "spawner/records").glob("*.record")
    os.kill(int(record.read_text().split("\ninit ")[1].split("\n")[0]), signal.SIGKILL)
    wait_until(lambda: hub_rig.record(people["process"]) is None, "the end is known")
    assert people["fault"].get("/user/fault/api").status == 200
    assert people["fault"].delete("/hub/api/users/fault/server").status == 204
    assert two.leftovers() == []


def test_template_that_no_spawner_has_is_refused(two):
    person = two.person("alice")
    assert person.start("alice", "nobody").status == 500
    assert "No spawner" in hub_rig.last_end(person)["message"]


def metrics(two):
    """As root, or the hub's user, asks it."""
    told = subprocess.run([places.BIN / "cygnetctl", "metrics", "--run-dir", two.run], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return parse(told.stdout)


def test_the_hub_shows_what_each_spawner_counted(two):
    fault, process = "0", "1"  # by their place in the option
    people = both_run(two)
    found = metrics(two)
    for spawner in (fault, process):
        assert found["cygnet_spawner_up", spawner] == found["cygnet_spawner_starts_total", spawner] == 1
        assert sum(value for key, value in found.items() if key[:2] == ("cygnet_spawner_servers", spawner)) == 1
        assert all(value == 0 for key, value in found.items()
                   if key[:2] == ("cygnet_spawner_start_failures_total", spawner))
    for stage in ("folders", "home", "container"):
        assert found["cygnet_spawner_start_stages_total", process, stage, "success"] == 1
        assert found["cygnet_spawner_start_stages_total", process, stage, "failure"] == 0
        assert 0 <= found["cygnet_spawner_start_stage_seconds_total", process, stage] < places.CEILING
    assert ("cygnet_spawner_up", "2") not in found
    end(two, people)
    found = metrics(two)
    assert all(value == 0 for key, value in found.items() if key[0] == "cygnet_spawner_servers")


def test_a_spawner_that_is_away_is_shown_as_down_and_counts_anew_when_it_is_back(two):
    people = both_run(two)
    two.spawners["process"].kill(signal.SIGKILL)
    wait_until(lambda: metrics(two)["cygnet_spawner_up", "1"] == 0, "the spawner is shown as down")
    found = metrics(two)
    assert found["cygnet_spawner_up", "0"] == 1
    assert not [key for key in found if key[0] != "cygnet_spawner_up" and key[0].startswith("cygnet_spawner_")
                and key[1] == "1"]
    two.start_spawner("process")
    two.wait_known()
    found = metrics(two)
    assert found["cygnet_spawner_up", "1"] == 1 and found["cygnet_spawner_starts_total", "1"] == 0
    assert found["cygnet_spawner_servers", "1", "running"] == 1
    end(two, people)
