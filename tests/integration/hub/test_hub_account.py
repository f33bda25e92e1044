"""The hub's account of Spark: who was given a session, how it ended, and what all of them use."""

import collections
import concurrent.futures
import contextlib
import json
import sqlite3
import subprocess

import pytest
from lib import places
from lib.bad_disk import Lock
from lib.daemon import wait_until
from lib.hub_rig import make_site  # noqa: F401  a fixture
from lib.prometheus import parse

REPORT = "/hub/api/cygnet/spark/report"
ADMIN = {"Authorization": "token " + "f" * 64}
RULES = ["teachers"]  # the groups that rules of the sample's profiles and clusters name

CLUSTERS = {"clusters": {"own": {"label": "My own", "kind": "disposable"}, "big": {"kind": "local"}, "secret": {"kind": "local"}}}
BUNDLES = {"bundled_options": {"DEBUG": {"options": [{"name": "spark.logConf", "value": "true"}],
                                         "cluster_filter": [], "spark_version_filter": []}}}


class Rig:
    """A hub, and servers of users with a Spark cluster."""

    def __init__(self, site):
        self.site, self.browsers = site, {}

    def browser(self, user):
        if user not in self.browsers:
            self.browsers[user] = self.site.browser(user)
        return self.browsers[user]

    def put_in(self, groups):
        """Each user into their group, as a provider would have told it: the development sign-in knows none."""
        for user in groups:
            self.browser(user)
        self.site.kill_hub()
        with contextlib.closing(sqlite3.connect(self.site.state / "hub.db")) as db, db:
            for user, group in groups.items():
                db.execute("UPDATE users SET groups = ? WHERE name = ?", (json.dumps([group]), user))
        self.site.hub = self.site.start()

    def start(self, user):
        """Names of the inner door for a server of the user."""
        answer = self.browser(user).post(f"/hub/api/users/{user}/server", {"user_options": {"profile": "standard", "cluster": "own"}})
        assert answer.status == 201, answer
        spec = next(spec for spec in self.site.spawner.servers.values() if spec["user"] == user)
        return {"X-Cygnet-Server": spec["id"], "X-Cygnet-User": user}

    def connect(self, inner, **members):
        return self.site.browser().post("/hub/api/cygnet/spark/connect", {"spark_version": "4.2.0", **members}, headers=inner)

    def report(self, inner, **members):
        return self.site.browser().post(REPORT, members, headers=inner)

    def metrics(self, name):
        """{label values: value} of cygnet_hub_spark_NAME…"""
        found = parse(self.site.browser().get("/hub/metrics", headers=ADMIN).text)
        return {key[1:]: value for key, value in found.items() if key[0] == f"cygnet_hub_spark_{name}"}

    def figures(self):
        """{(what, cluster, group): value} of what servers reported."""
        found = parse(self.site.browser().get("/hub/metrics", headers=ADMIN).text)
        return {(key[0].removeprefix("cygnet_hub_spark_"), *key[1:]): value for key, value in found.items()
                if key[0].startswith("cygnet_hub_spark_") and "connects" not in key[0]}

    def audit(self, action):
        told = subprocess.run([places.BIN / "cygnetctl", "audit", "--run-dir", self.site.run], capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
        rows = [json.loads(line) for line in reversed(told.stdout.splitlines())]
        return [(row["actor"], row["object"], row["detail"]) for row in rows if row["action"] == action]


@pytest.fixture
def rig(make_site, tmp_path):  # noqa: F811
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "bundles.json").write_text(json.dumps(BUNDLES))
    clusters = json.loads(json.dumps(CLUSTERS))
    clusters["clusters"]["own"]["bundles"] = str(tree / "bundles.json")
    (tree / "clusters.yaml").write_text(json.dumps(clusters))
    return Rig(make_site("--catalogue", str(tree / "clusters.yaml")))


# ---- the audit of connects ----
def test_a_session_that_a_server_was_given_is_a_row_without_values(rig):
    inner = rig.start("alice")
    answer = rig.connect(inner, session="s-1", bundles=["DEBUG"], user={"options": {"spark.u": "my secret"}},
                         notebook={"options": {"spark.n": "1", "spark.u": "2"}}, options={"spark.c": "3"})
    assert answer.status == 200 and answer.json["secrets"]["cluster"]
    assert rig.audit("spark.connect") == [("server:alice/", "server:alice/", {
        "id": inner["X-Cygnet-Server"], "cluster": "own", "flavour": "classic", "session": "s-1", "bundles": ["DEBUG"],
        "options": ["spark.u", "spark.n", "spark.c"]})]


def test_what_gave_no_session_has_no_row(rig):
    inner = rig.start("alice")
    assert rig.connect(inner, bundles=["NONE"]).status == 400
    assert rig.connect(inner, session="x" * 65).status == 400
    assert rig.connect(inner, session="a\nb").status == 400
    assert rig.connect(inner, cluster="secret").status == 403
    assert rig.site.browser().post("/hub/api/cygnet/spark/preview", {"spark_version": "4.2.0"}, headers=inner).status == 200
    assert rig.audit("spark.connect") == []


def test_an_agents_name_of_a_session_is_printable_in_the_row(rig):
    assert rig.connect(rig.start("alice"), session="s\u202e\u00e9").status == 200
    assert rig.audit("spark.connect")[0][2]["session"] == "s?????"


def test_names_that_have_no_room_in_a_row_are_counted(rig):
    inner = rig.start("alice")
    assert rig.connect(inner, options={f"spark.try.{n:03}": "1" for n in range(200)}).status == 200
    (_, _, detail), = rig.audit("spark.connect")
    assert 20 < len(detail["options"]) < 60 and len(detail["options"]) + detail["left_out"] == 200
    assert detail["bundles"] == [] and "session" not in detail


def test_no_secret_leaves_while_its_row_cannot_be_written(rig):
    inner = rig.start("alice")
    disk = Lock()
    disk.prepare(rig.site.state)
    disk.begin()
    answer = rig.connect(inner)
    disk.end()
    assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0 and "secrets" not in answer.text, answer
    rig.site.hub.wait_line("can be written again")
    assert rig.audit("spark.connect") == []
    assert rig.connect(inner).status == 200
    assert len(rig.audit("spark.connect")) == 1


def test_one_users_servers_get_so_many_sessions_a_minute_and_no_more(rig):
    alice, bob = rig.start("alice"), rig.start("bob")
    assert [rig.connect(alice).status for _ in range(30)] == [200] * 30
    refused = rig.connect(alice)
    assert refused.status == 429 and 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "30 Spark sessions within a minute" in refused.json["message"]
    assert rig.connect(bob).status == 200
    assert len(rig.audit("spark.connect")) == 31


# ---- reports ----
ENDED = {"session": "s-1", "flavour": "connect", "why": "The kernel was shut down.", "seconds": 61}


def test_what_servers_report_is_shown_by_cluster_and_group(rig):
    rig.put_in({"alice": "physics"})
    alice, bob = rig.start("alice"), rig.start("bob")
    assert rig.report(alice, cluster="own", sessions=2, apps=1, executors=3, cores=12, core_seconds=1.5, input_bytes=1000,
                      shuffle_read_bytes=20, shuffle_write_bytes=30).status == 204
    assert rig.report(bob, cluster="own", cores=4).status == 204
    assert rig.report(alice, cluster="own", cores=10, core_seconds=2).status == 204
    assert rig.figures() == {
        ("sessions", "own", "physics"): 2, ("apps", "own", "physics"): 1, ("executors", "own", "physics"): 3,
        ("cores", "own", "physics"): 10, ("core_seconds_total", "own", "physics"): 3.5, ("input_bytes_total", "own", "physics"): 1000,
        ("shuffle_read_bytes_total", "own", "physics"): 20, ("shuffle_write_bytes_total", "own", "physics"): 30,
        ("sessions", "own", ""): 0, ("apps", "own", ""): 0, ("executors", "own", ""): 0, ("cores", "own", ""): 4}
    assert rig.browsers["alice"].delete("/hub/api/users/alice/server").status in (202, 204)
    wait_until(lambda: ("cores", "own", "physics") not in rig.figures(), "the stopped server's cores are gone")
    assert rig.figures()["core_seconds_total", "own", "physics"] == 3.5
    assert rig.figures()["cores", "own", ""] == 4


def test_connects_are_counted_by_their_result(rig):
    inner = rig.start("alice")
    assert rig.connect(inner).status == 200
    assert rig.connect(inner, bundles=["NONE"]).status == 400
    assert rig.connect(inner, cluster="evil-name").status == 403
    for _ in range(29):
        assert rig.connect(inner).status == 200
    assert rig.connect(inner).status == 429
    assert rig.site.browser().post("/hub/api/cygnet/spark/preview", {"spark_version": "4.2.0"}, headers=inner).status == 200
    assert rig.metrics("connects_total") == {("own", "", "success"): 30, ("own", "", "failure"): 1, ("other", "", "failure"): 1,
                                             ("own", "", "throttled"): 1}


def test_a_session_that_ended_is_a_row(rig):
    inner = rig.start("alice")
    other = {**ENDED, "session": "s.2", "cluster": "own", "flavour": "classic", "why": "é\n" * 300, "seconds": 0}
    assert rig.report(inner, cluster="own", ended=[ENDED, other]).status == 204
    (actor, about, first), (_, _, second) = rig.audit("spark.end")
    assert (actor, about) == ("server:alice/", "server:alice/")
    assert first == {"id": inner["X-Cygnet-Server"], "cluster": "own", **ENDED}
    assert second["session"] == "s.2" and len(second["why"]) == 200 and set(second["why"]) == {"?"}


def test_a_session_that_ended_while_the_disk_cannot_be_written_is_told_once(rig):
    inner = rig.start("alice")
    disk = Lock()
    disk.prepare(rig.site.state)
    disk.begin()
    assert rig.report(inner, cluster="own", core_seconds=1, ended=[ENDED]).status == 204  # has happened: its row waits
    rig.site.hub.wait_line("nothing can be saved")
    refused = rig.report(inner, cluster="own", core_seconds=1, ended=[{**ENDED, "session": "s-2"}])
    assert refused.status == 503 and int(refused.headers["Retry-After"]) > 0
    assert rig.report(inner, cluster="own", core_seconds=1).status == 204
    disk.end()
    rig.site.hub.wait_line("can be written again")
    assert [row[2]["session"] for row in rig.audit("spark.end")] == ["s-1"]
    assert rig.figures()["core_seconds_total", "own", ""] == 2


@pytest.mark.parametrize("body, status, sentence", [
    (b"", 400, "must be JSON"), (b"[]", 400, "must be a JSON object"), (b"{}", 400, "cluster must be a text"),
    (b'{"cluster": "own", "cores": 1, "cores": 2}', 400, "each name once"),
    (b'{"cluster": "own", "core_seconds": NaN}', 400, "must be JSON"), (b'{"cluster": "own", "core_seconds": Infinity}', 400, "must be JSON"),
    (b'{"cluster": "own", "core_seconds": 1e999}', 400, "must be JSON"), (b'{"cluster": "own", "core_seconds": 1e300}', 400, "core_seconds must be"),
    (b'{"cluster": "own", "core_seconds": -1}', 400, "core_seconds must be"), (b'{"cluster": "own", "sessions": -1}', 400, "sessions must be"),
    (b'{"cluster": "own", "input_bytes": 99999999999999999999999}', 400, "must be JSON"),
    (b'{"cluster": "own", "input_bytes": 9223372036854775807}', 400, "input_bytes must be a whole number from 0 to 1125899906842624"),
    (b'{"cluster": "own", "cores": 1000001}', 400, "cores must be a whole number from 0 to 1000000"),
    (b'{"cluster": "none"}', 403, "does not offer the cluster 'none'"),
    (b'{"cluster": "own", "ended": [{"session": "a", "cluster": "none", "flavour": "classic", "why": "x"}]}', 403, "does not offer"),
    (b'{"cluster": "' + b"x" * 64 + b'"}', 400, "cluster must be a text of 1 to 63 bytes"),
    (b'{"cluster": "own", "ended": [' + b",".join([b"{}"] * 33) + b"]}", 400, "at most 32 sessions"),
    (b"[" * 60_000, 400, "must be JSON")])
def test_a_hostile_report_is_refused_and_counts_nothing(rig, body, status, sentence):
    inner = rig.start("alice")
    answer = rig.site.browser().ask("POST", REPORT, body, inner)
    assert (answer.status, sentence in answer.json["message"]) == (status, True), answer
    assert rig.figures() == {} and rig.audit("spark.end") == []
    assert rig.report(inner, cluster="own", cores=1).status == 204


def test_a_report_too_long_to_be_one_is_refused(rig):
    inner = rig.start("alice")
    assert rig.site.browser().ask("POST", REPORT, b" " * 70_000, inner).status == 413


def test_only_a_server_with_a_cluster_may_report(rig):
    alice = rig.site.browser("alice")
    assert alice.post(REPORT, {"cluster": "own"}).status == 403
    assert alice.post("/hub/api/users/alice/server", {}).status == 201
    spec = next(iter(rig.site.spawner.servers.values()))
    inner = {"X-Cygnet-Server": spec["id"], "X-Cygnet-User": "alice"}
    answer = rig.report(inner, cluster="own")
    assert answer.status == 403 and "started without a Spark cluster" in answer.json["message"]
    assert rig.site.browser().post(REPORT, {"cluster": "own"}, headers={"Authorization": "token " + "f" * 64}).status == 403


def test_a_flood_of_reports_is_refused_beside_a_good_user(rig):
    bad, good = rig.start("alice"), rig.start("bob")
    worst = {"cluster": "own", "input_bytes": 1 << 50, "ended": [{**ENDED, "why": "x" * 1000}] * 32}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        flood = pool.map(lambda _: rig.report(bad, **worst), range(1000))
        assert [rig.report(good, cluster="own", core_seconds=1).status for _ in range(20)] == [204] * 20
        told = collections.Counter(answer.status for answer in flood)
    assert set(told) == {204, 429} and told[204] <= 4, told  # two windows at most, each over once
    assert rig.figures()["core_seconds_total", "own", ""] == 20
    assert len(rig.audit("spark.end")) == 32 * told[204]
    refused = rig.report(bad, **worst)
    assert refused.status == 429 and 1 <= int(refused.headers["Retry-After"]) <= 60 and "later" in refused.json["message"]


def test_labels_stay_bounded_whatever_groups_there_are(rig):
    users = [f"user{n:02}" for n in range(20)]
    rig.put_in({user: f"group of {user}" for user in users})
    for user in users:
        assert rig.report(rig.start(user), cluster="own", cores=1).status == 204
    found = rig.figures()
    groups = {key[2]: value for key, value in found.items() if key[0] == "cores"}
    assert len(groups) == 16 - len(RULES) + 1 and groups["other"] == 20 - (16 - len(RULES)), groups
