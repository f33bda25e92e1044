"""What the hub renders, started as its response says: a driver of the pinned Spark reports the values that were set, also
those that Java's properties or Spark's own reading of them would change, and its UI opens for a token alone."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from lib import places
from lib.daemon import wait_until
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
spark = SparkSession.builder.getOrCreate()
conf = spark.sparkContext.getConf().getAll()
mine = spark._jvm.java.lang.System.getProperty("mine")
heap = spark._jvm.java.lang.Runtime.getRuntime().maxMemory() >> 20
print("REPORT" + json.dumps([{k.removeprefix("spark.try."): v for k, v in conf if k.startswith("spark.try.")}, mine, heap]))
input()
"""


@pytest.fixture
def connect(make_site, tmp_path):  # noqa: F811
    """connect(properties, **members): the response to a server whose cluster sets them."""
    catalogue = tmp_path / "clusters.yaml"
    site = make_site("--catalogue", str(catalogue))
    answer = site.browser("alice").post(SERVER, {"user_options": {"profile": "standard", "cluster": "own"}})
    assert answer.status == 201, answer
    spec = next(iter(site.spawner.servers.values()))

    def ask(properties, **members):
        catalogue.write_text(json.dumps({"clusters": {"own": {"kind": "local", "properties": properties}}}, ensure_ascii=False))
        inner = {"X-Cygnet-Server": spec["id"], "X-Cygnet-User": spec["user"]}
        return site.browser().post("/hub/api/cygnet/spark/connect", {"spark_version": "4.2.0", **members}, headers=inner)

    return ask


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


class Driver:
    """The agent's part for one session: fills the places, writes the files, starts the driver."""

    def __init__(self, response, folder):
        self.port, self.connect_port = free_port(), free_port()
        self.secrets = response["secrets"]
        self.places = {"{run}": folder, "{secrets}": folder / "secrets", "{runtime}": folder / "runtime", "{session}": "s1",
                       "{port.ui}": self.port, "{port.connect}": self.connect_port, **{f"{{secret.{name}}}": value for name, value in self.secrets.items()}}
        for name, text in response["files"].items():
            path = folder / "secrets" / self.fill(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.fill(text))
        pyspark = next((places.prefix("spark") / "lib").glob("python3*/site-packages/pyspark"))
        row = response["daemons"][-1]
        environment = {**response["environment"], **row["environment"]}
        self.env = {"PATH": os.environ["PATH"], "HOME": os.fspath(folder), "SPARK_HOME": os.fspath(pyspark),
                    "SPARK_SCALA_VERSION": "2.13", **{name: self.fill(value) for name, value in environment.items()}}
        words = [shutil.which("java"), f"-Xmx{row['heap_mb']}m", *row["jvm_options"],
                 "-cp", ":".join([*row["class_path_extra"], f"{pyspark}/jars/*"]), row["main_class"], *row["arguments"]]
        self.log = folder / "driver.log"
        with self.log.open("wb") as log:
            self.jvm = subprocess.Popen([self.fill(word) for word in words], env=self.env, cwd=folder, stdin=subprocess.PIPE,
                                        stdout=log, stderr=log)

    def fill(self, text):
        for place, value in self.places.items():
            text = text.replace(place, str(value))
        return text

    def wait(self, condition, what):
        wait_until(lambda: self.jvm.poll() is not None or condition(), what, places.JVM_CEILING)
        assert self.jvm.poll() is None, self.log.read_text()

    def listens(self, address, port):
        with socket.socket() as sock:
            return sock.connect_ex((address, port)) == 0

    def attach(self, code):
        """A Python process on the gateway, after it has printed its REPORT line; it waits for a line."""
        gateway = pathlib.Path(self.env["_PYSPARK_DRIVER_CONN_INFO_PATH"])
        self.wait(gateway.exists, "the gateway")
        port, length = struct.unpack(">ii", gateway.read_bytes()[:8])
        secret = gateway.read_bytes()[8:8 + length].decode()
        env = {**self.env, "PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret}
        self.python = subprocess.Popen([places.prefix("spark") / "bin/python", "-c", code], env=env, text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for line in self.python.stdout:
            if line.startswith("REPORT"):
                return json.loads(line.removeprefix("REPORT"))
        raise AssertionError(self.log.read_text())

    def ui(self, headers):
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/v1/applications", headers=headers)
        try:
            return urllib.request.urlopen(asked, timeout=places.CEILING).status
        except urllib.error.HTTPError as err:
            return err.code

    def token(self, key, algorithm="HS256"):
        def text(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")
        signed = b".".join([text(json.dumps({"alg": algorithm}).encode()), text(json.dumps({"exp": int(time.time()) + 60}).encode())])
        mac = hmac.new(base64.urlsafe_b64decode(key), signed, hashlib.sha256).digest()
        return {"Authorization": f"Bearer {(signed + b'.' + text(mac)).decode()}"}

    def end(self):
        if hasattr(self, "python"):
            self.python.communicate("\n", timeout=places.JVM_CEILING)
        self.jvm.stdin.close()  # the end of a gateway
        self.jvm.terminate()
        self.jvm.wait(places.JVM_CEILING)


@pytest.fixture
def driver(connect, tmp_path):
    started = []

    def start(properties, **members):
        answer = connect(properties, **members)
        assert answer.status == 200, answer
        started.append(Driver(answer.json, tmp_path / "run-of-server"))
        return started[0]

    (tmp_path / "run-of-server").mkdir()
    yield start
    for one in started:
        one.end()


def test_driver_started_as_told_reports_the_values_that_were_set(driver):
    one = driver({**{f"spark.try.{name}": value for name, value in VALUES.items()},
                  "spark.driver.memory": "700m", "spark.driver.extraJavaOptions": "-Dmine='a b'"})
    values, mine, heap = one.attach(REPORT)
    assert values == VALUES
    assert mine == "a b" and 600 <= heap <= 700
    assert one.ui({}) == 403
    assert one.ui(one.token(base64.urlsafe_b64encode(b"x" * 33))) == 403
    assert one.ui(one.token(one.secrets["ui"])) == 200


def test_connect_server_started_as_told_listens_on_loopback_and_is_locked(driver):
    one = driver({}, flavour="connect")
    one.wait(lambda: one.listens("127.0.0.1", one.connect_port), "the Connect server")
    assert not one.listens("127.0.0.2", one.connect_port)
    assert one.ui({}) == 403 and one.ui(one.token(one.secrets["ui"])) == 200
    words = pathlib.Path(f"/proc/{one.jvm.pid}/cmdline").read_bytes() + pathlib.Path(f"/proc/{one.jvm.pid}/environ").read_bytes()
    for name, secret in one.secrets.items():
        assert secret.encode() not in words, name


@pytest.mark.parametrize("value", [" x", "x "])
def test_value_that_spark_would_cut_is_refused_by_name(connect, value):
    answer = connect({"spark.try.cut": value})
    assert answer.status == 502
    assert "the value of spark.try.cut begins or ends with a blank" in answer.json["message"]


def test_secrets_are_apart_from_what_is_shown_and_new_each_time(connect):
    first, second = connect({}).json, connect({}).json
    for name in ("cluster", "ui"):
        assert len(first["secrets"][name]) >= 44 and first["secrets"][name] != second["secrets"][name]
        assert first["secrets"][name] not in json.dumps({**first, "secrets": None})
    assert {p["value"] for p in first["properties"] if p["secret"]} == {None}
    assert "token" not in first["secrets"]
    assert "token" in connect({}, flavour="connect").json["secrets"]


@pytest.mark.parametrize("members, sentence", [
    ({"flavour": "other"}, "flavour must be classic or connect"), ({"flavour": 1}, "flavour must be text"),
    ({"spark_version": "4"}, "is not a version of Spark"), ({"spark_version": None}, "spark_version is missing"),
    ({"ports": {}}, "stop it and start it again to use Spark")])
def test_wrong_request_is_refused_with_a_sentence(connect, members, sentence):
    answer = connect({}, **members)
    assert (answer.status, sentence in answer.json["message"]) == (400, True), answer


def test_connect_flavour_needs_a_newer_spark(connect):
    answer = connect({}, spark_version="4.1.3", flavour="connect")
    assert answer.status == 400 and "needs Spark 4.2" in answer.json["message"]
