"""Spark in a server of the whole site beside Spark's own scripts on this machine, in turns: the first result and its CPU, a heavy
job, and the first result after a restart of the kernel. The same cores and memory for both. Use: spark.py [ROUNDS]"""

import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

import rig
from rig import places

sys.path.insert(0, str(rig.ROOT / "tests/integration"))
from lib import leftovers  # noqa: E402
from lib.agent import stream  # noqa: E402
from lib.whole_site import WholeSite, until  # noqa: E402

CHOICE = {"profile": "spark", "stack": "2026a", "cluster": "own", "cores": 2, "memory_mb": 4096}
FIRST = 'spark.range(10**7).selectExpr("sum(id)").show()'
SUM = "49999995000000"
# Compute, and a shuffle with strings: what a quick compiler and a plain collector are bad at.
HEAVY = ('spark.range(0, 60_000_000, 1, 4).selectExpr("id % 1000 k", "sha2(cast(id as string), 256) h", "sqrt(id) r")'
         '.groupBy("k").agg({"h": "max", "r": "sum"}).count()')
OURS, STOCK = "cygnet-agent", "Spark's own scripts"
PORT = 8031


def tree_cpu(pid):
    """CPU seconds of a process, all below it, and all that of it has ended."""
    total = 0
    for one in [pid, *leftovers.children(pid)]:
        try:
            words = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(word) for word in words[11:15])
    return total / rig.TICKS


class Ours:
    def __init__(self, site, name):
        self.person = site.person(name)
        self.person.start(CHOICE)
        self.tab = self.person.kernel()
        self.run("1 + 1")

    def run(self, code):
        """(seconds, what it printed)"""
        begin = time.monotonic()
        messages = self.tab.until_done(self.tab.execute(code))
        seconds = time.monotonic() - begin
        reply = next(m["content"] for m in messages if m["header"]["msg_type"] == "execute_reply")
        assert reply["status"] == "ok", reply
        return seconds, stream(messages)

    def init(self):
        """init is the parent of the agent: it has waited for all that has ended."""
        stat = pathlib.Path(f"/proc/{self.person.agent()}/stat").read_text()
        return int(stat.rpartition(")")[2].split()[1])

    def connect(self):
        answer = self.person.ask("POST", self.person.base + "api/cygnet/spark/connections", {"kernel": self.tab.id, "flavour": "connect"})
        assert answer.status == 202, answer.data

    def restart(self):
        answer = self.person.ask("POST", f"{self.person.base}api/kernels/{self.tab.id}/restart")
        assert answer.status == 200, answer.data
        self.tab.close()
        self.tab.connect()

    def stop(self):
        self.person.end_kernel(self.tab)
        self.person.stop()
        until(lambda: self.person.processes() == {}, "the end of the server")


SCRIPT = f"""
import sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
{FIRST}
print("FIRST", time.time(), flush=True)
for line in sys.stdin:
    begin = time.monotonic()
    {HEAVY}
    print("HEAVY", time.monotonic() - begin, flush=True)
"""


class Stock:
    """start-master.sh, start-worker.sh and a script, as Spark's documentation says it, with its own options."""

    def __init__(self, tmp):
        self.prefix = places.prefix("spark")
        home = next(self.prefix.glob("lib/python3*/site-packages/pyspark"))
        self.tmp = tmp
        for name in ("conf", "log", "work", "pid"):
            (tmp / name).mkdir(parents=True)
        (tmp / "conf/spark-defaults.conf").write_text(
            "spark.master spark://127.0.0.1:17540\nspark.driver.host 127.0.0.1\nspark.driver.memory 1g\nspark.executor.memory 1g\n"
            "spark.cores.max 2\nspark.ui.port 17543\n")
        self.env = {"PATH": f"{self.prefix}/bin:/usr/bin:/bin", "HOME": str(tmp), "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1",
                    "SPARK_CONF_DIR": str(tmp / "conf"), "SPARK_LOG_DIR": str(tmp / "log"), "SPARK_PID_DIR": str(tmp / "pid"),
                    "SPARK_WORKER_DIR": str(tmp / "work"), "SPARK_MASTER_HOST": "127.0.0.1", "SPARK_MASTER_PORT": "17540",
                    "SPARK_MASTER_WEBUI_PORT": "17541", "SPARK_WORKER_CORES": "2", "SPARK_WORKER_MEMORY": "2g",
                    "PYSPARK_PYTHON": str(self.prefix / "bin/python")}
        (tmp / "job.py").write_text(SCRIPT)
        before = tree_cpu(os.getpid())
        begin = time.time()
        self.daemons = [self.spawn([home / "bin/spark-class", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1",
                                    "--port", "17540", "--webui-port", "17541"], "master"),
                        self.spawn([home / "bin/spark-class", "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1",
                                    "--cores", "2", "--memory", "2g", "--webui-port", "17542", "spark://127.0.0.1:17540"], "worker")]
        self.driver = self.spawn([self.prefix / "bin/python", tmp / "job.py"], "driver")
        self.first = float(self.line("FIRST")) - begin
        self.cpu = tree_cpu(os.getpid()) - before

    def spawn(self, argv, name):
        with open(self.tmp / f"log/{name}.err", "wb") as log:
            return subprocess.Popen(argv, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                    start_new_session=True)

    def line(self, word):
        for line in self.driver.stdout:
            if line.startswith(word):
                return line.split()[1]
        raise AssertionError((self.tmp / "log/driver.err").read_text()[-3000:])

    def heavy(self):
        self.driver.stdin.write("go\n")
        self.driver.stdin.flush()
        return float(self.line("HEAVY"))

    def stop(self):
        for one in (self.driver, *self.daemons):
            os.killpg(one.pid, signal.SIGKILL)
            one.communicate()
        time.sleep(1)  # executors are their worker's children, and see that it is gone


def measure_ours(site, name, figures):
    one = Ours(site, name)
    try:
        init = one.init()
        before = tree_cpu(init)
        seconds, text = one.run(FIRST)
        assert SUM in text
        figures["first"].append(seconds)
        figures["cpu"].append(tree_cpu(init) - before)
        one.run(HEAVY)
        figures["heavy"].append(one.run(HEAVY)[0])
    finally:
        one.stop()


def measure_restart(site, name, figures):
    """Both of one server: the first use of connect, and the use after a restart of the kernel."""
    one = Ours(site, name)
    try:
        begin = time.monotonic()
        one.connect()
        until(lambda: (one.person.get("api/cygnet/spark/connections")["connections"] or [{}])[-1].get("state") == "ready",
              "the session", places.JVM_CEILING)
        assert SUM in one.run(FIRST)[1]
        figures["connect"].append(time.monotonic() - begin)
        one.restart()
        one.run("1 + 1")
        seconds, text = one.run(FIRST)
        assert SUM in text
        figures["restart"].append(seconds)
    finally:
        one.stop()


def main(rounds):
    ours = {name: [] for name in ("first", "cpu", "heavy", "connect", "restart")}
    stock = {name: [] for name in ("first", "cpu", "heavy")}
    with rig.programs() as (group, tmp):
        (tmp / "site").mkdir()
        site = WholeSite(tmp / "site", group, PORT)
        for number in range(rounds):
            measure_ours(site, "alice", ours)
            one = Stock(tmp / f"stock{number}")
            try:
                stock["first"].append(one.first)
                stock["cpu"].append(one.cpu)
                one.heavy()
                stock["heavy"].append(one.heavy())
            finally:
                one.stop()
        measure_restart(site, "bob", ours)
        site.stop()
        subprocess.run(["rm", "-rf", *[str(tmp / f"stock{number}") for number in range(rounds)], str(tmp / "site")], check=True)
    titles = {"first": "Spark, first result", "cpu": "Spark, CPU of the first result", "heavy": "Spark, heavy job"}
    rows = [{"row": titles[name], "who": who, "value": statistics.median(figures[name]), "unit": "s"}
            for who, figures in ((OURS, ours), (STOCK, stock)) for name in titles]
    rows += [{"row": "Spark, kernel restarted", "who": who, "value": statistics.median(ours[name]), "unit": "s"}
             for who, name in ((OURS, "restart"), ("its first use", "connect"))]
    rig.write("spark", rows)


main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
