"""Clusters, bundles and options of a community: what a server's panel is told, what its choice comes to, and what is
refused. The files are SWAN's own."""

import json

import pytest
from lib import places
from lib.hub_rig import make_site  # noqa: F401  a fixture

SERVER = "/hub/api/users/alice/server"
BUNDLES = {"bundled_options": {
    "DEBUG": {"options": [
        {"name": "spark.driver.extraJavaOptions", "concatenate": " ", "value": "-Dsun.security.krb5.debug=true"},
        {"name": "spark.logConf", "value": "true"}], "cluster_filter": [], "spark_version_filter": []},
    "OLD": {"options": [{"name": "spark.a", "value": "1"}], "cluster_filter": [], "spark_version_filter": ["spark3"]},
    "HOMES": {"options": [{"name": "spark.jars", "value": "{HOME}/jars/a.jar,{LCG_VIEW}/b.jar"}],
              "cluster_filter": ["own"], "spark_version_filter": []}}}
LISTED = {"spark_options": [{"value": "spark.ui.port", "data": {"category": "Spark UI"}}]}
KNOWN = {"version": "4.2.0", "options": [
    {"name": "spark.executor.memory", "category": "Executors", "type": "bytes", "default": "1g", "doc": "Memory.", "since": "0.7.0"},
    {"name": "spark.logConf", "category": "Application", "type": "boolean", "default": "false"},
    {"name": "spark.driver.extraJavaOptions"}, {"name": "spark.u"}]}
PANEL = {"spark_version": "4.2.0"}


class Rig:
    def __init__(self, site, tree):
        self.site, self.tree = site, tree
        answer = site.browser("alice").post(SERVER, {"user_options": {"profile": "standard", "cluster": "own"}})
        assert answer.status == 201, answer
        spec = next(iter(site.spawner.servers.values()))
        self.inner = {"X-Cygnet-Server": spec["id"], "X-Cygnet-User": spec["user"]}

    def post(self, what, **members):
        return self.site.browser().post(f"/hub/api/cygnet/spark/{what}", {**PANEL, **members}, headers=self.inner)

    def catalogue(self, query="spark_version=4.2.0"):
        return self.site.browser().get(f"/hub/api/cygnet/spark/catalogue?{query}", headers=self.inner)

    def values(self, answer):
        assert answer.status == 200, answer
        return {p["name"]: p["value"] for p in answer.json["properties"]}

    def lint(self, **members):
        answer = self.post("preview", **members)
        assert answer.status == 200, answer
        return [(item["name"], item["level"], item["nearest"]) for item in answer.json["lint"]]


@pytest.fixture
def rig(make_site, tmp_path):  # noqa: F811
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "bundles.json").write_text(json.dumps(BUNDLES))
    (tree / "options.json").write_text(json.dumps(LISTED))
    files = {"bundles": str(tree / "bundles.json"), "options": str(tree / "options.json")}
    (tree / "clusters.yaml").write_text(json.dumps({"clusters": {
        "own": {"label": "My own", "kind": "disposable", "facts": [{"label": "Runs", "value": "here"}], **files},
        "secret": {"kind": "local"}}}))
    stack = tree / "stacks/2026a/share/cygnet"
    stack.mkdir(parents=True)
    (stack / "spark-options.json").write_text(json.dumps(KNOWN))
    (tree / "stacks/2026a/stack.yaml").write_text('spark: "4.2.0"\n')
    return Rig(make_site("--catalogue", str(tree / "clusters.yaml"), "--software-tree", str(tree)), tree)


def test_panel_is_told_clusters_bundles_and_options(rig):
    told = rig.catalogue()
    assert told.status == 200, told
    assert {key: told.json[key] for key in ("chosen", "version")} == {"chosen": "own", "version": "4.2.0"}
    assert told.json["clusters"] == [{
        "id": "own", "label": "My own", "description": None, "kind": "disposable", "flavours": ["classic", "connect"],
        "facts": [{"label": "Runs", "value": "here"}], "usable": True, "reason": None}]
    assert [bundle["name"] for bundle in told.json["bundles"]] == ["DEBUG", "OLD", "HOMES"]
    assert told.json["bundles"][1]["versions"] == ["spark3"]
    assert told.json["bundles"][0]["options"][1] == {"name": "spark.logConf", "value": "true", "concatenate": None}
    assert KNOWN["options"][0] in told.json["options"]
    assert rig.catalogue("spark_version=3.5.9").json["clusters"][0]["flavours"] == ["classic"]


def test_without_the_list_of_the_stack_the_names_of_the_site_count(rig):
    (rig.tree / "stacks/2026a/share/cygnet/spark-options.json").unlink()
    assert [option["name"] for option in rig.catalogue().json["options"]] == ["spark.ui.port"]
    assert rig.lint(options={"spark.logConf": "perhaps", "spark.no.such": "1"}) == []


def test_layers_of_a_choice_and_what_they_won_over(rig):
    answer = rig.post("preview", bundles=["DEBUG"], user={"options": {"spark.logConf": "false", "spark.u": "user"}},
                      notebook={"options": {"spark.u": "notebook", "spark.driver.extraJavaOptions": "-Dmine"}},
                      options={"spark.executor.memory": "700m"})
    rows = {p["name"]: p for p in answer.json["properties"]}
    assert (rows["spark.u"]["value"], rows["spark.u"]["layer"]) == ("notebook", "notebook")
    assert rows["spark.u"]["lost"] == [{"layer": "user", "value": "user", "why": "overridden"}]
    assert rows["spark.driver.extraJavaOptions"]["value"] == "-Dmine -Dsun.security.krb5.debug=true"
    assert (rows["spark.logConf"]["value"], rows["spark.logConf"]["lost"][0]["layer"]) == ("false", "bundles")
    assert rows["spark.executor.memory"]["lost"][0]["layer"] == "cluster"
    assert answer.json["lint"] == [] and set(answer.json) == {"cluster", "flavour", "properties", "lint"}
    assert "{secret." not in answer.text and rows["spark.authenticate.secret"]["value"] is None


def test_connect_gets_what_the_preview_showed(rig):
    choice = {"bundles": ["DEBUG", "HOMES"], "options": {"spark.b": "{USER}"}, "variables": {"HOME": "/home/alice", "LCG_VIEW": "/cvmfs/view"}}
    shown, got = rig.post("preview", **choice), rig.post("connect", **choice)
    assert rig.values(shown) == rig.values(got)
    text = got.json["files"]["sessions/{session}/spark-defaults.conf"]
    assert "spark.jars /home/alice/jars/a.jar,/cvmfs/view/b.jar\n" in text and "spark.b alice\n" in text
    driver = got.json["daemons"][-1]
    assert driver["jvm_options"][-1] == "-Dsun.security.krb5.debug=true"


def test_lint_says_what_is_wrong_before_anything_starts(rig):
    assert rig.lint(options={"spark.executor.memroy": "1g"}) == [("spark.executor.memroy", "warning", "spark.executor.memory")]
    assert rig.lint(options={"spark.logConf": "perhaps"}) == [("spark.logConf", "error", None)]
    assert rig.lint(options={"spark.executor.memory": "800g"}) == [("spark.executor.memory", "error", None)]
    assert rig.lint(options={"spark.master": "yarn"}) == [("spark.master", "warning", None)]


@pytest.mark.parametrize("members, status, sentence", [
    ({"bundles": ["NONE"]}, 400, "there is no bundle 'NONE'"), ({"bundles": ["OLD"]}, 400, "is not for the cluster own with Spark 4.2.0"),
    ({"bundles": ["HOMES"]}, 400, "uses {HOME}, which is not defined here; defined: USER"),
    ({"cluster": "secret"}, 403, "does not offer the cluster 'secret'"), ({"cluster": "none"}, 403, "does not offer"),
    ({"options": {"spark.a": "x "}}, 400, "begins or ends with a blank"), ({"options": {"a": "x"}}, 400, "is not the name of a Spark property"),
    ({"options": {f"spark.a{n}": "1" for n in range(201)}}, 400, "options holds more than 200 names"),
    ({"options": {"spark.driver.memory": "much"}}, 400, "spark.driver.memory"), ({"options": {"spark.a": "{secret.ui}"}}, 400, "may not hold"),
    ({"bundles": [f"b{n}" for n in range(33)]}, 400, "bundles holds more than 32 names"),
    ({"notebook": {"list_of_options": [{"value": "1"}]}}, 400, "has no name")])
@pytest.mark.parametrize("what", ["preview", "connect"])
def test_choice_that_cannot_be_is_refused_with_a_sentence(rig, what, members, status, sentence):
    answer = rig.post(what, **members)
    assert (answer.status, sentence in answer.json["message"]) == (status, True), answer


def test_broken_bundles_hold_up_only_who_wants_them(rig):
    (rig.tree / "bundles.json").write_text('{"bundled_options": {"A": }')
    assert rig.post("connect").status == 200
    answer = rig.post("connect", bundles=["DEBUG"])
    assert answer.status == 502 and "bundles.json:1:" in answer.json["message"], answer
    assert rig.catalogue().status == 502


def test_wrong_requests_for_the_catalogue(rig):
    for query in ("", "spark_version=4", "spark_version=%zz"):
        assert rig.catalogue(query).status == 400
    assert rig.catalogue("spark_version=4.2.0&cluster=secret").status == 403


def test_files_are_read_by_a_child_and_kept_a_moment(rig):
    for _ in range(5):
        assert rig.catalogue().status == 200
    reads = [line for line in rig.site.hub.log.splitlines() if "spark: reading the" in line]
    assert len(reads) <= 6, reads


def test_sample_catalogue_is_accepted(rig):
    (rig.tree / "clusters.yaml").write_text((places.ROOT / "config/clusters.yaml").read_text())
    assert rig.post("connect").status == 200


def test_list_made_from_spark_itself_is_taken_whole(rig):
    made = (places.prefix("spark") / "share/cygnet/spark-options.json").read_text()
    (rig.tree / "stacks/2026a/share/cygnet/spark-options.json").write_text(made)
    told = {option["name"]: option for option in rig.catalogue().json["options"]}
    assert len(told) == len(json.loads(made)["options"]) > 1000
    assert {name: told[name]["type"] for name in ("spark.executor.memory", "spark.sql.adaptive.enabled", "spark.network.timeout",
                                                  "spark.memory.fraction", "spark.executor.cores", "spark.jars")} == {
        "spark.executor.memory": "bytes", "spark.sql.adaptive.enabled": "boolean", "spark.network.timeout": "time",
        "spark.memory.fraction": "double", "spark.executor.cores": "int", "spark.jars": "text"}
    assert rig.lint(options={"spark.executor.memroy": "1g", "spark.scheduler.mode": "fifo"}) == [
        ("spark.executor.memroy", "warning", "spark.executor.memory")]
    assert rig.lint(options={"spark.sql.sources.partitionOverwriteMode": "maybe"}) == [
        ("spark.sql.sources.partitionOverwriteMode", "error", None)]
