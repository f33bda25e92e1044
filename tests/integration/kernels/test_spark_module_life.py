"""The Spark module in a kernel, with a fake agent that starts real drivers: a driver that is lost, a restarted kernel, stop(),
and Spark Connect."""

import json
import os
import re
import signal
import time

import pytest
from lib.spark_kernel import FakeAgent

FRAMES = re.compile(r"py4j|/pyspark/|cygnet_spark|java\.lang|\tat |grpc")


@pytest.fixture(scope="module")
def agent(file_tmp, file_daemons):
    one = FakeAgent(file_daemons, file_tmp)
    yield one
    one.stop()


@pytest.fixture(autouse=True)
def _nothing_left():
    """Instead of the check after each test: kernels and drivers live through the file. What the whole file leaves counts."""


@pytest.fixture(scope="module")
def kernel(agent):
    one = agent.kernel()
    one.good("spark.range(3).count()")
    yield one
    one.end()


SLOW = "sc.parallelize(range(2), 2).map(lambda x: __import__('time').sleep(60)).count()"


# ---- a kernel that is restarted ----
def test_restarted_kernel_finds_its_session_again(agent, kernel):
    kernel.good("spark.range(7).createOrReplaceTempView('kept'); spark.sql('cache table kept')")
    driver = agent.driver(kernel)
    kernel.restart()
    done = kernel.good("spark.sql('select count(*) from kept').collect()[0][0]")
    assert done.lines[-1] == "7" and agent.driver(kernel) == driver
    assert "Attached again to the Spark session of this notebook" in done.said
    # Everything that needs Python's own half works in the adopted context.
    done = kernel.good("""
from pyspark.sql.functions import udf
print(spark.range(3).select(udf(lambda x: x + 1, 'long')('id')).collect()[2][0])
counted = sc.accumulator(0)
sc.parallelize(range(10)).foreach(lambda x: counted.add(x))
held = sc.broadcast([1, 2])
seen = []
query = spark.readStream.format('rate').load().writeStream.foreachBatch(lambda rows, number: seen.append(number))
query = query.trigger(once=True).start()
query.awaitTermination(60)
print(counted.value, sc.parallelize([0]).map(lambda x: held.value).collect(), seen)""")
    assert done.text == "3\n45 [[1, 2]] [0]\n"
    assert "Attached again" not in kernel.good("spark.range(3).count()").said  # said once


# ---- what the driver prints ----
def test_what_the_driver_prints_reaches_the_notebook(kernel):
    msg = kernel.send("""
lines = spark.range(3).selectExpr("concat('row-', id) as name")
spark._jvm.System.out.println('printed by the driver')
import time; time.sleep(1)""")
    assert "printed by the driver" in kernel.wait_output("printed by the driver")
    assert kernel.finish(msg).error is None


# ---- settings ----
def test_settings_that_cannot_apply_to_a_running_session_are_named(kernel):
    done = kernel.good("""
from pyspark.sql import SparkSession
other = SparkSession.builder.appName('x').config('spark.executor.memory', '3g').config('spark.sql.shuffle.partitions', '5').getOrCreate()
print(other.conf.get('spark.sql.shuffle.partitions'))""")
    assert done.text == "5\n"
    assert "spark.executor.memory" in done.said and "spark.stop()" in done.said
    assert "shuffle" not in done.said and "app.name" not in done.said
    done = kernel.good("swan_spark_conf.set('spark.executor.cores', '2')")
    assert "spark.executor.cores" in done.said and "spark.stop()" in done.said
    kernel.good("del swan_spark_conf._conf['spark.executor.cores']")


def test_no_secret_is_shown(agent, kernel):
    canary = agent.canary()
    done = kernel.good("""
from pyspark import SparkConf
swan_spark_conf.set('spark.hadoop.fs.s3a.secret.key', '""" + canary + """')
for one in (swan_spark_conf, sc.getConf(), SparkConf()):
    print(one.getAll(), one.toDebugString(), one)
print(spark.conf.getAll if not callable(spark.conf.getAll) else spark.conf.getAll())
print(sc.getConf().get('spark.authenticate.secret') == SparkConf().setAll(sc.getConf().getAll()).get('spark.authenticate.secret'))""")
    assert canary not in done.all and "redacted" in done.text and done.text.endswith("True\n")
    kernel.good("del swan_spark_conf._conf['spark.hadoop.fs.s3a.secret.key']")


# ---- stop ----
def test_stopped_session_says_so_and_the_next_takes_new_settings(agent, kernel):
    kernel.good("old = spark; frame = spark.range(3); context = sc")
    driver = agent.driver(kernel)
    done = kernel.good("spark.stop(); print(spark)")
    assert done.text == "<spark: ready when first used>\n"
    assert agent.requests("/sessions/")[-1]["method"] == "DELETE"
    for code in ("old.range(3)", "frame.count()", "context.parallelize([1])"):
        done = kernel.run(code)
        assert done.error.startswith("SparkStopped: This belongs to a Spark session that was stopped with stop().")
        assert not FRAMES.search(done.traceback) and code in done.traceback
    kernel.good("swan_spark_conf.set('spark.sql.session.timeZone', 'UTC')")
    done = kernel.good("""
from pyspark.sql import SparkSession
spark = SparkSession.builder.config('spark.hadoop.mine', ' a b').getOrCreate()
print(spark.sparkContext.getConf().get('spark.hadoop.mine'), spark.conf.get('spark.sql.session.timeZone'), spark.range(3).count())""")
    assert done.text == " a b UTC 3\n"
    now = agent.session_of(kernel)
    assert now["pid"] != driver and now["options"]["spark.hadoop.mine"] == " a b" and now["options"]["spark.sql.session.timeZone"] == "UTC"
    assert " a b".encode() not in open(f"/proc/{now['pid']}/cmdline", "rb").read()
    # The user's own name is kept; it is put back when that session is gone.
    assert kernel.good("sc.parallelize([1]).count()").lines == ["1"]


# ---- a driver that is lost ----
def test_lost_driver_is_named_with_its_cause_while_a_cell_waits(agent, kernel):
    kernel.good("""
from pyspark.sql.functions import udf
@udf('long')
def plus(x): return x + 1
frame = spark.range(3).select(plus('id')); frame.count()""")
    msg = kernel.send(SLOW, cell="lost")
    agent.wait_jobs(kernel, lambda jobs: any("cyg-cell-lost" in job["jobTags"] for job in jobs))
    agent.plan(exit_cause="The driver was ended because the server's memory is used up.")
    began = time.monotonic()
    os.kill(agent.driver(kernel), signal.SIGKILL)
    done = kernel.finish(msg)
    assert time.monotonic() - began < 5
    assert done.error.startswith("SparkLost: Spark's driver is lost: The driver was ended because the server's memory is used up.")
    assert not FRAMES.search(done.traceback) and "parallelize" in done.traceback
    assert "ERROR" not in done.said and "Traceback" not in done.said
    agent.plan()
    # What belonged to it says so; nothing of it is taken for an object of the next driver.
    done = kernel.run("frame.count()")
    assert done.error.startswith("SparkLost: Spark's driver is lost: The driver was ended because") and not FRAMES.search(done.traceback)
    done = kernel.good("print(spark.range(3).select(plus('id')).collect()[2][0])")
    assert done.text == "3\n"
    assert kernel.run("spark.range(3).unionAll(frame).count()").error.startswith("SparkLost")


def test_driver_lost_between_cells_is_named_at_the_next_use_which_works(agent, kernel):
    os.kill(agent.driver(kernel), signal.SIGKILL)
    end = time.monotonic() + 60
    while "ready when first used" not in kernel.good("print(spark)").text:  # looking touches no driver
        assert time.monotonic() < end
    done = kernel.good("spark.range(4).count()")
    assert "Spark's driver is lost: The driver was ended by signal 9. A new session starts." in done.said
    assert done.lines[-1] == "4" and not FRAMES.search(done.all)


def test_driver_that_hangs_is_given_up_by_an_interrupt(agent, kernel):
    pid = agent.driver(kernel)
    os.kill(pid, signal.SIGSTOP)
    try:
        msg = kernel.send("spark.range(4).count()")
        kernel.client.get_iopub_msg(timeout=60)
        time.sleep(0.5)
        began = kernel.interrupt()
        done = kernel.finish(msg)
        assert time.monotonic() - began < 2 + 3 and done.error.startswith("SparkInterrupted") and not FRAMES.search(done.traceback)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert kernel.good("spark.range(4).count()").lines == ["4"]


# ---- Spark Connect ----
@pytest.fixture(scope="module")
def remote(agent):
    one = agent.kernel()
    one.good("swan_spark_conf.set('spark.api.mode', 'connect')\nfrom pyspark.sql import functions as F\n"
             "from pyspark.sql.functions import udf\n@udf('long')\ndef plus(x): return x + 1")
    yield one
    one.end()


def test_connect_works_by_the_same_names(agent, remote):
    done = remote.good("frame = spark.range(5).select(plus(F.col('id')).alias('n')); print(frame.collect()[4].n, type(spark).__module__)")
    assert done.text.split() == ["5", "pyspark.sql.connect.session"]
    assert "ready in" in done.lines[-1]
    token = open(agent.run / "secrets/spark/sessions" / agent.session_of(remote)["id"] / "token").read()
    done = remote.good("import os; print(dict(os.environ), spark.client._builder.host)")
    assert token not in done.text and done.text.endswith("localhost\n")
    done = remote.run("sc.parallelize([1])")
    assert done.error.startswith("SparkProblem") and "Spark Connect" in done.error and not FRAMES.search(done.traceback)


def test_connect_tags_tells_and_cancels(agent, remote):
    known = len(agent.requests("/cells$"))
    msg = remote.send("spark.range(3).repartition(2).count()", cell="first")
    remote.finish(msg)
    assert agent.wait_request("/cells$", known)["body"]["cell"] == "first"
    tags = [tag for job in agent.rest(remote, "jobs") for tag in job["jobTags"]]
    assert any(tag.endswith("_Tag_cyg-cell-first") for tag in tags) and any(tag.endswith(f"_Tag_cyg-msg-{msg}") for tag in tags)
    msg = remote.send("slow = udf(lambda x: __import__('time').sleep(60) or x, 'long')\nspark.range(4).repartition(2).select(slow('id')).collect()", cell="long")

    def of_long(jobs):
        return [job for job in jobs if any(tag.endswith("cyg-cell-long") for tag in job["jobTags"]) and job["status"] == "RUNNING"]

    agent.wait_jobs(remote, of_long)
    began = remote.interrupt()
    agent.wait_jobs(remote, lambda jobs: not of_long(jobs))
    assert time.monotonic() - began < 2
    done = remote.finish(msg)
    assert "Interrupt" in done.error and not FRAMES.search(done.traceback), done.traceback


def test_connect_finds_its_views_after_a_restart(agent, remote):
    remote.good("spark.range(7).createOrReplaceTempView('kept')")
    remote.restart()
    done = remote.good("spark.sql('select count(*) from kept').collect()[0][0]")
    assert done.lines[-1] == "7" and "Attached again" in done.said


def test_connect_lost_server_is_named(agent, remote):
    remote.good("frame = spark.range(3)")
    os.kill(agent.driver(remote), signal.SIGKILL)
    done = remote.run("frame.count()")
    assert done.error.startswith("SparkLost: Spark's driver is lost: The driver was ended by signal 9."), done.error
    assert not FRAMES.search(done.traceback)
    done = remote.good("spark.range(4).count()")
    assert done.lines[-1] == "4"
