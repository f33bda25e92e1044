"""What the hub renders is what a driver of the pinned Spark reports: values that Java's properties or Spark's own reading
of them would change."""

import json
import os
import subprocess

import pytest
from lib import places
from lib.hub_rig import make_site  # noqa: F401  a fixture

SERVER = "/hub/api/users/alice/server"
VALUES = {
    "colon": ":x", "equals": "=x", "both": ":=x", "later": "a:b=c", "hash": "#x", "bang": "!x", "none": "",
    "backslash": "C:\\x\\", "quotes": "\"a\" 'b'", "blanks": "a  b", "letters": "grüß 😀", "wide-blank": "\u2003x\u00a0",
    "comma": "a,b", "braces": "{a}", "nul": "\\u0000", "dollar": "$HOME `x`",
}
REPORT = """
import json
from pyspark.sql import SparkSession
conf = SparkSession.builder.getOrCreate().sparkContext.getConf().getAll()
print("REPORT" + json.dumps({k.removeprefix("spark.try."): v for k, v in conf if k.startswith("spark.try.")}))
"""


@pytest.fixture
def connect(make_site, tmp_path):  # noqa: F811
    """connect(values): the response to a server that chose the cluster "own", which sets them."""
    catalogue = tmp_path / "clusters.yaml"
    site = make_site("--catalogue", str(catalogue))
    alice = site.browser("alice")

    def ask(values):
        properties = {f"spark.try.{name}": value for name, value in values.items()}
        catalogue.write_text(json.dumps({"clusters": {"own": {"kind": "local", "properties": properties}}}, ensure_ascii=False))
        answer = alice.post(SERVER, {"user_options": {"profile": "standard", "cluster": "own"}})
        assert answer.status == 201, answer
        spec = next(iter(site.spawner.servers.values()))
        inner = {"X-Cygnet-Server": spec["id"], "X-Cygnet-User": spec["user"]}
        return site.browser().post("/hub/api/cygnet/spark/connect",
                                   {"spark_version": "4.2.0", "ports": {"master": 7077, "driver_ui": 4040}}, headers=inner)

    return ask


def test_driver_reports_the_values_that_were_set(connect, tmp_path):
    answer = connect(VALUES)
    assert answer.status == 200, answer
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "spark-defaults.conf").write_text(answer.json["files"]["driver/spark-defaults.conf"])
    env = {**os.environ, "SPARK_CONF_DIR": str(conf), "SPARK_LOCAL_IP": "127.0.0.1", "HOME": str(tmp_path)}
    python = places.prefix("spark") / "bin/python"
    done = subprocess.run([python, "-c", REPORT], env=env, cwd=tmp_path, capture_output=True, text=True,
                          timeout=places.JVM_CEILING)
    line = next((one for one in done.stdout.splitlines() if one.startswith("REPORT")), None)
    assert line is not None, done.stderr
    assert json.loads(line.removeprefix("REPORT")) == VALUES


@pytest.mark.parametrize("value", [" x", "x "])
def test_value_that_spark_would_cut_is_refused_by_name(connect, value):
    answer = connect({"cut": value})
    assert answer.status == 502
    assert "the value of spark.try.cut begins or ends with a blank" in answer.json["message"]
