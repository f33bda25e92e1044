"""A disk that the hub cannot write: what runs goes on, nothing new starts, who asks is told, and all is well by itself
when the disk is back."""

import concurrent.futures
import contextlib
import pathlib
import sqlite3

import pytest

from lib import hub_rig
from lib.bad_disk import FullDisk, Lock, ReadOnly, needs_root
from lib.daemon import wait_until
from lib.hub_rig import last_end, make_site, record, wait_state  # noqa: F401  a fixture
from lib.prometheus import parse

SERVER = "/hub/api/users/{}/server"
ADMIN = {"Authorization": "token " + "f" * 64}

LOCK, FULL, READ_ONLY = Lock, pytest.param(FullDisk, marks=needs_root), pytest.param(ReadOnly, marks=needs_root)


@pytest.fixture(params=[LOCK, FULL, READ_ONLY])
def disk(request, tmp_path):
    disk = request.param()
    disk.prepare(tmp_path / "state")
    yield disk
    disk.close()


@pytest.fixture
def site(disk, make_site):
    return make_site("--stop-grace", "1s", "--activity-interval", "200ms")


def heal(site, disk):
    """The disk is back, and the hub with it."""
    if disk.REMOUNTS:
        site.kill_hub()
        disk.end()
        site.hub = site.start()
    else:
        disk.end()
        site.hub.wait_line("store: can be written again")
        wait_until(lambda: site.browser().get("/hub/health").text == "", "its health is good")


def commits(site):
    """How many turns are on disk, and how many could not be put there."""
    found = parse(site.browser().get("/hub/metrics", headers=ADMIN).text)
    return found["cygnet_hub_store_commit_seconds_count",], found["cygnet_hub_store_commit_failures_total",]


def spec_of(site, user):
    return next(s for s in site.spawner.servers.values() if s["user"] == user)


def refused(answer):
    assert (answer.status, int(answer.headers["Retry-After"]) > 0) == (503, True), answer
    assert "cannot write to its disk" in answer.json["message"] and "try again" in answer.json["message"]


def rows(site, sql):
    with contextlib.closing(sqlite3.connect(f"file:{site.state}/hub.db?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def test_the_hub_goes_on_without_its_disk_and_is_whole_again_after_it(site, disk):
    alice, bob, dave, eve = (site.browser(name) for name in ("alice", "bob", "dave", "eve"))
    assert alice.post(SERVER.format("alice"), {}).status == eve.post(SERVER.format("eve"), {}).status == 201
    saved, failed = commits(site)
    assert saved > 0 == failed
    disk.begin()

    refused(bob.post(SERVER.format("bob"), {}))
    assert record(bob) is None and not [s for s in site.spawner.specs.values() if s["user"] == "bob"]
    carol = site.browser()
    refused(carol.sign_in("carol", site.PASSWORD))
    refused(dave.post("/hub/logout"))
    refused(dave.post("/hub/api/users/dave/tokens", {}))
    assert dave.get("/hub/api/users/dave/tokens").json == {"api_tokens": []}
    assert dave.get("/hub/api/user").status == 200
    refused(site.browser().ask("POST", "/hub/api/users/frank", {}, ADMIN))
    refused(site.browser().ask("DELETE", "/hub/api/users/dave", None, ADMIN))
    refused(site.browser().ask("PATCH", "/hub/api/users/dave", {"name": "david"}, ADMIN))
    assert dave.get("/hub/api/user").json["name"] == "dave"
    health = site.browser().get("/hub/health")
    assert (health.status, "cannot be written" in health.text) == (200, True)
    failed = commits(site)[1]
    assert failed >= 7, "each of those that were refused is counted"

    # What happens outside has happened, whatever the disk says.
    assert alice.delete(SERVER.format("alice")).status == 204
    assert record(alice) is None and not [s for s in site.spawner.servers.values() if s["user"] == "alice"]
    site.spawner.gone(spec_of(site, "eve"), hub_rig.MEMORY, peak=2 << 30, limit=2 << 30)
    wait_state(eve, "stopped")
    table = site.proxy.wait(lambda t: not {r["prefix"] for r in t["routes"]} & {"/user/alice/", "/user/eve/"})
    assert {c["user"] for c in table["credentials"]} == {"alice", "bob", "dave", "eve"}
    assert site.hub.log.count("nothing can be saved") == 1

    heal(site, disk)
    healed = commits(site)
    assert bob.post(SERVER.format("bob"), {}).status == 201
    assert carol.sign_in("carol", site.PASSWORD).status == 200
    assert dave.post("/hub/api/users/dave/tokens", {}).status == 201
    assert site.browser().ask("POST", "/hub/api/users/frank", {}, ADMIN).status == 201
    assert site.browser().ask("DELETE", "/hub/api/users/frank", None, ADMIN).status == 204
    assert dave.post("/hub/logout").status == 200 and dave.get("/hub/api/user").status == 403
    assert alice.post(SERVER.format("alice"), {}).status == 201
    after = commits(site)
    assert after[0] > healed[0] and after[1] == healed[1] and (healed[1] >= failed or disk.REMOUNTS)
    wait_until(lambda: last_end(eve) is not None, "it is told how eve's server ended")
    assert last_end(eve)["cause"] == ("unknown" if disk.REMOUNTS else "oom")
    assert site.hub.log.count("nothing can be saved") + site.hub.log.count("can be written again") == 2 * (
        not disk.REMOUNTS)
    site.hub.stop()
    assert rows(site, "SELECT user, state FROM servers ORDER BY user") == [
        ("alice", "running"), ("bob", "running"), ("eve", "stopped")]
    assert rows(site, "SELECT count(*) FROM intents WHERE ended IS NULL") == [(0,)]
    assert rows(site, "SELECT DISTINCT user FROM sessions ORDER BY user") == [("alice",), ("bob",), ("carol",), ("eve",)]
    site.hub = site.start()
    assert record(alice)["ready"] and record(bob)["ready"]


@pytest.mark.parametrize("disk", [LOCK, FULL], indirect=True)
def test_a_start_that_waits_for_a_place_waits_for_the_disk_too(site, disk):
    alice = site.browser("alice")
    site.lose_spawner()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(alice.post, SERVER.format("alice"), {})
        wait_until(lambda: rows(site, "SELECT state FROM servers") == [("queued",)], "the start is on disk")
        disk.begin()
        site.spawner.listen()
        site.hub.wait_line("nothing can be saved")
        wait_state(alice, "queued")
        assert not site.spawner.specs
        heal(site, disk)
        assert start.result().status == 201
    assert len(site.spawner.specs) == 1


def test_a_start_that_is_under_way_is_finished_without_the_disk(site, disk):
    held = []
    site.spawner.on_spawn = lambda spawner, spec: held.append(spec)
    alice = site.browser("alice")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(alice.post, SERVER.format("alice"), {})
        site.spawner.wait(hub_rig.SPAWN)
        disk.begin()
        site.spawner.start_well(held[0])
        assert start.result().status == 201
    assert record(alice)["ready"]
    heal(site, disk)
    wait_until(lambda: record(alice) and record(alice)["ready"], "the server is found again")
    assert alice.delete(SERVER.format("alice")).status == 204
    site.hub.stop()
    assert rows(site, "SELECT state FROM servers") == [("stopped",)]


def test_an_end_without_the_disk_stops_every_server(site, disk):
    alice = site.browser("alice")
    assert alice.post(SERVER.format("alice"), {}).status == 201
    disk.begin()
    token = pathlib.Path(site.token).read_text()
    answer = site.browser().post("/hub/api/shutdown", {"servers": True}, headers={"Authorization": f"token {token}"})
    assert answer.status == 202
    assert site.hub.wait_exit() == 0
    assert not site.spawner.servers
    disk.end()
    site.hub = site.start()
    wait_state(alice, "stopped")
