"""The hub alone: starts that fail, servers that die, and what their users are told."""

import concurrent.futures
import threading

from lib import hub_rig
from lib.hub_rig import (  # noqa: F401  make_site, site: fixtures
    SERVER, last_end, make_site, prefixes, record, site, wait_state,
)


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
