"""The hub alone, between a spawner and a proxy of the tests: starts, stops, who may, the end."""

import concurrent.futures
import datetime
import hashlib
import threading

import pytest

from lib.daemon import wait_until
from lib.hub_rig import (  # noqa: F401  make_site, site: fixtures
    SERVER, last_end, make_site, prefixes, record, site, wait_state,
)


# ---- starting and stopping ----
def test_a_server_starts_runs_and_stops(site):
    alice = site.browser("alice")
    options = {"profile": "standard", "stack": "2026a", "cores": 2, "memory_mb": 4096, "cluster": "own",
               "user_script": "env.sh", "home_packages": True}
    answer = alice.post(SERVER, {"user_options": options})
    assert (answer.status, answer.data) == (201, b"")
    found = record(alice)
    assert found["ready"] and found["pending"] is None and found["url"] == "/user/alice/"
    assert found["user_options"] == options
    assert found["cygnet"]["state"] == "running" and found["cygnet"]["lab_url"] == "/user/alice/lab"
    assert found["cygnet"]["choice"] == ("2026a · Python 3, R · 2 cores · 4 GB · Spark on A cluster of your own"
                                         " · own script · packages of the home")
    spec = next(iter(site.spawner.servers.values()))
    assert (spec["user"], spec["server"], spec["template"], spec["stack"], spec["base_url"]) == (
        "alice", "", "lab", "2026a", "/user/alice/")
    assert (spec["memory"], spec["cpu"], spec["home_packages"], spec["user_script"]) == (4 << 30, 2000, 1, "env.sh")
    route = next(r for r in site.proxy.tables[-1]["routes"] if r["prefix"] == "/user/alice/")
    assert route == {"prefix": "/user/alice/", "target": f"unix:{site.run}/s/{spec['id']}.sock",
                     "auth": "session", "owner": "alice", "name": "", "server": spec["id"]}
    inner = next(c for c in site.proxy.tables[-1]["credentials"] if c.get("server") == spec["id"])
    assert inner["sha256"] == hashlib.sha256(spec["credential"].encode()).hexdigest() and inner["user"] == "alice"
    for body, message in (("{", "Invalid JSON in body of request"), ("[]", "Invalid JSON in body of request"),
                          ('{"remove": true}', "Cannot delete the default server")):
        refused = alice.ask("DELETE", SERVER, body, {"Content-Type": "application/json"})
        assert (refused.status, refused.json["message"]) == (400, message)
    assert alice.delete(SERVER, body={"remove": False}).status == 204
    assert record(alice) is None and not site.spawner.servers and last_end(alice) is None
    site.proxy.wait(lambda t: prefixes(t) == {"/", "/user/"} and not any("server" in c for c in t["credentials"]))
    assert alice.delete(SERVER).status == 204


def test_a_second_start_while_it_starts_is_one_start(site):
    asked = threading.Event()
    go = threading.Event()

    def slow(spawner, spec):
        asked.set()
        threading.Thread(target=lambda: (go.wait(), spawner.start_well(spec))).start()

    site.spawner.on_spawn = slow
    alice = site.browser("alice")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(alice.post, SERVER, {})
        assert asked.wait(60)
        assert alice.post(SERVER, {}).status == 202
        go.set()
        assert first.result().status == 201
    assert len(site.spawner.specs) == 1
    again = alice.post(SERVER, {})
    assert (again.status, again.json["message"]) == (400, "alice is already running")


def test_starts_of_many_people_wait_for_a_place(make_site):
    site = make_site("--start-concurrency", "1")
    gates = {name: threading.Event() for name in ("alice", "bob", "carol")}

    def slow(spawner, spec):
        threading.Thread(target=lambda: (gates[spec["user"]].wait(), spawner.start_well(spec))).start()

    site.spawner.on_spawn = slow
    people = {name: site.browser(name) for name in gates}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        starts = {}
        for name, browser in people.items():
            starts[name] = pool.submit(browser.post, f"/hub/api/users/{name}/server", {})
            wait_until(lambda b=browser: record(b), "the start is known")
        assert record(people["bob"])["cygnet"]["state"] == "queued"
        with people["carol"].stream("/hub/api/users/carol/server/progress") as events:
            first = next(e for e in events if e.get("cygnet", {}).get("stage") == "queue")
            assert first["message"] == "Waiting for a place: 1 before you"
            gates["alice"].set()
            second = next(e for e in events if e.get("cygnet", {}).get("stage") == "queue")
            assert second["message"] == "Waiting for a place: you are next"
            gates["bob"].set()
            gates["carol"].set()
            assert [e for e in events][-1]["ready"]
        assert all(start.result().status == 201 for start in starts.values())


def test_a_slow_start_is_answered_with_202_and_goes_on(make_site):
    site = make_site("--slow-start", "50ms")
    go = threading.Event()
    site.spawner.on_spawn = lambda spawner, spec: threading.Thread(
        target=lambda: (go.wait(), spawner.start_well(spec))).start()
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 202
    assert record(alice)["pending"] == "spawn"
    go.set()
    wait_state(alice, "running")


def test_the_stream_tells_every_stage_and_ends_ready(site):
    go = threading.Event()
    site.spawner.on_spawn = lambda spawner, spec: threading.Thread(
        target=lambda: (go.wait(), spawner.start_well(spec))).start()
    alice = site.browser("alice")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(alice.post, SERVER, {})
        wait_until(lambda: record(alice), "the start is known")
        with alice.stream(f"{SERVER}/progress") as events:
            first = next(events)
            assert first == {"progress": 0, "message": "Server requested"}
            replay = [next(events) for _ in range(10)]
            assert [e["cygnet"]["stage"] for e in replay] == [
                "queue", "spawn", "folders", "home", "limits", "container", "setup", "agent", "answer", "route"]
            go.set()
            rest = list(events)
        assert start.result().status == 201
    states = {}
    for event in replay + rest[:-1]:
        states[event["cygnet"]["stage"]] = event["cygnet"]["state"]
    assert set(states.values()) == {"done"}
    assert rest[-1] == {"progress": 100, "ready": True, "message": "Server ready at /user/alice/", "url": "/user/alice/",
                        "html_message": 'Server ready at <a href="/user/alice/">/user/alice/</a>'}
    numbers = [e["progress"] for e in rest]
    assert all(0 <= n <= 100 for n in numbers)
    with alice.stream(f"{SERVER}/progress") as events:
        assert [e.get("ready") for e in events] == [True]


def test_the_first_answer_is_waited_for_only_when_the_agent_was_started(site):
    specs = []

    def set_up(spawner, spec):
        spawner.listen_only(spec)
        spawner.stage(spec, "container", 1)
        spawner.reply(spec["request"])
        spawner.stage(spec, "setup", 0)
        specs.append(spec)

    site.spawner.on_spawn = set_up
    alice = site.browser("alice")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(alice.post, SERVER, {})
        wait_until(lambda: specs and record(alice)["cygnet"]["state"] == "waiting", "the script runs")
        with alice.stream(f"{SERVER}/progress") as events:
            state = {}

            def read_until(stage, wanted):
                while state.get(stage) != wanted or "route" not in state:
                    own = next(events).get("cygnet", {})
                    state[own.get("stage")] = own.get("state")

            read_until("setup", "running")
            assert [name for name, is_now in state.items() if is_now == "running"] == ["setup"]
            site.spawner.stage(specs[0], "setup", 1)
            site.spawner.stage(specs[0], "agent", 0)
            site.spawner.stage(specs[0], "agent", 1)
            read_until("answer", "running")
            assert [name for name, is_now in state.items() if is_now == "running"] == ["answer"]
            site.spawner.ends.pop(specs[0]["id"])()
            site.spawner.serve(specs[0])
        assert start.result().status == 201


def test_a_start_says_by_an_id_whose_it_is(site):
    alice, bob = site.browser("alice"), site.browser("bob")
    for _ in range(2):
        assert alice.post(SERVER, {}).status == 201
        assert alice.delete(SERVER).status == 204
    assert bob.post("/hub/api/users/bob/server", {}).status == 201
    told = [(spec["user"], spec["user_id"], spec["user_made"], spec["name_before"]) for spec in site.spawner.specs.values()]
    assert told[0] == told[1] and told[0][0] == "alice" and told[2][0] == "bob"
    assert 0 < told[0][1] != told[2][1] > 0 and told[0][2] > 0 and {one[3] for one in told} == {""}


def test_usual_times_come_from_earlier_starts(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    assert alice.delete(SERVER).status == 204
    go = threading.Event()
    site.spawner.on_spawn = lambda spawner, spec: threading.Thread(
        target=lambda: (go.wait(), spawner.start_well(spec))).start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(alice.post, SERVER, {})
        wait_until(lambda: record(alice), "the start is known")
        with alice.stream(f"{SERVER}/progress") as events:
            usual = {e["cygnet"]["stage"]: e["cygnet"]["usual_ms"] for e in events_until(events, 11) if "cygnet" in e}
        go.set()
        assert start.result().status == 201
    assert usual["setup"] == 12 and usual["agent"] == 3


def events_until(events, count):
    return [next(events) for _ in range(count)]


# ---- who may ----
def test_nobody_gets_at_anothers_server(site):
    alice, bob = site.browser("alice"), site.browser("bob")
    assert alice.post(SERVER, {}).status == 201
    for method, target in (("GET", "/hub/api/users/alice"), ("POST", SERVER), ("DELETE", SERVER), ("GET", SERVER),
                           ("GET", f"{SERVER}/progress"), ("GET", "/hub/api/cygnet/servers/alice/stat"),
                           ("POST", "/hub/api/users/alice/activity")):
        answer = bob.ask(method, target, {} if method == "POST" else None)
        assert (answer.status, answer.json["message"]) == (404, "No access to resources or resources not found")
        assert site.browser().ask(method, target, {} if method == "POST" else None).status == 403
    assert record(alice)["ready"]
    assert bob.page("/user/alice/lab").status == 404
    assert bob.page("/hub/spawn-pending/alice").status == 404


def test_a_server_at_the_inner_door_acts_for_itself_alone(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    assert site.browser("bob").post("/hub/api/users/bob/server", {}).status == 201
    ids = {spec["user"]: spec["id"] for spec in site.spawner.servers.values()}
    inner = {"X-Cygnet-Server": ids["alice"], "X-Cygnet-User": "alice"}
    agent = site.browser()
    stamp = {"servers": {"": {"last_activity": "2099-01-01T00:00:00Z"}}}
    path = "/hub/api/users/alice/activity"
    assert agent.ask("POST", path, stamp, inner).json["message"] == "The date is too far in the future"
    soon = "2020-01-01T00:00:00Z"
    assert agent.ask("POST", path, {"servers": {"": {"last_activity": soon}}, "last_activity": soon}, inner).status == 200
    assert agent.ask("POST", path, {}, inner).status == 400
    assert agent.ask("GET", "/hub/api/user", headers=inner).json["name"] == "alice"
    assert agent.ask("POST", "/hub/api/users/bob/activity", stamp, inner).status == 404
    assert agent.ask("DELETE", SERVER, headers=inner).status == 403
    assert agent.ask("GET", "/hub/api/cygnet/form", headers=inner).status == 403
    for wrong in ({"X-Cygnet-Server": ids["bob"], "X-Cygnet-User": "alice"}, {"X-Cygnet-Server": "0" * 16,
                  "X-Cygnet-User": "alice"}, {"X-Cygnet-Server": ids["alice"]}):
        assert agent.ask("GET", "/hub/api/user", headers=wrong).status == 403
        assert alice.ask("GET", "/hub/api/user", headers=wrong).status == 403
    assert alice.delete(SERVER).status == 204
    assert agent.ask("GET", "/hub/api/user", headers=inner).status == 403


def test_activity_of_browsers_moves_the_stamp(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    spec = next(iter(site.spawner.servers.values()))
    path, inner = "/hub/api/users/alice/activity", {"X-Cygnet-Server": spec["id"], "X-Cygnet-User": "alice"}
    before = record(alice)["last_activity"]
    naive = {"last_activity": "2020-01-01T00:00:00.123456"}
    assert site.browser().ask("POST", path, naive, inner).status == 200
    assert site.browser().ask("POST", path, {"last_activity": "2020-01-01"}, inner).json["message"] == "Not a valid date"
    later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)).isoformat()
    assert site.browser().ask("POST", path, {"servers": {"": {"last_activity": later}}}, inner).status == 200
    assert record(alice)["last_activity"] > before


# ---- the end ----
def test_shutdown_stops_every_server_and_the_hub_ends(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    assert alice.post("/hub/api/shutdown", {"servers": True}).status == 403
    admin = {"Authorization": "token " + "f" * 64}
    assert site.browser().ask("POST", "/hub/api/shutdown", {"servers": 1}, admin).status == 400
    answer = site.browser().ask("POST", "/hub/api/shutdown", {"servers": True, "proxy": False}, admin)
    assert (answer.status, answer.json) == (202, {"message": "Shutting down Hub"})
    assert site.hub.wait_exit() == 0
    assert not site.spawner.servers


def test_a_term_leaves_servers_running(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    site.hub.stop()
    assert len(site.spawner.servers) == 1
    site.hub = site.start()
    assert record(alice)["ready"]


@pytest.mark.parametrize("old, new, message", [
    ("stacks: [2026a, 2025b]", "stacks: [2027a]", 'there is no stack "2027a" in this file'),
    ("cores-default: 2", "cores-default: 3", "'cores-default' must be one of cores"),
    ("memory: [1G, 2G, 4G]", "memory: [lots]", "'memory' must be .*a size such as 512M or 4G"),
    ("template: lab", "templat: lab", "templat")])
def test_a_broken_profiles_file_is_named_with_its_line(make_site, daemons, old, new, message):
    site = make_site()
    site.hub.stop()
    text = site.profiles.read_text()
    line = text[:text.index(old)].count("\n") + 1
    site.profiles.write_text(text.replace(old, new, 1))
    hub = daemons.start(site.argv())
    hub.wait_line(rf"profiles.yaml:{line}:\d+: .*{message}")
    assert hub.wait_exit() == 1
