"""What the hub survives: its own death, a spawner or proxy that goes away, users who take more than their share."""

import concurrent.futures
import contextlib
import resource
import socket
import sqlite3
import threading

from lib import hub_rig
from lib.daemon import wait_until
from lib.hub_rig import last_end, make_site, record, site, wait_state  # noqa: F401  two are fixtures

SERVER = "/hub/api/users/alice/server"


# ---- restarts -------------------------------------------------------------------------------------
def test_a_killed_hub_finds_its_servers_and_sessions_again(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    before, table = record(alice), site.proxy.tables[-1]
    site.kill_hub()
    site.hub = site.start()
    site.hub.wait_line("alice/default: .* found again")
    assert record(alice) == before
    newest = site.proxy.wait(lambda t: t["generation"] > table["generation"])
    assert sorted(map(str, newest["routes"])) == sorted(map(str, table["routes"]))
    assert sorted(map(str, newest["credentials"])) == sorted(map(str, table["credentials"]))
    assert alice.delete(SERVER).status == 204


def test_a_hub_killed_in_the_middle_of_a_start_goes_on_with_it(site):
    asked = threading.Event()
    site.spawner.on_spawn = lambda spawner, spec: (spawner.listen_only(spec), asked.set())
    alice = site.browser("alice")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(alice.post, SERVER, {})
        assert asked.wait(60)
        site.kill_hub()
        assert start.exception() is not None
    spec = next(iter(site.spawner.servers.values()))
    site.spawner.ends.pop(spec["id"])()
    site.spawner.serve(spec)
    site.hub = site.start()
    wait_state(alice, "running")
    assert len(site.spawner.specs) == 1


def test_a_hub_killed_before_its_request_arrived_fails_that_start(site):
    asked = threading.Event()
    site.spawner.on_spawn = lambda spawner, spec: asked.set()
    alice = site.browser("alice")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(alice.post, SERVER, {})
        assert asked.wait(60)
        site.kill_hub()
        assert start.exception() is not None
    site.hub = site.start()
    wait_state(alice, "stopped")
    end = last_end(alice)
    assert end["cause"] == "start_failed" and "interrupted by a restart" in end["message"]
    site.hub.stop()
    with sqlite3.connect(f"file:{site.state}/hub.db?mode=ro", uri=True) as db:
        assert db.execute("SELECT count(*) FROM intents WHERE ended IS NULL").fetchone() == (0,)


def test_what_ended_while_the_hub_was_away_is_told_as_unknown(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    site.kill_hub()
    site.spawner.gone(next(iter(site.spawner.servers.values())), hub_rig.EXITED)
    site.hub = site.start()
    wait_state(alice, "stopped")
    assert last_end(alice)["cause"] == "unknown"


def test_a_server_in_no_record_is_stopped(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    site.kill_hub()
    stranger = dict(next(iter(site.spawner.servers.values())), id="feedfacefeedface", user="mallory")
    site.spawner.servers[stranger["id"]] = stranger
    site.hub = site.start()
    site.spawner.wait(hub_rig.STOP, stranger["id"])
    wait_until(lambda: stranger["id"] not in site.spawner.servers, "the stranger is gone")
    assert record(alice)["ready"]


def test_a_spawner_that_comes_back_finds_its_servers_running(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    since = site.lose_spawner()
    assert record(alice)["ready"]
    site.spawner.listen()
    site.hub.wait_line("found again", since)
    assert record(alice)["ready"]
    assert alice.delete(SERVER).status == 204


def test_a_start_waits_for_a_spawner_that_is_away(site):
    alice = site.browser("alice")
    site.lose_spawner()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(alice.post, SERVER, {})
        wait_state(alice, "queued")
        site.spawner.listen()
        assert start.result().status == 201


def test_a_spawner_that_tells_no_list_is_asked_again(site):
    alice = site.browser("alice")
    site.lose_spawner()
    site.spawner.lists_to_refuse = 2
    site.spawner.listen()
    assert alice.post(SERVER, {}).status == 201
    assert site.spawner.lists_to_refuse == 0


def test_a_connection_that_breaks_fails_no_start_that_only_waits(make_site):
    site = make_site("--start-concurrency", "1")
    site.spawner.on_spawn = lambda spawner, spec: None
    people = {name: site.browser(name) for name in ("alice", "bob", "carol", "dave")}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        starts = {}
        for name, browser in people.items():
            starts[name] = pool.submit(browser.post, f"/hub/api/users/{name}/server", {})
            wait_until(lambda b=browser: record(b), "the start is known")
        alice = site.spawner.specs[site.spawner.wait(hub_rig.SPAWN)]
        # Half a connection: what the spawner says still comes, what the hub sends does not arrive.
        held = site.spawner.conn.dup()
        held.shutdown(socket.SHUT_RD)
        site.spawner.conn = held
        site.spawner.on_spawn = type(site.spawner).start_well
        site.spawner.reply(alice["request"], hub_rig.EDENIED, "No.")
        assert starts["bob"].result().json["message"].startswith("The spawner cannot be reached.")
        assert [starts[name].result().status for name in ("alice", "carol", "dave")] == [500, 201, 201]
        held.close()


def test_an_answer_to_an_old_stop_ends_no_later_server(site):
    old = []
    alice, bob = site.browser("alice"), site.browser("bob")
    assert alice.post(SERVER, {}).status == 201
    site.spawner.on_stop = lambda spawner, request, server_id, _grace: (
        old.append(request), spawner.gone(spawner.servers[server_id], hub_rig.STOPPED))
    assert alice.delete(SERVER).status == 204
    assert alice.post(SERVER, {}).status == 201
    asked = threading.Event()
    site.spawner.on_stop = lambda *_: asked.set()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        stop = pool.submit(alice.delete, SERVER)
        assert asked.wait(60)
        site.spawner.reply(old[0], hub_rig.ENOENT, "no such server")
        # It was read when this one's start, which is told behind it, has come to its end.
        assert bob.post("/hub/api/users/bob/server", {}).status == 201
        assert record(alice)["cygnet"]["state"] == "stopping"
        site.spawner.on_stop = type(site.spawner).stop_well
        site.spawner.gone(next(s for s in site.spawner.servers.values() if s["user"] == "alice"), hub_rig.STOPPED)
        assert stop.result().status == 204


def test_a_stop_that_the_spawner_missed_is_done_when_it_is_back(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    site.lose_spawner()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        stop = pool.submit(alice.delete, SERVER)
        wait_state(alice, "stopping")
        site.spawner.listen()
        assert stop.result().status == 204
    assert not site.spawner.servers


def test_a_proxy_that_was_started_again_gets_the_table(site):
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    count = len(site.proxy.tables)
    site.proxy.restart()
    table = site.proxy.wait(lambda t: len(site.proxy.tables) > count)
    assert "/user/alice/" in {r["prefix"] for r in table["routes"]}


def test_a_start_and_a_stop_are_told_as_small_changes(site):
    for name in ("bob", "carol", "dave"):
        site.browser(name)
    alice, first = site.browser("alice"), len(site.proxy.told)
    assert alice.post(SERVER, {}).status == 201
    assert alice.delete(SERVER).status == 204
    site.proxy.wait(lambda t: len(t["credentials"]) == 4)
    told = site.proxy.told[first:]
    assert {method for method, _ in told} == {"PATCH"}
    rows = [(kind, what, len(change[kind][what])) for _, change in told for kind in ("set", "drop")
            for what in ("routes", "credentials") if change[kind][what]]
    assert rows == [("set", "credentials", 1), ("set", "routes", 1), ("drop", "routes", 1), ("drop", "credentials", 1)]


def test_a_proxy_that_cannot_build_on_what_it_has_gets_the_whole_table(site):
    alice = site.browser("alice")
    site.proxy.generation -= 1  # as one would tell that was started again, and read a static table
    assert alice.post(SERVER, {}).status == 201
    methods = [method for method, _ in site.proxy.told]
    assert "PUT" in methods[1:]
    assert "/user/alice/" in site.proxy.prefixes() and site.proxy.users() == {"alice"}
    assert alice.delete(SERVER).status == 204


def test_a_container_is_asked_for_once_the_proxies_know_its_credential(site):
    """A second proxy that is slow: nothing is asked of the spawner before it has the credential in force, and a
    sign-in, whose change is later, does not hold the start up any longer."""
    second = hub_rig.FakeProxy(site.run, "1")
    try:
        second.wait(lambda t: True)
        site.hub.wait_line("1 has the table")
        alice = site.browser("alice")
        second.held = True
        with concurrent.futures.ThreadPoolExecutor() as pool:
            start = pool.submit(alice.post, SERVER, {})
            site.proxy.wait(lambda t: any("server" in c for c in t["credentials"]))
            assert alice.get("/hub/api/user").status == 200  # the hub goes on meanwhile
            assert not site.spawner.specs
            second.held = False
            second.go.set()
            assert start.result().status == 201
        inner = next(c for c in second.tables[-1]["credentials"] if "server" in c)
        assert inner["server"] == next(iter(site.spawner.servers))
    finally:
        second.close()


def test_a_start_without_a_proxy_that_answers_asks_for_no_container(site):
    alice = site.browser("alice")
    site.proxy.refuse = True
    alice.post(SERVER, {})
    wait_state(alice, "stopping")
    assert not site.spawner.specs
    site.proxy.refuse = False
    wait_state(alice, "stopped")
    assert "proxy does not answer" in last_end(alice)["message"]
    site.proxy.wait(lambda t: not any("server" in c for c in t["credentials"]))
    assert alice.post(SERVER, {}).status == 201


def test_a_second_proxy_is_waited_for_too(site, tmp_path):
    second = hub_rig.FakeProxy(site.run, "1")
    try:
        second.wait(lambda t: True)
        site.hub.wait_line("1 has the table")
        site.browser("alice")
        assert second.users() == site.proxy.users() == {"alice"}
    finally:
        second.close()


def test_no_effect_leaves_before_its_row_is_on_disk(site):
    rows = {}

    def look(spawner, spec):
        with sqlite3.connect(f"file:{site.state}/hub.db?mode=ro", uri=True) as db:
            rows["intents"] = db.execute("SELECT server_id, kind, ended FROM intents").fetchall()
            rows["servers"] = db.execute("SELECT id, state FROM servers").fetchall()
        spawner.start_well(spec)

    site.spawner.on_spawn = look
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    spec = next(iter(site.spawner.servers.values()))
    assert rows == {"intents": [(spec["id"], "spawn", None)], "servers": [(spec["id"], "starting")]}
    assert (site.state / "hub.db").stat().st_mode & 0o777 == 0o600
    secrets = [alice.cookie, spec["credential"], site.PASSWORD]
    for file in site.state.iterdir():
        data = file.read_bytes()
        assert not any(secret.encode() in data for secret in secrets), file
    assert not any(secret in site.hub.log for secret in secrets)


# ---- more than one's share ------------------------------------------------------------------------
def test_one_person_cannot_fill_the_table_with_sessions(site):
    first = site.browser("alice")
    bob = site.browser("bob")
    second = site.browser("alice")
    for _ in range(99):
        newest = site.browser("alice")
    assert first.get("/hub/api/user").status == 403
    assert [b.get("/hub/api/user").status for b in (second, newest, bob)] == [200] * 3
    users = [c["user"] for c in site.proxy.tables[-1]["credentials"]]
    assert (users.count("alice"), users.count("bob")) == (100, 1)


def test_one_person_cannot_hold_all_connections_of_the_hub(site):
    # Each kind of request that waits, more often than a user has tabs.
    go, stuck = threading.Event(), threading.Event()
    site.spawner.on_spawn = lambda spawner, spec: threading.Thread(
        target=lambda: (go.wait(), spawner.start_well(spec))).start()
    alice, bob = site.browser("alice"), site.browser("bob")
    with concurrent.futures.ThreadPoolExecutor(70) as pool, contextlib.ExitStack() as streams:
        starts = [pool.submit(b.post, f"/hub/api/users/{name}/server", {}) for name, b in (("alice", alice), ("bob", bob))]
        wait_until(lambda: record(alice) and record(bob), "the starts are known")
        for _ in range(24):
            assert next(streams.enter_context(alice.stream(f"{SERVER}/progress")))["progress"] == 0
        refused = alice.get(f"{SERVER}/progress")
        assert (refused.status, int(refused.headers["Retry-After"]) > 0) == (429, True)
        assert next(streams.enter_context(bob.stream("/hub/api/users/bob/server/progress")))["progress"] == 0
        go.set()
        assert [start.result().status for start in starts] == [201, 201]
        site.spawner.before_answer = stuck.wait
        stats = [pool.submit(alice.get, "/hub/api/cygnet/servers/alice/stat") for _ in range(60)]
        wait_until(lambda: any(s.done() and s.result().status == 429 for s in stats), "some are refused")
        stuck.set()
        assert {s.result().status for s in stats} == {200, 429}
        held = site.spawner.on_stop
        site.spawner.on_stop = lambda *_: None
        stops = [pool.submit(alice.delete, SERVER) for _ in range(30)]
        wait_until(lambda: sum(s.done() for s in stops) >= 6, "some are answered at once")
        assert {s.result().status for s in stops if s.done()} == {202}
        site.spawner.gone(site.spawner.servers[next(i for i, s in site.spawner.servers.items() if s["user"] == "alice")],
                          hub_rig.STOPPED)
        assert {s.result().status for s in stops} <= {202, 204}
        site.spawner.on_stop = held
        assert bob.delete("/hub/api/users/bob/server").status == 204


def test_the_question_whether_starts_are_possible_is_bounded(site):
    nobody = site.browser()
    site.lose_spawner()
    with concurrent.futures.ThreadPoolExecutor(80) as pool:
        asked = [pool.submit(nobody.get, "/hub/health?wait=1") for _ in range(80)]
        wait_until(lambda: sum(a.done() for a in asked) >= 16, "those over the limit are answered")
        assert nobody.get("/hub/health").status == 200
        site.spawner.listen()
        assert sorted(a.result().status for a in asked) == [200] * 64 + [503] * 16


def test_the_limit_of_descriptors_is_raised_and_their_lack_is_survived(make_site):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    try:
        site = make_site()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert resource.prlimit(site.hub.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    alice = site.browser("alice")
    resource.prlimit(site.hub.pid, resource.RLIMIT_NOFILE, (3, hard))
    site.hub.wait_line("proxy: cannot look into .*Too many open files")
    resource.prlimit(site.hub.pid, resource.RLIMIT_NOFILE, (hard, hard))
    assert alice.post(SERVER, {}).status == 201


def test_a_container_that_ends_a_stage_again_and_again_is_heard_once(site):
    def babble(spawner, spec):
        spawner.serve(spec)
        for _ in range(20):
            spawner.stage(spec, "setup", 0)
            spawner.stage(spec, "setup", 1, 4_000_000_000)
        spawner.reply(spec["request"])

    site.spawner.on_spawn = babble
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    site.hub.stop()
    with sqlite3.connect(f"file:{site.state}/hub.db?mode=ro", uri=True) as db:
        assert db.execute("SELECT count(*) FROM stage_times WHERE stage = 'setup'").fetchone() == (1,)
    db.close()
