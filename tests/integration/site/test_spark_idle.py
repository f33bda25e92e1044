"""A Spark session that nobody uses is released, with a countdown before, and never while a job runs."""

import os
import time

import pytest
from lib import places
from lib.agent import stream
from lib.spark_site import CHOICE, DRIVER, reply_of
from lib.whole_site import WholeSite, until

IDLE_S = 6


@pytest.fixture
def alice(tmp_path, daemons):
    if os.geteuid() != 0:
        pytest.skip("NOT RUN: the sandbox of this test needs root")
    site = WholeSite(tmp_path, daemons, 8021, agent_word=f"--spark-idle={IDLE_S}s")
    person = site.person("alice")
    person.start(CHOICE)
    yield person
    site.stop()


def run(tab, code):
    messages = tab.until_done(tab.execute(code))
    reply = reply_of(messages)
    assert reply["status"] == "ok", reply
    return stream(messages), stream(messages, "stderr")


def session(alice):
    return alice.get("api/cygnet/spark/connections")["connections"][-1]


def test_released_when_nobody_uses_it(alice):
    tab = alice.kernel()
    # Longer than the idle time: a cell that runs is use.
    run(tab, f"spark.range(3).count()\nimport time; time.sleep({IDLE_S + 3})")
    assert session(alice)["state"] == "ready"
    # A job in a thread that outlives its cell is use.
    run(tab, f"import threading\nthread = threading.Thread(target=lambda: sc.parallelize([1], 1).map(lambda n: time.sleep({2 * IDLE_S})).collect())\nthread.start()")
    begun = time.monotonic()
    until(lambda: session(alice)["idle_ends"] is not None, "the countdown")
    while time.monotonic() < begun + 2 * IDLE_S - 2:
        assert session(alice)["state"] == "ready"
        time.sleep(0.5)
    # Then nobody uses it.
    until(lambda: session(alice)["state"] == "lost", "the release", places.JVM_CEILING)
    assert "Nobody used this Spark session" in session(alice)["cause"]
    until(lambda: alice.processes(DRIVER) == {}, "the driver's end")
    text, said = run(tab, "print(spark.range(4).count())")
    assert text == "4\n" and "Nobody used this Spark session" in said
    alice.end_kernel(tab)
    alice.stop()
