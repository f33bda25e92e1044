"""What a deed costs: how many transactions, each of which waits for the disk once."""

import concurrent.futures
import contextlib
import re
import sqlite3

import pytest

from lib import hub_rig
from lib.daemon import wait_until
from lib.hub_client import Browser
from lib.hub_rig import last_end, make_site, record, site, wait_state  # noqa: F401  two are fixtures

SERVER = "/hub/api/users/alice/server"
SPAWNERS, INITS = ("folders", "home", "limits", "container"), ("setup", "agent")


def commits(site):
    text = Browser(site.run / "hub/control.sock").get("/metrics", cookie=False).text
    return int(re.search(r"^cygnet_hub_store_commit_seconds_count (\d+)$", text, re.M)[1])


def costs(site, deed):
    before = commits(site)
    deed()
    return commits(site) - before


def step_by_step(browser):
    """A start whose every stage has reached the hub before the next one comes."""
    def start(spawner, spec):
        with browser.stream(f"{SERVER}/progress") as events:
            def stages(names):
                for name in names:
                    spawner.stage(spec, name)
                    next(own for own in (e.get("cygnet", {}) for e in events)
                         if (own.get("stage"), own.get("state")) == (name, "done"))
            stages(SPAWNERS)
            spawner.listen_only(spec)
            spawner.reply(spec["request"], where=spawner.address(spec))
            stages(INITS)
            spawner.ends.pop(spec["id"])()
            spawner.serve(spec)
    return start


def rows(site, sql):
    with contextlib.closing(sqlite3.connect(f"file:{site.state}/hub.db?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def stage_times(site):
    return rows(site, "SELECT stage, count(*) FROM stage_times GROUP BY stage ORDER BY min(seq)")


@pytest.fixture
def ready(site):
    """Nothing else is written meanwhile."""
    assert site.browser().get("/hub/health?wait=1", cookie=False).status == 200
    return site


def test_a_sign_in_and_a_sign_out_are_one_transaction_each(ready):
    alice = ready.browser()
    assert costs(ready, lambda: alice.sign_in("alice", ready.PASSWORD)) == 1
    assert costs(ready, lambda: alice.post("/hub/logout")) == 1


def test_a_start_is_three_transactions_and_a_stop_two(ready):
    alice = ready.browser("alice")
    ready.spawner.on_spawn = step_by_step(alice)
    assert costs(ready, lambda: alice.post(SERVER, {})) == 3
    assert record(alice)["ready"]
    assert costs(ready, lambda: alice.delete(SERVER)) == 2


def test_the_times_of_a_start_are_written_when_it_runs(ready):
    alice = ready.browser("alice")
    seen = []

    def start(spawner, spec):
        spawner.stage(spec, "container", 1, 50)
        seen.append(stage_times(ready))
        spawner.start_well(spec)

    ready.spawner.on_spawn = start
    assert alice.post(SERVER, {}).status == 201
    assert seen == [[]]
    assert {name for name, _ in stage_times(ready)} == {"queue", "spawn", *SPAWNERS, *INITS, "answer", "route"}
    assert {n for _, n in stage_times(ready)} == {1}
    assert rows(ready, "SELECT ms FROM stage_times WHERE stage = 'container'") == [(50,)]


def test_the_times_of_a_start_that_fails_are_written_with_its_end(ready):
    def fail(spawner, spec):
        spawner.stage(spec, "folders")
        spawner.stage(spec, "home", 2)
        spawner.gone(spec, hub_rig.SETUP, message="no")

    ready.spawner.on_spawn = fail
    alice = ready.browser("alice")
    assert alice.post(SERVER, {}).status == 500
    wait_state(alice, "stopped")
    assert stage_times(ready) == [("queue", 1), ("folders", 1)]
    assert last_end(alice)["cause"] == "start_failed"


def test_a_start_that_outlives_the_hub_keeps_the_times_that_are_known_whole(ready):
    specs = []

    def begin(spawner, spec):
        for name in SPAWNERS:
            spawner.stage(spec, name)
        spawner.listen_only(spec)
        spawner.reply(spec["request"], where=spawner.address(spec))
        specs.append(spec)

    ready.spawner.on_spawn = begin
    alice = ready.browser("alice")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(lambda: pytest.raises(OSError, alice.post, SERVER, {}))
        wait_until(lambda: rows(ready, "SELECT state FROM servers") == [("waiting",)], "its container is there")
        ready.kill_hub()
        asked.result()
    ready.hub = ready.start()
    ready.hub.wait_line("found again")
    wait_state(alice, "waiting")
    spec, = specs
    for name in INITS:
        ready.spawner.stage(spec, name, 1, 7)
    ready.spawner.ends.pop(spec["id"])()
    ready.spawner.serve(spec)
    wait_state(alice, "running")
    # What the hub did not see whole (spawn, answer) is no usual time; what went with the old hub is not known.
    assert stage_times(ready) == [("setup", 1), ("agent", 1), ("route", 1)]
    assert ready.hub.wait_line(r"waiting -> running \(started in \d+ ms\)")
