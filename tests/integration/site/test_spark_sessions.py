"""A Spark session belongs to the server and not to the kernel: restarts, attaching again, both flavours, what browsers ask for,
and the end. On the whole site, with real drivers."""

import json
import os
import pathlib
import threading

import pytest
from lib import places
from lib.agent import stream
from lib.spark_site import DRIVER, EXECUTOR, LINE, MASTER, SUM, WORKER, cell, good, reply_of
from lib.spark_site import _nothing_left, alice, site  # noqa: F401  fixtures
from lib.whole_site import until

@pytest.fixture
def tab(alice):
    one = alice.kernel()
    yield one
    alice.end_kernel(one)
    until(lambda: alice.processes(DRIVER) == {}, "the drivers' end")


def api(alice, method, path, body=None):
    answer = alice.ask(method, f"{alice.base}api/cygnet/spark/{path}", body)
    return answer.status, answer.json if answer.data else None


def sessions(alice):
    status, said = api(alice, "GET", "connections")
    assert status == 200
    return said["connections"]


def session_of(alice, tab):
    found = [one for one in sessions(alice) if one["kernel"] == tab.id]
    return found[-1] if found else None


def wait_state(alice, tab, state):
    until(lambda: (session_of(alice, tab) or {}).get("state") == state, f"the session's state {state}", places.JVM_CEILING)
    return session_of(alice, tab)


def restart(alice, tab):
    answer = alice.ask("POST", f"{alice.base}api/kernels/{tab.id}/restart")
    assert answer.status == 200, answer.data
    tab.close()
    tab.connect()


def connect(alice, tab, **choice):
    status, said = api(alice, "POST", "connections", {"kernel": tab.id, **choice})
    assert status == 202 and said["kernel"] == tab.id and said["state"] in ("asking", "cluster", "driver"), said
    return wait_state(alice, tab, "ready")


# ---- what browsers ask for ----
def test_connected_by_the_panel_and_adopted_by_the_kernel(alice, tab):
    ready = connect(alice, tab, options={"spark.sql.shuffle.partitions": "7"})
    assert ready["cluster"] == "own" and ready["flavour"] == "classic" and ready["options"] == {"spark.sql.shuffle.partitions": "7"}
    assert ready["cause"] is None and ready["stage"] is None and ready["since"].endswith("Z")
    before = alice.the(DRIVER)
    assert good(tab, 'print(spark.conf.get("spark.sql.shuffle.partitions"))') == "7\n"
    assert SUM in good(tab, LINE) and alice.the(DRIVER) == before
    # Another choice: a new driver for the same kernel, whose name spark finds it.
    connect(alice, tab, options={"spark.sql.shuffle.partitions": "5"})
    text, said, error = cell(tab, 'print(spark.conf.get("spark.sql.shuffle.partitions"))')
    assert (error, text) == (None, "5\n"), (error, said)
    assert alice.the(DRIVER) != before


def test_catalogue_and_preview_start_nothing(alice):
    status, said = api(alice, "GET", "catalogue")
    assert status == 200 and said["chosen"] == "own" and said["version"] == "4.2.0" and len(said["options"]) > 1000
    status, said = api(alice, "POST", "preview", {"kernel": "none", "options": {"spark.exectuor.memory": "1g"}})
    assert status == 200 and said["lint"][0]["nearest"] == "spark.executor.memory"
    assert [p["layer"] for p in said["properties"] if p["name"] == "spark.authenticate"] == ["policy"]
    assert alice.processes(DRIVER) == {}


@pytest.mark.parametrize("method, path, body, status, words", [
    ("POST", "connections", {}, 400, "kernel must be the id of a kernel"),
    ("POST", "connections", [], 400, "must be a JSON object"),
    ("POST", "connections", {"kernel": "x", "cluster": "../up"}, 400, "cluster must be the id of a cluster"),
    ("POST", "connections", {"kernel": "x", "options": []}, 400, "options must be a map"),
    ("GET", "connections/none", None, 404, "no such Spark session"),
    ("DELETE", "connections/none", None, 404, "no such Spark session"),
    ("GET", "catalogue?cluster=..", None, 400, "cluster must be the id"),
    ("GET", "catalogue?cluster=unknown", None, 403, "does not offer the cluster"),
])
def test_wrong_requests_are_refused_with_a_sentence(alice, method, path, body, status, words):
    got, said = api(alice, method, path, body)
    assert (got, words in said["message"]) == (status, True), said


def test_session_that_cannot_be_rendered_says_why(alice, tab):
    status, _ = api(alice, "POST", "connections", {"kernel": tab.id, "bundles": ["no such bundle"]})
    assert status == 202
    failed = wait_state(alice, tab, "failed")
    assert "there is no bundle 'no such bundle' here" in failed["cause"]
    # The kernel's own use starts anew.
    assert SUM in good(tab, LINE)


def test_a_stranger_gets_nothing(site, alice):
    bob = site.person("bob")
    for method, path in (("GET", "connections"), ("GET", "catalogue"), ("POST", "connections"), ("DELETE", "connections/x")):
        answer = bob.ask(method, f"{alice.base}api/cygnet/spark/{path}", {"kernel": "x"} if method == "POST" else None)
        assert answer.status in (403, 404), (method, path, answer.status)


def test_events_tell_each_state(alice, tab):
    socket = alice.open("api/events/subscribe")
    connect(alice, tab)
    states = []
    while "ready" not in states:
        event = json.loads(socket.recv())
        if event.get("kind") == "session" and event["session"]["kernel"] == tab.id:
            states.append(event["session"]["state"])
    socket.close()
    assert states == ["asking", "cluster", "driver", "ready"]


# ---- restarts ----
VIEW = 'spark.range(5).createOrReplaceTempView("kept")'
COUNT = 'print(spark.sql("select count(*) from kept").collect()[0][0])'


@pytest.mark.parametrize("flavour, how", [("classic", "restart"), ("classic", "kill"), ("connect", "restart")])
def test_kernel_that_begins_again_finds_its_session(alice, tab, flavour, how):
    connect(alice, tab, flavour=flavour)
    good(tab, VIEW)
    assert good(tab, COUNT) == "5\n"
    driver, pid = alice.the(DRIVER), int(good(tab, "import os; print(os.getpid())"))
    if how == "restart":
        restart(alice, tab)
    else:
        inside = {p: p for p in alice.processes(f"kernel-{tab.id}")}
        assert len(inside) == 1, inside
        os.kill(next(iter(inside)), 9)
        tab.until(lambda m: m["content"].get("execution_state") == "restarting")
        until(lambda: alice.get(f"api/kernels/{tab.id}")["execution_state"] == "idle", "the kernel")
        tab.close()
        tab.connect()
    text, said, error = cell(tab, COUNT)
    assert (error, text) == (None, "5\n"), (error, said)
    assert "Attached again" in said and alice.the(DRIVER) == driver
    assert int(good(tab, "import os; print(os.getpid())")) != pid


def test_connect_token_is_in_a_file_alone(alice, tab):
    connect(alice, tab, flavour="connect")
    good(tab, VIEW)
    folder = pathlib.Path(f"/proc/{alice.agent()}/root/run/cygnet/secrets/spark/sessions")
    path = next(folder.glob("*/token"))
    token = path.read_text().encode()
    assert len(token) >= 32 and path.stat().st_mode & 0o777 == 0o400
    for pid in alice.processes():
        assert token not in pathlib.Path(f"/proc/{pid}/environ").read_bytes() + pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    assert good(tab, f"import os; print({token.decode()!r} in str(dict(os.environ)))") == "False\n"


def test_killed_agent_finds_sessions_and_cluster_again(alice, tab):
    good(tab, LINE)
    good(tab, VIEW)
    before = alice.ask("GET", "/hub/api/cygnet/servers/alice/spark").json
    daemons_before, session = [alice.the(MASTER), alice.the(WORKER), alice.the(DRIVER)], session_of(alice, tab)
    agent = alice.agent()
    os.kill(agent, 9)
    until(lambda: alice.ask("GET", alice.base + "api/kernels").status == 200 and alice.agent() != agent, "a new agent")
    tab.connect()
    assert good(tab, COUNT) == "5\n" and SUM in good(tab, LINE)
    assert [alice.the(MASTER), alice.the(WORKER), alice.the(DRIVER)] == daemons_before
    assert session_of(alice, tab) == session
    until(lambda: alice.ask("GET", "/hub/api/cygnet/servers/alice/spark").json["app"]["state"] == "up", "the cluster")
    assert alice.ask("GET", "/hub/api/cygnet/servers/alice/spark").json == before and len(before["properties"]) > 10


# ---- deaths ----
def test_dead_driver_is_named_and_the_next_cell_works(alice, tab):
    good(tab, LINE)
    os.kill(alice.the(DRIVER), 9)
    lost = wait_state(alice, tab, "lost")
    assert lost["cause"] == "The driver was ended by signal 9 (Killed)."
    text, said, error = cell(tab, LINE)
    assert error is None and SUM in text, (error, said)
    assert "The driver was ended by signal 9 (Killed)." in said


def test_driver_that_dies_under_a_cell_ends_it_with_the_cause(alice, tab):
    good(tab, LINE)
    msg = tab.execute("import time\nspark.range(1, 10**9, 1, 2).selectExpr('sum(sqrt(id * id))', 'java_method(\"java.lang.Thread\", \"currentThread\")').collect()"
                      "\nsc.parallelize(range(2), 2).map(lambda n: time.sleep(300)).collect()")
    until(lambda: alice.processes("pyspark.daemon") != {} or alice.processes(EXECUTOR) != {}, "work")
    os.kill(alice.the(DRIVER), 9)
    messages = tab.until_done(msg)
    reply = reply_of(messages)
    assert reply["status"] == "error" and "signal 9" in reply["evalue"] and "py4j" not in "".join(reply["traceback"])
    assert SUM in good(tab, LINE)


@pytest.mark.parametrize("word, name", [(WORKER, "worker"), (MASTER, "master")])
def test_dead_daemon_is_started_again_and_the_cell_is_told(alice, tab, word, name):
    good(tab, LINE)
    driver, before = alice.the(DRIVER), alice.the(word)
    msg = tab.execute("import time\nsc.parallelize(range(8), 8).map(lambda n: time.sleep(2) or n).sum()")
    until(lambda: alice.processes("pyspark.daemon") != {}, "work")
    os.kill(before, 9)
    messages = tab.until_done(msg)
    reply = reply_of(messages)
    assert reply["status"] == "ok", reply
    assert f"The Spark cluster's {name} was ended by signal 9 (Killed). It is being started again" in stream(messages, "stderr")
    assert SUM in good(tab, LINE)
    assert alice.the(DRIVER) == driver and alice.the(word) != before


# ---- the end ----
def test_session_ends_when_asked_and_leaves_nothing(alice, tab):
    good(tab, LINE)
    session = session_of(alice, tab)
    assert api(alice, "DELETE", f"connections/{session['id']}")[0] == 204
    until(lambda: session_of(alice, tab) is None and alice.processes(DRIVER) == {}, "the session's end")
    root = pathlib.Path(f"/proc/{alice.agent()}/root/run/cygnet")
    assert not (root / "secrets/spark/sessions" / session["id"]).exists()
    assert {path.name for path in (root / "runtime/spark/sessions" / session["id"]).iterdir()} <= {"cells"}
    assert SUM in good(tab, LINE)


def test_two_starts_of_one_kernel_at_once_are_one(alice, tab):
    found = []
    threads = [threading.Thread(target=lambda: found.append(api(alice, "POST", "connections", {"kernel": tab.id}))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in found} == {202}
    wait_state(alice, tab, "ready")
    until(lambda: len(alice.processes(DRIVER)) == 1 and len(sessions(alice)) == 1, "one driver")
    assert SUM in good(tab, LINE)


def test_stopped_driver_can_be_ended(alice, tab):
    """SIGSTOP: it hears nothing but the kill."""
    good(tab, LINE)
    os.kill(alice.the(DRIVER), 19)
    assert good(tab, "print(1 + 1)") == "2\n"
    assert api(alice, "DELETE", f"connections/{session_of(alice, tab)['id']}")[0] == 204
    until(lambda: alice.processes(DRIVER) == {}, "the driver's end", places.JVM_CEILING)
