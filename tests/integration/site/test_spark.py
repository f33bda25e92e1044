"""Spark in a server, on the whole site: lazy start, who is refused, what is encrypted and where the secret is not, the same
configuration everywhere, and that nothing stays. Restarts and deaths are in test_spark_sessions.py."""

import json
import pathlib
import re
import sqlite3

import pytest
from lib import places
from lib.agent import stream
from lib.spark_site import DRIVER, EXECUTOR, LINE, MASTER, SUM, WORKER, cell, good
from lib.spark_site import _nothing_left, alice, site  # noqa: F401  fixtures
from lib.whole_site import until


@pytest.fixture
def tab(alice):
    one = alice.kernel()
    yield one
    alice.end_kernel(one)


def jvms(alice):
    return alice.processes("org.apache.spark")


# ---- nothing starts before it is needed ----
def test_nothing_starts_until_spark_is_used(alice, tab):
    assert alice.server()["cygnet"]["spark"] is True
    answer = alice.ask("GET", "/hub/api/cygnet/servers/alice/spark").json
    assert answer == {"app": {"cluster": "own", "label": "own", "version": "4.2.0", "state": "absent", "why": None}, "properties": []}
    for code in ("spark", "sc", "swan_spark_conf.__class__", "print(spark, sc)", "%whos", "import pyspark.sql"):
        good(tab, code)
    for kind, content in (("complete_request", {"code": "spark.", "cursor_pos": 6}),
                          ("inspect_request", {"code": "spark", "cursor_pos": 5, "detail_level": 0})):
        tab.until_done(tab.send("shell", kind, content))
    assert jvms(alice) == {}


# ---- refusals: who does not have the cluster's secret, or speaks another way, gets nothing ----
NO_AUTH = {"spark.authenticate true": "spark.authenticate false"}
NO_CRYPTO = {"spark.network.crypto.enabled ": "spark.network.crypto.enabled false"}
NO_DISK = {"spark.io.encryption.enabled ": "spark.io.encryption.enabled false"}
WRONG = {
    "wrong-secret": ({"spark.authenticate.secret ": "spark.authenticate.secret " + "0" * 64}, "Authentication failed"),
    "no-secret": ({"spark.authenticate.secret ": ""}, "A secret key must be specified"),
    "no-authentication": ({**NO_AUTH, **NO_CRYPTO, **NO_DISK}, "Unknown challenge message"),
    "authentication-off": (NO_AUTH, "must be enabled"),
    "no-encryption": (NO_CRYPTO, "Unknown challenge message"),
    # Refused by chance: a master takes what it cannot decipher for a frame's length, and hangs up or waits for the rest.
    "other-cipher": ({"spark.network.crypto.cipher ": "spark.network.crypto.cipher AES/CTR/NoPadding"},
                     r"Connection from \S+ closed|Connection reset|Timeout waiting for task|All masters are unresponsive|Too large frame"),
}
REFUSED = """
import os, pathlib, re, shutil, subprocess, tempfile
folder = tempfile.mkdtemp()
for file in pathlib.Path(os.environ["SPARK_CONF_DIR"]).iterdir():
    shutil.copy(file, folder)
path = pathlib.Path(folder, "spark-defaults.conf")
lines = path.read_text().splitlines()
path.chmod(0o600)
for old, new in CHANGES.items():
    assert any(line.startswith(old) for line in lines), old
    lines = [new if line.startswith(old) else line for line in lines]
path.write_text("\\n".join(lines) + "\\n")
pathlib.Path(folder, "job.py").write_text(JOB)
# Spark itself tries on for a minute after the line; nothing changes in it.
job = subprocess.Popen([os.environ.get("PYSPARK_PYTHON", "python3"), folder + "/job.py"], env={**os.environ, "SPARK_CONF_DIR": folder},
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
said = ""
for line in job.stderr:
    said += line
    if re.search(LINE, line):
        break
else:
    print("ended by itself", job.wait())
try:
    os.killpg(job.pid, 9)
except ProcessLookupError:
    pass
print("RESULT", job.stdout.read(), "SAID", said[-3000:])
job.wait()
shutil.rmtree(folder)
"""
JOB = 'from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().range(10**7).selectExpr("sum(id)").show()\n'


@pytest.fixture(scope="module")
def cluster(alice):
    """The cluster is up: its first user is a plain session."""
    tab = alice.kernel()
    assert SUM in good(tab, LINE)
    alice.end_kernel(tab)
    until(lambda: alice.processes(DRIVER) == {}, "the driver's end")
    return alice


@pytest.mark.parametrize("name", WRONG)
def test_script_with_another_configuration_is_refused(cluster, tab, name):
    changes, line = WRONG[name]
    text = good(tab, f"CHANGES, JOB, LINE = {changes!r}, {JOB!r}, {line!r}\n" + REFUSED)
    assert SUM not in text and re.search(line, text.partition("SAID")[2]), text
    until(lambda: cluster.processes(DRIVER) == {}, "the driver's end")


@pytest.mark.parametrize("key, value", [("spark.authenticate", "false"), ("spark.network.crypto.enabled", "false"),
                                        ("spark.master", "local[2]"), ("spark.ui.port", "4040")])
def test_what_the_site_fixes_is_said_and_stays(cluster, tab, key, value):
    _, said, error = cell(tab, f"""
        from pyspark.sql import SparkSession
        mine = SparkSession.builder.config({key!r}, {value!r}).getOrCreate()""")
    assert error is None and f"This site or this server fixes {key}" in said, (error, said)
    assert good(tab, f"print(mine.sparkContext.getConf().get({key!r}))").strip() != value
    assert SUM in good(tab, LINE)


# ---- what is where ----
def secret_of(alice):
    """As the driver's file has it, read from outside the container."""
    conf = pathlib.Path(f"/proc/{alice.agent()}/root/run/cygnet/secrets/spark/driver/spark-defaults.conf")
    return re.search(r"spark\.authenticate\.secret (\w{64})", conf.read_text()).group(1)


LOOK = """
import base64, glob, hashlib, hmac, json, re, time, urllib.request
def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")
def locked(port):
    for path in glob.glob("/run/cygnet/secrets/spark/sessions/*/spark-defaults.conf"):
        held = dict(line.split(" ", 1) for line in open(path).read().splitlines())
        if held["spark.ui.port"] == str(port):
            key = base64.urlsafe_b64decode(held["spark.org.apache.spark.ui.JWSFilter.param.secretKey"])
            signed = text(b'{"alg":"HS256","typ":"JWT"}') + b"." + text(json.dumps({"exp": int(time.time()) + 60}).encode())
            return {"Authorization": f"Bearer {(signed + b'.' + text(hmac.new(key, signed, hashlib.sha256).digest())).decode()}"}
    return {}
def page(port, path):
    return urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=locked(port))).read().decode()
conf = dict(sc.getConf().getAll())
app, ui = sc.applicationId, conf["spark.ui.port"]
"""


def test_secret_is_where_spark_needs_it_and_nowhere_else(site, cluster, tab):
    alice = cluster
    good(tab, LINE)
    secret = secret_of(alice).encode()
    for pid, words in alice.processes().items():
        assert secret not in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes(), words
        if secret in pathlib.Path(f"/proc/{pid}/environ").read_bytes():
            assert EXECUTOR in words or "pyspark.daemon" in words, words
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert secret not in path.read_bytes(), path
        except (ProcessLookupError, FileNotFoundError):
            continue
    # Everything that the site keeps: run folder with the logs, the hub's database, homes, configuration.
    looked = [path for path in site.tmp.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {"hub.db", "spark-master.log", "spark-worker.log"} <= {path.name for path in looked}
    assert [path for path in looked if secret in path.read_bytes()] == []
    assert secret.decode() not in site.program.log
    # Pages and responses: the hub's, the driver's, the master's.
    answer = alice.ask("GET", "/hub/api/cygnet/servers/alice/spark")
    assert secret not in answer.data
    shown = {one["name"]: one for one in answer.json["properties"]}
    assert shown["spark.authenticate.secret"]["value"] is None and shown["spark.authenticate.secret"]["locked"]
    assert shown["spark.network.crypto.cipher"]["layer"] == "policy" and shown["spark.driver.memory"]["layer"] == "cluster"
    web_ui = re.search(r"--webui-port (\d+)", alice.processes(MASTER).popitem()[1]).group(1)
    pages = good(tab, LOOK + f"""
paths = ["/environment/", "/executors/", "/jobs/", f"/api/v1/applications/{{app}}/environment", f"/api/v1/applications/{{app}}/executors"]
print(json.dumps([page(ui, path) for path in paths] + [page({web_ui}, path) for path in ("/", "/json/")]))""")
    assert len(json.loads(pages)) == 7 and "(redacted)" in pages
    assert secret.decode() not in pages
    assert good(tab, "import os; print(secret in str(dict(os.environ)) if (secret := open(os.environ['SPARK_CONF_DIR']"
                     " + '/spark-defaults.conf').read().split('authenticate.secret ')[1][:64]) else 0)") == "False\n"


def test_files_of_secrets_are_for_the_owner_alone(cluster, tab):
    good(tab, LINE)
    folder = pathlib.Path(f"/proc/{cluster.agent()}/root/run/cygnet/secrets/spark")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"cluster.json", "spark-defaults.conf", "spark-env.sh", "session.json", "gateway"} == {path.name for path in files}
    assert {path.stat().st_mode & 0o777 & ~0o200 for path in files} == {0o400}, files
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_dir()} | {folder.stat().st_mode & 0o777} == {0o700}


# ---- the wire ----
BROADCAST = LOOK + """
held = sc.broadcast("BCASTMARK" * 2000)
assert sc.parallelize(range(4), 2).map(lambda n: len(held.value)).collect() == [18000] * 4
"""


class Capture:
    """tcpdump on loopback with a filter, in the namespace of a process."""

    def __init__(self, daemons, path, ports, pid="self"):
        self.path = path
        rule = " or ".join(f"tcp port {port}" for port in ports)
        # Immediate: else what the kernel has gathered for up to a second is not seen when tcpdump is told to end.
        self.program = daemons.start(
            ["nsenter", f"--net=/proc/{pid}/ns/net", "tcpdump", "--immediate-mode", "-B", "65536", "-Z", "root", "-i", "lo", "-s0", "-U",
             "-w", path, rule], name="tcpdump")
        self.program.wait_line("listening on lo")

    def stop(self):
        """(packets, how often the marker was seen)"""
        self.program.stop()
        data = self.path.read_bytes()
        assert "0 packets dropped by kernel" in self.program.log
        packets = int(re.search(r"(\d+) packets captured", self.program.log).group(1))
        return packets, data.count(b"BCASTMARK")


def test_broadcast_is_not_readable_on_the_wire(cluster, tab, daemons, tmp_path):
    good(tab, 'swan_spark_conf.set("spark.broadcast.compress", "false"); sc')
    good(tab, LINE)
    seen = json.loads(good(tab, LOOK + """
executors = json.loads(page(ui, f"/api/v1/applications/{app}/executors"))
print(json.dumps([conf["spark.master"], conf["spark.driver.port"]] + [one["hostPort"] for one in executors]))"""))
    ports = [one.rsplit(":")[-1] for one in seen]
    assert len(set(ports)) >= 4, seen  # the master's, the driver's, its block manager's and an executor's
    capture = Capture(daemons, tmp_path / "on.pcap", ports, cluster.agent())
    good(tab, BROADCAST)
    packets, markers = capture.stop()
    assert packets > 50 and markers == 0


def test_the_same_broadcast_is_readable_without_encryption(daemons, tmp_path):
    """The oracle of the test above: a plain cluster, started here."""
    prefix = places.prefix("spark")
    home = prefix / "lib/python3.11/site-packages/pyspark"
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "spark-defaults.conf").write_text(
        "spark.master spark://127.0.0.1:17440\nspark.driver.host 127.0.0.1\nspark.driver.port 17450\n"
        "spark.driver.blockManager.port 17451\nspark.blockManager.port 17452\nspark.broadcast.compress false\n"
        "spark.driver.memory 512m\nspark.executor.memory 512m\nspark.ui.port 17453\n")
    env = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_CONF_DIR": str(conf), "SPARK_DAEMON_MEMORY": "256m",
           "SPARK_WORKER_DIR": str(tmp_path / "work"), "PYSPARK_PYTHON": str(prefix / "bin/python")}
    run = [home / "bin/spark-class"]
    master = daemons.start([*run, "org.apache.spark.deploy." + MASTER[7:], "--host", "127.0.0.1", "--port", "17440", "--webui-port",
                            "17441"], name="master", env=env)
    worker = daemons.start([*run, "org.apache.spark.deploy." + WORKER[7:], "--host", "127.0.0.1", "--cores", "1", "--memory", "1g",
                            "--webui-port", "17442", "spark://127.0.0.1:17440"], name="worker", env=env)
    worker.wait_line("Successfully registered with master", ceiling=places.JVM_CEILING)
    job = tmp_path / "job.py"
    job.write_text("from pyspark.sql import SparkSession\nsc = SparkSession.builder.getOrCreate().sparkContext\n"
                   + BROADCAST.replace(LOOK, ""))
    capture = Capture(daemons, tmp_path / "off.pcap", [17440, 17450, 17451, 17452])
    driver = daemons.start([prefix / "bin/python", job], name="driver", env=env)
    assert driver.wait_exit(places.JVM_CEILING) == 0
    packets, markers = capture.stop()
    assert packets > 50 and markers > 100
    for program in (worker, master):
        program.stop(status=None)


# ---- the same for everybody ----
SCRIPT = """
import json, urllib.request
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.range(10**7).selectExpr("sum(id)").show()
print("CONF", json.dumps(dict(spark.sparkContext.getConf().getAll())))
"""
SAME = ("spark.authenticate", "spark.network.crypto.enabled", "spark.network.crypto.cipher", "spark.io.encryption.enabled",
        "spark.network.crypto.saslFallback", "spark.network.crypto.authEngineVersion", "spark.master", "spark.executor.memory",
        "spark.driver.memory", "spark.cores.max", "spark.driver.host")


def test_script_and_submit_get_the_same_configuration_beside_a_notebook(cluster, tab):
    good(tab, LINE)
    mine = json.loads(good(tab, LOOK + "print(json.dumps(conf))"))
    good(tab, f"open('job.py', 'w').write({SCRIPT!r})")
    for command in ("$PYSPARK_PYTHON job.py", "$SPARK_HOME/bin/spark-submit job.py"):
        text = good(tab, f"import subprocess\ndone = subprocess.run({command!r}, shell=True, capture_output=True, text=True)\n"
                         "print(done.stdout if done.returncode == 0 else done)")
        assert SUM in text, text
        theirs = json.loads(re.search(r"^CONF (.*)$", text, re.M).group(1))
        assert {key: theirs.get(key) for key in SAME} == {key: mine.get(key) for key in SAME}
        assert theirs["spark.network.crypto.cipher"] == "AES/GCM/NoPadding" and theirs["spark.authenticate"] == "true"
    assert SUM in good(tab, LINE)


TAGS = LOOK + """
jobs = json.loads(page(ui, f"/api/v1/applications/{app}/jobs"))
print(json.dumps([sorted(tag for tag in job["jobTags"] if tag.startswith("cyg-")) for job in jobs]))
"""


@pytest.fixture
def another(cluster):
    """another(): one more notebook. One is opened when it is used: whose messages nobody reads is cut off."""
    tabs = []

    def start():
        tabs.append(cluster.kernel())
        return tabs[-1]

    yield start
    for tab in tabs:
        cluster.end_kernel(tab)
    until(lambda: cluster.processes(DRIVER) == {}, "the drivers' end")


def test_third_application_runs_beside_two_others(another):
    """Before, the worker had room for two, and the third waited for ever."""
    for _ in range(3):
        assert SUM in good(another(), LINE)


def test_jobs_of_a_session_made_by_the_user_are_tagged_with_their_cell(cluster, tab):
    make = "from pyspark.sql import SparkSession\nmine = SparkSession.builder.appName('mine').getOrCreate()\nsc = mine.sparkContext\n"
    count = "print(sc.parallelize(range(10), 2).count())"
    for code, cell_id in ((make + count, "one"), (count, "two")):
        msg_id = tab.send("shell", "execute_request", {"code": code, "silent": False, "store_history": True, "user_expressions": {},
                          "allow_stdin": False, "stop_on_error": True}, metadata={"cellId": cell_id})
        assert stream(tab.until_done(msg_id)) == "10\n"
        # The newest job comes first.
        assert json.loads(good(tab, TAGS))[0] == sorted([f"cyg-cell-{cell_id}", f"cyg-kernel-{tab.id}", f"cyg-msg-{msg_id}"])


# ---- a server without it ----
def test_server_without_a_cluster_has_no_spark(site):
    bob = site.person("bob")
    bob.start({"profile": "standard", "stack": "2026a"})
    assert bob.server()["cygnet"]["spark"] is False
    assert bob.ask("GET", bob.base + "api/cygnet/spark").status == 404
    answer = bob.ask("GET", "/hub/api/cygnet/servers/bob/spark")
    assert (answer.status, answer.json["message"]) == (404, "This server was started without Spark.")
    tab = bob.kernel()
    assert cell(tab, "spark")[2].startswith("NameError")
    bob.end_kernel(tab)
    bob.stop()


# ---- the end ----
def test_nothing_of_it_stays_when_the_server_stops(site, cluster):
    tab = cluster.kernel()
    good(tab, LINE)
    tab.close()
    secret = secret_of(cluster).encode()
    assert len(jvms(cluster)) >= 4
    cluster.stop()
    until(lambda: cluster.processes() == {}, "the end of every process")
    assert list((site.run / "servers").iterdir()) == []
    looked = [path for path in site.tmp.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in looked if secret in path.read_bytes()] == []
    rows = sqlite3.connect(f"file:{next(site.state.rglob('hub.db'))}?mode=ro", uri=True)
    assert secret.decode() not in "\n".join(rows.iterdump())
    rows.close()
