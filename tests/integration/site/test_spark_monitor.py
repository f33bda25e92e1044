"""What cells do in Spark as the agent sees it: live by events, kept after the end of the driver and of the agent, cancelled cell by
cell; and Spark's own UI through the agent. One driver serves most of the file."""

import json
import os
import re
import sqlite3
import textwrap

import pytest
from lib.spark_site import _nothing_left, alice, reply_of, site  # noqa: F401  fixtures
from lib.whole_site import until

THREE = 'spark.range(0, 10**6, 1, 4).selectExpr("id % 7 k", "id v").repartition(5, "k").groupBy("k").sum("v").orderBy("k").collect()'
LONG = "import time\nsc.parallelize(range(4), 4).map(lambda n: time.sleep(200)).collect()"
SCHEMA = "https://events.cygnet/spark/v1"


@pytest.fixture(scope="module")
def tab(alice):
    one = alice.kernel()
    run(one, "warm", "spark.range(3).count()")
    yield one
    alice.end_kernel(one)


def send(tab, cell, code):
    return tab.send("shell", "execute_request", {"code": textwrap.dedent(code), "silent": False, "store_history": True,
                    "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}, metadata={"cellId": cell})


def run(tab, cell, code):
    reply = reply_of(tab.until_done(send(tab, cell, code)))
    assert reply["status"] == "ok", reply
    return reply


def apps(alice):
    return alice.get("api/cygnet/spark/apps")["apps"]


def cell_of(alice, cell):
    return next((c for a in reversed(apps(alice)) for c in a["cells"] if c["cell"] == cell), None)


def wait_cell(alice, cell, state):
    until(lambda: (cell_of(alice, cell) or {}).get("state") == state, f"cell {cell}: {state}, it is {cell_of(alice, cell)}")
    return cell_of(alice, cell)


def check_done(one):
    assert one["jobs"]["total"] == one["jobs"]["done"] >= 1 and one["stages"]["done"] >= 3, one
    assert one["tasks"]["done"] + one["tasks"]["skipped"] == one["tasks"]["total"] > 4 and one["tasks"]["active"] == 0, one
    assert {s["state"] for s in one["stage_list"]} <= {"COMPLETE", "SKIPPED"} and len(one["job_list"]) == one["jobs"]["total"]
    assert one["started"] <= one["ended"] and one["failure"] is None
    assert any(s["shuffle_write"] > 0 for s in one["stage_list"])


def test_cell_is_seen_live_and_kept(alice, tab):
    socket = alice.open("api/events/subscribe")
    msg = send(tab, "three", THREE)
    tab.until_done(msg)
    one = wait_cell(alice, "three", "succeeded")
    check_done(one)
    assert one["msg"] == msg and one["kernel"] == tab.id
    seen = []
    while not seen or seen[-1]["state"] == "running":
        event = json.loads(socket.recv())
        if event["schema_id"] == SCHEMA and event["kind"] == "cell" and event["cell"]["cell"] == "three":
            seen.append(event["cell"])
    socket.close()
    assert seen[-1] == one
    app = apps(alice)[-1]
    assert app["state"] == "running" and app["kernel"] == tab.id and app["ui"] == f"/user/alice/spark-ui/{app['app']}/"
    session = next(s for s in alice.get("api/cygnet/spark/connections")["connections"] if s["kernel"] == tab.id)
    assert session["app"] == app["app"] and app["session"] == session["id"]


def test_cell_without_jobs_is_not_shown(alice, tab):
    run(tab, "none", "spark.version")
    run(tab, "after", "spark.range(2).count()")
    wait_cell(alice, "after", "succeeded")
    assert cell_of(alice, "none") is None


def test_failure_has_the_first_line_of_its_cause(alice, tab):
    reply = reply_of(tab.until_done(send(tab, "bad", "sc.parallelize(range(2), 2).map(lambda n: 1 // 0).collect()")))
    assert reply["status"] == "error"
    one = wait_cell(alice, "bad", "failed")
    assert one["failure"].startswith("ZeroDivisionError"), one["failure"]
    assert one["jobs"]["failed"] == 1


def test_many_short_jobs_between_two_looks_are_all_there(alice, tab):
    run(tab, "many", "for n in range(30): spark.range(3).count()")
    one = wait_cell(alice, "many", "succeeded")
    assert one["jobs"]["done"] >= 30 and len(one["job_list"]) == one["jobs"]["total"]


def test_cancel_ends_the_jobs_of_that_cell_alone(alice, tab):
    run(tab, "other", """
        import threading, time
        from pyspark import InheritableThread
        result = []
        other = InheritableThread(target=lambda: result.append(sc.parallelize(range(1), 1).map(lambda n: time.sleep(12) or 7).collect()))
        other.start()""")
    msg = send(tab, "long", LONG)
    until(lambda: (cell_of(alice, "long") or {"tasks": {"active": 0}})["tasks"]["active"] > 0, "the job")
    app = apps(alice)[-1]["app"]
    assert alice.ask("POST", f"{alice.base}api/cygnet/spark/apps/{app}/cells/nothing/cancel").status == 404
    assert alice.ask("POST", f"{alice.base}api/cygnet/spark/apps/{app}/cells/long/cancel").status == 204
    reply = reply_of(tab.until_done(msg))
    assert reply["status"] == "error" and "cancelled" in reply["evalue"], reply
    assert wait_cell(alice, "long", "cancelled")["jobs"]["failed"] == 1
    run(tab, "join", "other.join(); assert result == [[7]], result")


# ---- Spark's own UI ----
@pytest.fixture(scope="module")
def ui(alice, tab):
    run(tab, "ui", THREE)
    wait_cell(alice, "ui", "succeeded")
    return apps(alice)[-1]["ui"]


PAGES = ("jobs/", "stages/", "storage/", "environment/", "executors/", "SQL/", "jobs/job/?id=0", "stages/stage/?id=0&attempt=0",
         "SQL/execution/?id=0")


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_the_ui(alice, ui, page):
    answer = alice.ask("GET", ui + page)
    text = answer.data.decode()
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html"), (answer.status, text[:300])
    links = re.findall(r"""(?:href|src)=["'](/[^"']*)["']""", text)
    assert links and all(link.startswith(ui) or link == ui.rstrip("/") for link in links), [one for one in links if not one.startswith(ui)]
    policies = answer.headers.get_all("Content-Security-Policy")
    assert any("frame-ancestors 'none'" in one and f"connect-src {alice.site.ready['url'].split('//')[1].rstrip('/')}{ui}" in one for one in policies), policies
    assert answer.headers["Set-Cookie"] is None


def test_files_and_figures_of_the_ui(alice, ui):
    for path in ("static/webui.css", "static/utils.js", "static/executorspage.js"):
        assert alice.ask("GET", ui + path).status == 200, path
    app = ui.rstrip("/").rpartition("/")[2]
    answer = alice.ask("GET", f"{ui}api/v1/applications/{app}/allexecutors")
    assert answer.status == 200 and answer.json[0]["id"]


def test_root_of_the_ui_leads_to_its_jobs(alice, ui):
    for path in (ui.rstrip("/"), ui):
        answer = alice.ask("GET", path)
        assert (answer.status, answer.headers["Location"]) == (302, ui + "jobs/"), path


@pytest.mark.parametrize("path", ["jobs/job/kill/?id=0", "stages/stage/kill/?id=0", "executors/threadDump/?executorId=driver",
                                  "executors/heapHistogram/?executorId=driver", "metrics/json", "unknown/"])
def test_what_the_ui_does_not_give(alice, ui, path):
    assert alice.ask("GET", ui + path).status == 404


def test_nothing_can_be_ended_but_by_our_own_post(alice, ui, tab):
    msg = send(tab, "kill", LONG)
    until(lambda: (cell_of(alice, "kill") or {"tasks": {"active": 0}})["tasks"]["active"] > 0, "the job")
    job = cell_of(alice, "kill")["job_list"][0]["id"]
    assert alice.ask("POST", f"{ui}jobs/job/kill/", f"id={job}", {"Content-Type": "application/x-www-form-urlencoded"}).status == 405
    assert alice.ask("POST", f"{ui}kill/jobs/x").status == 400
    assert alice.ask("POST", f"{ui}kill/jobs/{job}").status == 204
    assert reply_of(tab.until_done(msg))["status"] == "error"


def test_a_stranger_sees_neither(site, alice, ui):
    bob = site.person("bob")
    for path in (ui + "jobs/", alice.base + "api/cygnet/spark/apps"):
        assert bob.ask("GET", path).status in (403, 404), path


# ---- what stays ----
def test_record_outlives_agent_and_driver(alice, tab):
    run(tab, "kept", THREE)
    before = wait_cell(alice, "kept", "succeeded")
    agent = alice.agent()
    os.kill(agent, 9)
    until(lambda: alice.ask("GET", alice.base + "api/kernels").status == 200 and alice.agent() != agent, "a new agent")
    tab.connect()
    until(lambda: cell_of(alice, "kept") == before, "the record")
    run(tab, "again", THREE)
    wait_cell(alice, "again", "succeeded")
    os.kill(alice.the("deploy.SparkSubmit"), 9)
    until(lambda: apps(alice)[-1]["state"] == "lost", "the end")
    assert cell_of(alice, "kept") == before and apps(alice)[-1]["ui"] is None
    assert alice.ask("GET", f"{alice.base}spark-ui/{apps(alice)[-1]['app']}/jobs/").status == 404


def test_hub_is_told_what_ended_and_why(site, alice):
    """The death of the driver just above."""

    def ends():
        rows = sqlite3.connect(f"file:{next(site.state.rglob('hub.db'))}?mode=ro", uri=True)
        found = rows.execute("SELECT object, detail FROM audit WHERE action = 'spark.end'").fetchall()
        rows.close()
        return [(name, json.loads(detail)) for name, detail in found]

    until(lambda: ends() != [], "the row")
    name, detail = ends()[-1]
    assert name == "server:alice/" and "signal 9" in detail["why"] and detail["cluster"] == "own", detail
    assert "cannot be told to the hub" not in site.program.log
