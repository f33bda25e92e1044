"""The Spark module in a kernel, with a fake agent that starts real drivers: nothing starts before its use, what a start
says, tags, interrupts, settings, errors in plain words. One driver serves most of the file."""

import json
import os
import pathlib
import re
import signal
import time

import pytest
from lib import places
from lib.spark_kernel import FakeAgent

FRAMES = re.compile(r"py4j|/pyspark/|cygnet_spark|java\.lang|\tat ")


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
    """Its session is up."""
    one = agent.kernel()
    one.good("spark.range(3).count()")
    yield one
    one.end()


@pytest.fixture
def fresh(agent):
    agent.plan()
    one = agent.kernel()
    yield one
    one.end()
    agent.plan()


# ---- nothing starts before it is used ----
BEFORE = {
    "functions": "from pyspark.sql import functions as F, types as T, Window",
    "ml": "import pyspark.ml.feature, pyspark.ml.classification, pyspark.ml.regression",
    "pandas": "import os; os.environ['PYARROW_IGNORE_TIMEZONE'] = '1'; import pyspark.pandas as ps",
    "udf": "from pyspark.sql.functions import udf\n@udf('long')\ndef plus(x): return x + 1",
    "typed-udf": "from pyspark.sql.functions import udf\n@udf\ndef name(x): return str(x)",
    "pandas-udf": "import pandas as pd\nfrom pyspark.sql.functions import pandas_udf\n@pandas_udf('long')\n"
                  "def twice(x: pd.Series) -> pd.Series: return 2 * x",
    "isinstance": "from pyspark.sql import SparkSession\nfrom pyspark import SparkContext, SparkConf\n"
                  "assert isinstance(spark, SparkSession) and isinstance(sc, SparkContext) and isinstance(swan_spark_conf, SparkConf)",
    "looks": "spark\nsc\nprint(spark, sc)\nrepr(spark)\nhasattr(spark, '_repr_html_')",
    "settings": "swan_spark_conf.set('spark.sql.shuffle.partitions', '3').get('spark.sql.shuffle.partitions')",
}


@pytest.fixture(scope="module")
def untouched(agent):
    one = agent.kernel()
    yield one
    one.end()


@pytest.mark.parametrize("name", BEFORE)
def test_works_before_the_first_use_and_starts_nothing(agent, untouched, name):
    known = len(agent.requests())
    untouched.good(BEFORE[name])
    assert agent.requests()[known:] == []


def test_looking_at_a_name_starts_nothing(agent, untouched):
    known = len(agent.requests())
    assert "range" in " ".join(untouched.complete("spark.ra"))
    untouched.good("spark?")
    assert agent.requests()[known:] == []


def test_what_was_made_before_the_first_use_works_after_it(agent, untouched):
    """And a function of PySpark is a use: it starts the session instead of an AssertionError without a word."""
    untouched.good(BEFORE["functions"] + "\n" + BEFORE["udf"])
    done = untouched.good("column = F.col('id') + F.lit(1)")
    assert agent.session_of(untouched)["state"] == "ready"
    assert agent.session_of(untouched)["options"] == {"spark.sql.shuffle.partitions": "3"}
    done = untouched.good("print(spark.range(5).select(plus(column)).collect()[4][0], type(spark).__module__)")
    assert done.text.split()[0] == "6" and "pyspark.sql" in done.text


# ---- what a start says ----
def test_a_start_says_how_far_it_is_in_one_line(agent, fresh):
    agent.plan(hold="driver")
    msg = fresh.send("spark.range(4).count()")
    seen = fresh.wait_output("Starting the driver … [1-9]")
    agent.plan()
    done = fresh.finish(msg)
    assert "Starting the cluster" in seen and "Asking" in seen
    ids = {one for one, data in done.shown if one is not None}
    assert len(ids) == 1
    assert re.fullmatch(r"Spark \S+ on own, ready in \d+ s", done.lines[-2]), done.lines
    assert done.lines[-1] == "4"


def test_a_start_that_fails_says_why_in_a_sentence(agent, fresh):
    agent.plan(fail={"cause": "The cluster could not start: its memory is not there.", "hint": "Start a larger server.", "log": None})
    done = fresh.run("spark.range(4).count()")
    assert done.error.startswith("SparkRefused: Spark could not start: The cluster could not start: its memory is not there.")
    assert "Start a larger server." in done.error and not FRAMES.search(done.traceback)
    assert "spark.range(4)" in done.traceback  # the user's own line
    agent.plan()
    assert fresh.good("spark.range(4).count()").lines[-1] == "4"


def test_interrupting_a_start_gives_up_waiting_and_the_next_use_goes_on(agent, fresh):
    agent.plan(hold="driver")
    msg = fresh.send("spark.range(4).count()")
    fresh.wait_output("Starting the driver")
    began = fresh.interrupt()
    done = fresh.finish(msg)
    assert time.monotonic() - began < 2 + 3
    assert done.error.startswith("SparkInterrupted") and not FRAMES.search(done.traceback), done.traceback
    assert fresh.good("1 + 1").lines == ["2"]
    agent.plan()
    assert fresh.good("spark.range(4).count()").lines[-1] == "4"
    assert len([one for one in agent.sessions() if one["kernel"] == fresh.id]) == 1


# ---- tags ----
def tags_of(agent, kernel):
    return [set(tag for tag in job["jobTags"] if tag.startswith("cyg-")) for job in reversed(agent.rest(kernel, "jobs"))]


def test_first_spark_command_of_a_cell_sends_its_tags_and_tells_the_agent(agent, kernel):
    known = len(agent.requests("/cells$"))
    msg = kernel.send("spark.range(3).count()\nspark.range(4).count()", cell="cell-one")
    kernel.finish(msg)
    told = agent.wait_request("/cells$", known)
    assert told["body"]["cell"] == "cell-one" and told["body"]["msg"] == msg and told["body"]["execution_count"] > 0
    assert told["path"] == f"/sessions/{agent.session_of(kernel)['id']}/cells"
    assert tags_of(agent, kernel)[-1] == {f"cyg-kernel-{kernel.id}", "cyg-cell-cell-one", f"cyg-msg-{msg}"}
    assert len(agent.requests("/cells$")) == known + 1  # once for a cell
    kernel.good("sc.addJobTag('mine'); sc.parallelize(range(3)).count()", cell="cell-two")
    kernel.good("sc.parallelize(range(3)).count()", cell="cell-three")
    jobs = agent.rest(kernel, "jobs")
    assert "mine" in jobs[0]["jobTags"] and "cyg-cell-cell-three" in jobs[0]["jobTags"] and "cyg-cell-cell-two" not in jobs[0]["jobTags"]
    kernel.good("sc.removeJobTag('mine')")


def test_threads_that_inherit_carry_the_tags_and_plain_ones_none(agent, kernel):
    kernel.good("""
import threading
from pyspark import InheritableThread
job = lambda name: sc.parallelize(range(2)).count()
for kind in (InheritableThread, threading.Thread):
    thread = kind(target=job, args=("x",))
    thread.start(); thread.join()
""", cell="threads")
    plain, inherited = agent.rest(kernel, "jobs")[:2]
    assert "cyg-cell-threads" in inherited["jobTags"]
    assert not any(tag.startswith("cyg-") for tag in plain["jobTags"])


def test_cell_without_spark_touches_no_driver(agent, kernel):
    """Not even one that hangs."""
    pid = agent.driver(kernel)
    known = len(agent.requests())
    os.kill(pid, signal.SIGSTOP)
    try:
        msg = kernel.send("1 + 1")
        done = kernel.finish(msg, ceiling=30)
        assert done.lines == ["2"]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert [one for one in agent.requests()[known:] if "not=ready" not in one["path"]] == []


# ---- interrupts ----
SLOW = "sc.parallelize(range({n}), {n}).map(lambda x: __import__('time').sleep({s})).count()"


def running(jobs, cell):
    return [job for job in jobs if f"cyg-cell-{cell}" in job["jobTags"] and job["status"] == "RUNNING"]


def test_interrupt_cancels_the_jobs_of_that_cell_and_no_other(agent, kernel):
    kernel.good("""
from pyspark import InheritableThread
other = InheritableThread(target=lambda: kept.append(""" + SLOW.format(n=1, s=4) + """))
kept = []
other.start()""", cell="other")
    msg = kernel.send(SLOW.format(n=2, s=60), cell="long")
    agent.wait_jobs(kernel, lambda jobs: running(jobs, "long") and running(jobs, "other"))
    began = kernel.interrupt()
    agent.wait_jobs(kernel, lambda jobs: not running(jobs, "long"))
    assert time.monotonic() - began < 2
    done = kernel.finish(msg)
    assert time.monotonic() - began < 2 + 3
    assert done.error.startswith("SparkInterrupted: You interrupted this cell; its Spark jobs are cancelled.")
    assert not FRAMES.search(done.traceback) and "parallelize" in done.traceback and done.traceback.count("\n") < 15, done.traceback
    assert kernel.good("other.join(); print(kept)").text == "[1]\n"
    # The same connection goes on: the thread's own properties are still set.
    kernel.good("sc.setLocalProperty('mine', '7')")
    msg = kernel.send(SLOW.format(n=2, s=60), cell="again")
    agent.wait_jobs(kernel, lambda jobs: running(jobs, "again"))
    kernel.interrupt()
    kernel.finish(msg)
    assert kernel.good("print(sc.getLocalProperty('mine'), spark.range(7).count())").text == "7 7\n"


def test_interrupt_while_rows_come_over_a_socket_of_their_own(agent, kernel):
    """toPandas with Arrow waits on a socket, and then for the job that serves it."""
    msg = kernel.send("""
from pyspark.sql.functions import udf
slow = udf(lambda x: __import__('time').sleep(60) or x, 'long')
spark.conf.set('spark.sql.execution.arrow.pyspark.enabled', 'true')
spark.range(4).repartition(2).select(slow('id')).toPandas()""", cell="arrow")
    agent.wait_jobs(kernel, lambda jobs: running(jobs, "arrow"))
    began = kernel.interrupt()
    agent.wait_jobs(kernel, lambda jobs: not running(jobs, "arrow"))
    assert time.monotonic() - began < 2
    done = kernel.finish(msg)
    assert done.error is not None and kernel.good("spark.range(5).count()").lines == ["5"]
