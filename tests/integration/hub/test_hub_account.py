"""The hub's account of Spark: who was given a session, how it ended, and what all of them use."""

import json
import subprocess

import pytest
from lib import places
from lib.bad_disk import Lock
from lib.hub_rig import make_site  # noqa: F401  a fixture

CLUSTERS = {"clusters": {"own": {"label": "My own", "kind": "disposable"}, "big": {"kind": "local"}, "secret": {"kind": "local"}}}
BUNDLES = {"bundled_options": {"DEBUG": {"options": [{"name": "spark.logConf", "value": "true"}],
                                         "cluster_filter": [], "spark_version_filter": []}}}


class Rig:
    """A hub, and servers of users with a Spark cluster."""

    def __init__(self, site):
        self.site, self.browsers = site, {}

    def start(self, user):
        """Names of the inner door for a server of the user."""
        browser = self.browsers.setdefault(user, self.site.browser(user))
        answer = browser.post(f"/hub/api/users/{user}/server", {"user_options": {"profile": "standard", "cluster": "own"}})
        assert answer.status == 201, answer
        spec = next(spec for spec in self.site.spawner.servers.values() if spec["user"] == user)
        return {"X-Cygnet-Server": spec["id"], "X-Cygnet-User": user}

    def connect(self, inner, **members):
        return self.site.browser().post("/hub/api/cygnet/spark/connect", {"spark_version": "4.2.0", **members}, headers=inner)

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
