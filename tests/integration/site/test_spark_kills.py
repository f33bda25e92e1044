"""kill -9 of every part of Spark at moments that a seed draws, while a cell works: no cell waits long without a sentence, the next
cell works, and no JVM is left. SEED names another run; KILLS says how often each part is killed (1; `make deep` has more)."""

import os
import random
import textwrap
import threading
import time

import pytest
import websocket
from lib import places
from lib.agent import stream
from lib.spark_site import LINE, SUM, reply_of
from lib.spark_site import _nothing_left, alice, site  # noqa: F401  fixtures
from lib.whole_site import until

SEED = int(os.environ.get("SEED", "20260101"))
KILLS = int(os.environ.get("KILLS", "1"))
SILENCE_S = 30
WORK = """
    import time
    print("begun", flush=True)
    for n in range(6):
        spark.sparkContext.parallelize(range(2), 2).map(lambda x: time.sleep(0.5) or x).sum()
        spark.range(10 ** 5).selectExpr("id % 10 k").groupBy("k").count().collect()
        print("step", n, flush=True)
"""
WORDS = {"driver": "deploy.SparkSubmit", "worker": "deploy.worker.Worker", "master": "deploy.master.Master"}
# When: in the start of the session and in the work, as it is on an idle machine (s).
MOMENTS = {"driver": (0.5, 8), "worker": (2, 8), "master": (1, 8), "agent": (0, 8), "kernel": (0, 8)}


def draws():
    chance = random.Random(SEED)
    return [(part, round(chance.uniform(*MOMENTS[part]), 2)) for _ in range(KILLS) for part in MOMENTS]


def kill(alice, tab, part):
    """False: there is none at this moment."""
    if part == "agent":
        os.kill(alice.agent(), 9)
        return True
    found = alice.processes(WORDS.get(part, f"kernel-{tab.id}"))
    for pid in found:
        os.kill(pid, 9)
    return bool(found)


def follow(tab, msg):
    """(the longest silence in seconds, the reply or None when the connection or the kernel went first)"""
    last, longest, reply = time.monotonic(), 0, None
    while reply is None:
        try:
            message = tab.receive()
        except (ConnectionError, OSError, websocket.WebSocketException):
            break
        if message["parent_header"].get("msg_id") == msg or message["header"]["msg_type"] == "status":
            longest = max(longest, time.monotonic() - last)
            last = time.monotonic()
        if message["parent_header"].get("msg_id") == msg and message["header"]["msg_type"] == "execute_reply":
            reply = message["content"]
        if message["content"].get("execution_state") in ("restarting", "dead", "autorestarting"):
            break
    return max(longest, time.monotonic() - last), reply


@pytest.mark.parametrize("part, moment", draws())
def test_killed_at_a_moment_of_a_cell(alice, part, moment):
    tab = alice.kernel()
    msg = tab.execute(textwrap.dedent(WORK))
    done = []
    reader = threading.Thread(target=lambda: done.append(follow(tab, msg)))
    reader.start()
    time.sleep(moment)
    was_there = kill(alice, tab, part)
    reader.join(places.JVM_CEILING)
    assert done, "the cell does not end"
    silence, reply = done[0]
    print(f"{part} at {moment} s: {'killed' if was_there else 'not there'}, longest silence {silence:.1f} s, "
          f"{reply and (reply['status'], reply.get('evalue'))}")
    assert silence < SILENCE_S
    if reply and reply["status"] == "error":
        assert "py4j" not in reply["evalue"] and len(reply["traceback"]) < 12, reply
        assert any(word in reply["evalue"] for word in ("signal 9", "Spark could not start", "was started again", "was lost", "ended")), reply
    until(lambda: alice.ask("GET", alice.base + "api/kernels").status == 200, "the agent")
    tab.close()
    tab.connect()
    messages = tab.until_done(tab.execute(LINE))
    again = reply_of(messages)
    assert again["status"] == "ok" and SUM in stream(messages), (again, stream(messages, "stderr"))
    alice.end_kernel(tab)
    until(lambda: alice.processes(WORDS["driver"]) == {}, "the driver's end")
