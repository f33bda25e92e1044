"""The hub alone, between a spawner and a proxy of the tests: sign-in, starts and stops, failures, restarts."""

import concurrent.futures
import datetime
import hashlib
import re
import subprocess
import threading

import pytest
import yaml

from lib import hub_rig, places
from lib.daemon import wait_until
from lib.hub_rig import last_end, make_site, record, site, wait_state  # noqa: F401  two are fixtures

SERVER = "/hub/api/users/alice/server"


def prefixes(table):
    return {route["prefix"] for route in table["routes"]}


# ---- sign-in --------------------------------------------------------------------------------------
def test_the_right_password_makes_a_session_that_the_proxy_knows_before_the_answer(site):
    browser = site.browser()
    answer = browser.sign_in("alice", site.PASSWORD, next="/hub/spawn")
    assert (answer.status, answer.json) == (200, {"next": "/hub/spawn"})
    cookie = answer.headers["Set-Cookie"]
    assert "; Secure" in cookie and "; HttpOnly" in cookie and "; SameSite=Lax" in cookie and "; Path=/" in cookie
    sums = {c["sha256"] for c in site.proxy.tables[-1]["credentials"]}
    assert hashlib.sha256(browser.cookie.encode()).hexdigest() in sums
    user = browser.get("/hub/api/user").json
    assert (user["name"], user["kind"], user["servers"], user["cygnet"]) == ("alice", "user", {}, {"last_end": None})


def test_a_wrong_password_gets_nothing(site):
    browser = site.browser()
    answer = browser.sign_in("alice", "wrong")
    assert (answer.status, answer.json["message"]) == (403, "Invalid username or password")
    assert "Set-Cookie" not in answer.headers
    assert browser.get("/hub/api/user").json == {"status": 403, "message": "Missing or invalid credentials."}


@pytest.mark.parametrize("name", ["", "../x", "-x", "a" * 64, "a b", "a/b", "a\0b"])
def test_an_odd_name_gets_nothing_even_with_the_password(site, name):
    assert site.browser().sign_in(name, site.PASSWORD).status in (400, 403)


def test_a_name_that_is_spelt_wrong_is_told_to_who_has_the_password(site):
    refused = site.browser().sign_in("Alice", site.PASSWORD)
    assert refused.status == 400 and "made of lower-case letters" in refused.json["message"]
    assert "Set-Cookie" not in refused.headers
    assert site.browser().sign_in("Alice", "wrong").json["message"] == "Invalid username or password"


def test_a_system_accounts_name_makes_no_account(site):
    for name in ("root", "nobody", "daemon", "www-data"):
        answer = site.browser().sign_in(name, site.PASSWORD)
        assert answer.status == 403 and "system account" in answer.json["message"], (name, answer)
        assert "Set-Cookie" not in answer.headers
    assert site.browser().sign_in("roots", site.PASSWORD).status == 200


def test_a_site_reserves_more_names_and_whoever_has_one_keeps_it(make_site):
    site = make_site()
    assert site.browser("www").get("/hub/api/user").json["name"] == "www"
    site.hub.stop()
    site.options += ["--reserved-names", "www, admin"]
    site.hub = site.start()
    assert site.browser("www").get("/hub/api/user").json["name"] == "www"
    assert site.browser().sign_in("admin", site.PASSWORD).status == 403


def test_a_reserved_name_that_is_none_keeps_the_hub_from_starting(make_site, daemons):
    site = make_site()
    site.hub.stop()
    hub = daemons.start([*site.argv(), "--reserved-names", "admin,Big Boss"])
    hub.wait_line("reserved-names: ")
    assert hub.wait_exit() == 1


def test_too_many_failures_of_one_name_are_told_to_wait(site):
    browser = site.browser()
    answers = [browser.sign_in("alice", "wrong").status for _ in range(11)]
    assert answers == [403] * 10 + [429]
    refused = browser.sign_in("alice", site.PASSWORD)
    assert refused.status == 429 and int(refused.headers["Retry-After"]) > 0
    assert browser.sign_in("bob", site.PASSWORD).status == 200


def test_a_form_of_another_site_is_refused(site):
    browser = site.browser()
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                    {"Sec-Fetch-Site": "same-site"}):
        form = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        body = f"username=alice&password={site.PASSWORD.replace(' ', '+')}"
        assert browser.ask("POST", "/hub/login", body, form).status == 403, headers
    alice = site.browser("alice")
    assert alice.ask("POST", SERVER, {}, {"Origin": "http://evil.example"}).status == 403
    assert alice.ask("POST", SERVER, "{}", {"Content-Type": "text/plain"}).status == 403
    assert alice.ask("POST", "/hub/logout", headers={"Origin": "http://127.0.0.1:8000"}).status == 200


def test_an_origin_is_compared_as_at_the_edge(site):
    alice = site.browser("alice")
    ours, forwarded = "127.0.0.1:8000", {"X-Forwarded-Proto": "http"}
    for origin, status in ((f"HTTP://{ours}", 400), (f"https://{ours}", 403), ("http://127.0.0.1", 403)):
        assert alice.ask("POST", SERVER, [], {"Origin": origin, **forwarded}).status == status, origin


def test_a_token_of_nobody_leaves_the_word_to_the_cookie(site):
    alice, strange = site.browser("alice"), {"Authorization": "token " + "d" * 64}
    assert alice.ask("GET", "/hub/api/user", headers=strange).status == 200
    assert site.browser().ask("GET", "/hub/api/user", headers=strange).status == 403
    assert alice.ask("POST", SERVER, [], {"Origin": "http://evil.example", **strange}).status == 403


def test_sign_out_removes_the_session_everywhere(site):
    browser = site.browser("alice")
    answer = browser.post("/hub/logout")
    assert answer.json == {"next": "/hub/login"} and "Max-Age=0" in answer.headers["Set-Cookie"]
    assert site.proxy.users() == set()
    assert browser.get("/hub/api/user").status == 403


def test_next_never_leaves_this_origin(site):
    for evil in ("//evil.example", "/\\evil.example", "https://evil.example", "/x\nSet-Cookie: a=b", ""):
        assert site.browser().sign_in("alice", site.PASSWORD, next=evil).json == {"next": "/hub/home"}


def test_the_development_sign_in_does_not_exist_off_loopback(tmp_path, make_site, daemons):
    site = make_site()
    site.hub.stop()
    hub = daemons.start([*site.argv(), "--public-url", "https://hub.example.org/"])
    hub.wait_line("development exists on loopback only")
    assert hub.wait_exit() == 1


# ---- starting and stopping ------------------------------------------------------------------------
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


# ---- failures -------------------------------------------------------------------------------------
def test_a_refused_spawn_fails_the_start_with_the_spawners_words(site):
    site.spawner.on_spawn = lambda spawner, spec: spawner.reply(
        spec["request"], hub_rig.EDENIED, "The template allows at most 2 cores.")
    alice = site.browser("alice")
    answer = alice.post(SERVER, {})
    assert (answer.status, answer.json["message"]) == (500, "The template allows at most 2 cores.")
    assert record(alice) is None
    end = last_end(alice)
    assert (end["cause"], end["message"]) == ("start_failed", "The template allows at most 2 cores.")
    with alice.stream(f"{SERVER}/progress") as events:
        assert list(events)[-1] == {"progress": 100, "failed": True, "message": "The template allows at most 2 cores."}
    assert alice.post("/hub/api/cygnet/last-end/dismiss").status == 204
    assert last_end(alice) is None


def test_a_failing_setup_script_shows_its_stage_and_its_last_lines(site):
    def fail(spawner, spec):
        spawner.listen_only(spec)
        spawner.reply(spec["request"])
        spawner.stage(spec, "setup", 0)
        spawner.stage(spec, "setup", 2, 40)
        spawner.tail(spec, "source: not found\nsetup.sh: line 3\n")
        spawner.gone(spec, hub_rig.SETUP, 70, "The setup script of 2026a failed with status 1.")

    site.spawner.on_spawn = fail
    alice = site.browser("alice")
    answer = alice.post(SERVER, {})
    assert (answer.status, answer.json["message"]) == (500, "The setup script of 2026a failed with status 1.")
    end = last_end(alice)
    assert end["cause"] == "start_failed" and end["lines"][:2] == ["source: not found", "setup.sh: line 3"]
    with alice.stream(f"{SERVER}/progress") as events:
        told = [e for e in events if "cygnet" in e]
    assert not [e for e in told if e["cygnet"]["state"] == "running"]
    failed = [e for e in told if e["cygnet"]["state"] == "failed"]
    assert [(e["cygnet"]["stage"], e["cygnet"]["ms"]) for e in failed] == [("setup", 40)]
    assert failed[0]["cygnet"]["lines"][:2] == ["source: not found", "setup.sh: line 3"]


def test_the_last_lines_of_a_script_are_kept_whatever_they_hold(site):
    def fail(spawner, spec):
        spawner.listen_only(spec)
        spawner.reply(spec["request"])
        # The tail begins inside a character, has a byte of another encoding, and more lines than are shown.
        text = b"\xa9 cut\n" + b"".join(b"step %d\n" % n for n in range(700)) + b"caf\xe9 not found\n"
        spawner.tail(spec, text[:8192])
        spawner.gone(spec, hub_rig.SETUP, 70, "Your script failed with status 1.")

    site.spawner.on_spawn = fail
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 500
    lines = last_end(alice)["lines"]
    assert len(lines) == 200 and lines[-2:] == ["step 699", "caf? not found"]
    site.spawner.on_spawn = lambda spawner, spec: (
        spawner.tail(spec, b"\xa9 cut\nlast"), spawner.reply(spec["request"], hub_rig.EDENIED, "no"))
    assert alice.post(SERVER, {}).status == 500
    assert last_end(alice)["lines"] == ["? cut", "last"]


def test_gone_cuts_the_wait_for_the_first_answer_short(site):
    def die(spawner, spec):
        spawner.listen_only(spec)
        spawner.reply(spec["request"])
        spawner.gone(spec, hub_rig.MEMORY, 9, "The memory limit was reached.", 4 << 30, 4 << 30)

    site.spawner.on_spawn = die
    alice = site.browser("alice")
    answer = alice.post(SERVER, {})
    assert (answer.status, answer.json["message"]) == (500, "Out of memory: 4.0 of 4.0 GB were used.")
    assert last_end(alice)["cause"] == "oom"
    assert site.proxy.prefixes() == {"/", "/user/"}


def test_a_server_that_never_answers_is_cleaned_up_at_its_profiles_time(make_site):
    site = make_site()
    site.hub.stop()
    site.profiles.write_text(site.profiles.read_text().replace("start-timeout-s: 60", "start-timeout-s: 1"))
    site.hub = site.start()
    site.spawner.on_spawn = lambda spawner, spec: (spawner.listen_only(spec), spawner.reply(spec["request"]))
    alice = site.browser("alice")
    answer = alice.post(SERVER, {})
    assert answer.status == 500 and "did not answer in the time" in answer.json["message"]
    assert not site.spawner.servers
    site.spawner.wait(hub_rig.STOP)


def test_a_spawner_that_never_replies_is_asked_to_stop_at_its_profiles_time(make_site):
    site = make_site()
    site.hub.stop()
    site.profiles.write_text(site.profiles.read_text().replace("start-timeout-s: 60", "start-timeout-s: 1"))
    site.hub = site.start()
    site.spawner.on_spawn = lambda spawner, spec: None
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 500
    wait_state(alice, "stopped")


def test_a_start_can_be_cancelled(site):
    asked = threading.Event()
    site.spawner.on_spawn = lambda spawner, spec: (
        spawner.listen_only(spec), spawner.reply(spec["request"]), asked.set())
    alice = site.browser("alice")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(alice.post, SERVER, {})
        assert asked.wait(60)
        wait_state(alice, "waiting")
        assert alice.delete(SERVER).status == 204
        answer = start.result()
    assert (answer.status, answer.json["message"]) == (500, "The start was cancelled.")
    assert last_end(alice) is None and record(alice) is None


def test_a_death_of_a_running_server_is_told_and_its_route_goes(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    spec = next(iter(site.spawner.servers.values()))
    site.spawner.gone(spec, hub_rig.SIGNALLED, 9, "The server was killed by signal 9.")
    wait_state(alice, "stopped")
    end = last_end(alice)
    assert (end["server"], end["cause"], end["message"]) == ("", "signal", "The server was killed by signal 9.")
    site.proxy.wait(lambda t: prefixes(t) == {"/", "/user/"})
    assert alice.post(SERVER, {}).status == 201
    assert last_end(alice) is None


def test_a_stop_does_not_hide_how_the_server_ended(make_site):
    site = make_site("--slow-stop", "50ms")
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    site.proxy.refuse = True
    site.spawner.gone(next(iter(site.spawner.servers.values())), hub_rig.SIGNALLED, 9, "The server was killed by signal 9.")
    wait_state(alice, "stopping")
    assert alice.delete(SERVER).status == 202
    site.proxy.refuse = False
    wait_state(alice, "stopped")
    assert last_end(alice)["cause"] == "signal"


# ---- the form -------------------------------------------------------------------------------------
@pytest.mark.parametrize("field, value", [
    ("profile", "no-such"), ("profile", 1), ("profile", "course"), ("stack", "no-such"), ("stack", "2025b"),
    ("cores", 3), ("cores", "2"), ("cores", -1), ("cores", 1e9), ("memory_mb", 1), ("memory_mb", None),
    ("cluster", "no-such"), ("cluster", ["own"]), ("user_script", "../x"), ("user_script", "/etc/passwd"),
    ("user_script", "a\nb"), ("user_script", True), ("home_packages", "yes")])
def test_each_wrong_answer_is_named(site, field, value):
    alice = site.browser("alice")
    answer = alice.post(SERVER, {"user_options": {field: value}})
    assert answer.status in (400, 403) and answer.json["cygnet"] == {"field": field}, answer
    assert record(alice) is None and not site.spawner.specs


@pytest.mark.parametrize("body", ["{", "[]", '"x"', '{"user_options": []}', '{"user_options": {"mounts": "/"}}',
                                  '{"template": "root"}', '{"user_options": {}, "user_options": {}}'])
def test_a_body_that_is_no_form_is_refused(site, body):
    alice = site.browser("alice")
    answer = alice.ask("POST", SERVER, body, {"Content-Type": "application/json"})
    assert answer.status == 400 and answer.json["message"] and not site.spawner.specs


def test_the_form_remembers_the_last_choice_and_a_bare_start_uses_it(site):
    alice = site.browser("alice")
    form = alice.get("/hub/api/cygnet/form").json
    assert form["last"] is None and form["last_line"] is None
    standard, course = form["profiles"]
    assert standard["default"] and standard["available"]
    assert [s["available"] for s in standard["stacks"]] == [True, False]
    assert standard["stacks"][1]["reason"] == "Needs the group physics or astro."
    assert [a["value"] for a in standard["memory_mb"] if a["default"]] == [2048]
    assert not course["available"] and course["reason"] == "Needs the group teachers."
    options = {"profile": "standard", "stack": "2026a", "cores": 1, "memory_mb": 1024, "cluster": None,
               "user_script": False, "home_packages": False}
    assert alice.post(SERVER, {"user_options": options}).status == 201
    assert alice.delete(SERVER).status == 204
    form = alice.get("/hub/api/cygnet/form").json
    assert form["last"] == options and form["last_line"] == "2026a · Python 3, R · 1 core · 1 GB"
    assert alice.post(SERVER).status == 201
    assert record(alice)["user_options"] == options


def test_the_form_marks_the_cluster_that_a_profile_names_as_usual(make_site):
    site = make_site()
    usual = lambda: [c["default"] for p in site.browser("alice").get("/hub/api/cygnet/form").json["profiles"]
                     for c in p["clusters"]]
    assert usual() == [False]
    site.hub.stop()
    site.profiles.write_text(site.profiles.read_text().replace("# cluster-default: own", "cluster-default: own"))
    site.hub = site.start()
    assert usual() == [True]
# ---- who may --------------------------------------------------------------------------------------
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


# ---- pages ----------------------------------------------------------------------------------------
def test_pages_and_the_ways_between_them(site):
    nobody, alice = site.browser(), site.browser("alice")
    page = nobody.page("/hub/login")
    assert page.status == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    again = nobody.ask("GET", "/hub/login", headers={"If-None-Match": page.headers["ETag"], "Accept": "text/html"})
    assert again.status == 304 and again.data == b""
    assert nobody.page("/").headers["Location"] == "/hub/"
    assert nobody.page("/hub/home").headers["Location"] == "/hub/login?next=/hub/home"
    assert nobody.page("/user/alice/lab?x=1").headers["Location"] == "/hub/login?next=/user/alice/lab%3Fx%3D1"
    assert alice.page("/hub/login?next=/hub/spawn").headers["Location"] == "/hub/spawn"
    assert alice.page("/hub/login?next=//evil.example").headers["Location"] == "/hub/home"
    assert "home" in alice.page("/hub/").text and "home" in alice.page("/hub/spawn").text
    assert "starting" in alice.page("/hub/spawn-pending/alice").text
    shared = "/hub/user-redirect/lab/tree/my%20plots/%C3%A9.ipynb?factory=Editor&x=%26"
    assert alice.page(shared).headers["Location"] == shared.replace("/hub/user-redirect/", "/user/alice/")
    assert nobody.page("/hub/user-redirect/lab").headers["Location"] == "/hub/login?next=/hub/user-redirect/lab"
    # What JupyterLab's "Log Out" asks for: a page, and nobody is signed out by looking at it.
    assert alice.page("/hub/logout").status == 200 and "home" in alice.page("/hub/logout").text
    assert alice.get("/hub/api/user").status == 200
    assert nobody.page("/hub/logout").headers["Location"] == "/hub/login"
    assert alice.page("/hub/nothing").status == 404 and "error-404" in alice.page("/hub/nothing").text
    assert "error-424" in nobody.page("/hub/error/424?url=/user/x/").text
    static = nobody.get("/hub/static/api.mjs")
    assert static.status == 200 and static.headers["Content-Type"] == "text/javascript; charset=utf-8"
    for name in ("..%2fhome.html", "%2e%2e/home.html", "nothing.css", "../home.html"):
        assert nobody.get(f"/hub/static/{name}").status in (400, 404)
    assert nobody.get("/hub/api/").json == {"version": "6.1.1"}
    assert nobody.get("/hub/api/").headers["X-JupyterHub-Version"] == "6.1.1"
    assert nobody.get("/hub/api/nothing").json == {"status": 404, "message": "Not Found"}
    assert nobody.get("/hub/health").status == 200 and nobody.get("/hub/health?wait=1").status == 200
    assert alice.ask("PATCH", "/hub/api/user").status == 405
    assert alice.get("/hub/api/info").status == 403


def test_the_address_of_a_server_that_does_not_run(site):
    alice = site.browser("alice")
    page = alice.page("/user/alice/lab/tree/a.ipynb")
    assert page.status == 424 and "error-424" in page.text
    for answer in (alice.page("/user/alice/api/kernels"), alice.get("/user/alice/x"), alice.post("/user/alice/x", {})):
        assert answer.status == 424 and "is not running" in answer.json["message"]
    go = threading.Event()
    site.spawner.on_spawn = lambda spawner, spec: threading.Thread(
        target=lambda: (go.wait(), spawner.start_well(spec))).start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(alice.post, SERVER, {})
        wait_until(lambda: record(alice), "the start is known")
        answer = alice.page("/user/alice/lab")
        assert (answer.status, answer.headers["Location"]) == (303, "/hub/spawn-pending/alice?next=/user/alice/lab")
        go.set()
        assert start.result().status == 201


def test_site_and_stat(site):
    alice = site.browser("alice")
    told = alice.get("/hub/api/cygnet/site").json
    assert told["name"] == "Cygnet" and told["development"] is True and told["isolation"] == "process"
    assert told["providers"] == [{"id": "development", "label": "a name", "kind": "password", "url": None,
                                  "down_since": None, "message": None}]
    assert alice.get("/hub/api/cygnet/servers/alice/stat").status == 404
    assert alice.post(SERVER, {}).status == 201
    site.spawner.kernels = [{"id": "k1", "name": "python3", "execution_state": "busy"},
                            {"id": "k2", "name": "ir", "execution_state": "odd"}, {"id": 7}]
    stat = alice.get("/hub/api/cygnet/servers/alice/stat").json
    assert stat["memory"] == {"used": 100 << 20, "limit": 2 << 30} and stat["cpu"]["cores"] == 2
    assert stat["kernels"] == [{"id": "k1", "name": "python3", "path": "python3.ipynb", "state": "busy"},
                               {"id": "k2", "name": "ir", "path": "ir.ipynb", "state": "unknown"}]


# ---- code, samples and documents ------------------------------------------------------------------
def test_every_endpoint_is_in_the_openapi_file_and_the_other_way_round():
    # What the file describes and a sign-in brings: the way back from the identity provider.
    ahead = {("get", "/hub/oauth_callback")}
    # Second spellings, and the address of servers, which no row but the proxy's lack of a route brings here.
    same = {("get", "/"), ("get", "/hub"), ("get", "/hub/api"), ("get", "/hub/api/health")}
    described = {(method, path) for path, item in yaml.safe_load((places.ROOT / "docs/api/openapi.yaml").read_text())[
        "paths"].items() for method in item if method != "parameters"} - {("get", "/user/{user}/{path}")}
    # Each wing that has endpoints has a table of its own.
    tables = [table for path in sorted((places.ROOT / "src/hub").glob("*/*.c"))
              for table in re.findall(r"struct http_endpoint (\w+)\[\] = {(.*?)\n};", path.read_text(), re.S)]
    rows = {(method.lower(), ("" if name == "root_endpoints" else "/hub") + path.replace("...}", "}"))
            for name, table in tables for method, path in re.findall(r'{ HTTP_(\w+), "([^"]*)",', table)}
    assert len(rows) > 30
    assert rows - same - described == set()
    assert described - rows - ahead == set()


def test_the_sample_of_options_names_every_option():
    program = places.BIN / "cygnet-hub"
    listed = subprocess.run([program, "--help-options"], capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"^#?([a-z][a-z-]+): ?", listed, re.M))
    sample = set(re.findall(r"^(?:# )?([a-z][a-z-]+): ", (places.ROOT / "config/hub.yaml").read_text(), re.M))
    assert options and options == sample


# ---- the end --------------------------------------------------------------------------------------
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
