"""The monitor of cells and the proxy of Spark's UI against a fake driver (tests/fakes/spark_ui.py): jobs by the thousand, and
what no Spark does. Real drivers are in site/test_spark_monitor.py."""

import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time

import pytest
from lib import places, web

sys.path.insert(0, os.fspath(places.ROOT / "tests/fakes"))

from spark_ui import API, APP, Handler, SparkUi, job  # noqa: E402

BASE = "/user/alice/"
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
UI = f"{BASE}spark-ui/{APP}"


class Rig:
    def __init__(self, daemons, tmp):
        self.daemons, self.tmp, self.ui = daemons, tmp, SparkUi()
        self.start()

    def start(self):
        self.program = self.daemons.start(["spark_monitor_server", BASE, str(self.ui.port), self.tmp, KEY])
        self.address = ("127.0.0.1", int(self.program.wait_line(r"listening (\d+)").group(1)))

    def post(self, path):
        return web.ask_json(self.address, "POST", path)

    def cell(self, cell, msg):
        assert self.post(f"/test/cell/{cell}/{msg}").status == 204

    def idle(self, msg):
        assert self.post(f"/test/idle/{msg}").status == 204

    def apps(self):
        return web.ask_json(self.address, "GET", f"{BASE}api/cygnet/spark/apps").json["apps"]

    def find(self, cell):
        return next((one for app in self.apps() for one in app["cells"] if one["cell"] == cell), None)

    def wait(self, cell, state):
        end = time.monotonic() + places.CEILING
        while (one := self.find(cell)) is None or one["state"] != state:
            assert time.monotonic() < end, (cell, state, one)
            time.sleep(0.05)
        return one

    def page(self, path, headers=None, method="GET"):
        return web.request(self.address, method, UI + path, headers=headers)


@pytest.fixture
def rig(daemons, tmp_path):
    one = Rig(daemons, tmp_path)
    yield one
    one.ui.stop()


def done(rig, cell, *jobs):
    """A cell that has run these jobs and ended."""
    rig.cell(cell, f"m-{cell}")
    rig.ui.put(*jobs)
    rig.idle(f"m-{cell}")


# ---- many jobs ----

def test_cell_is_found_after_more_jobs_than_spark_keeps(rig):
    done(rig, "a", job(0, "SUCCEEDED", "m-a"))
    rig.wait("a", "succeeded")
    rig.ui.put(*(job(number, "SUCCEEDED") for number in range(1, 3001)))
    done(rig, "b", job(3001, "SUCCEEDED", "m-b"))
    assert [one["id"] for one in rig.wait("b", "succeeded")["job_list"]] == [3001]


def test_cell_is_found_by_the_agent_that_comes_after_thousands_of_jobs(rig):
    rig.ui.put(*(job(number, "SUCCEEDED") for number in range(3000)))
    done(rig, "a", job(3000, "FAILED", "m-a"))
    assert rig.wait("a", "failed")["jobs"]["failed"] == 1


def test_all_jobs_of_a_cell_are_counted_and_the_newest_listed(rig):
    done(rig, "a", *(job(number, "SUCCEEDED", "m-a") for number in range(500)))
    one = rig.wait("a", "succeeded")
    assert one["jobs"] == {"total": 500, "done": 500, "active": 0, "failed": 0, "skipped": 0}
    assert one["tasks"]["done"] == one["tasks"]["total"] == 2000
    assert [row["id"] for row in one["job_list"]] == list(range(300, 500))
    assert len(one["stage_list"]) <= 200


def test_job_that_spark_forgot_says_nothing_of_another(rig):
    rig.cell("a", "m-a")
    rig.cell("b", "m-b")
    rig.ui.put(job(0, "RUNNING", "m-a"), job(1, "RUNNING", "m-b"))
    rig.wait("b", "running")
    rig.ui.put(job(1, "FAILED", "m-b"))
    del rig.ui.jobs[0]
    rig.idle("m-a")
    rig.idle("m-b")
    assert rig.wait("b", "failed")["jobs"]["failed"] == 1


def test_cancel_ends_the_jobs_of_its_cell(rig):
    rig.cell("a", "m-a")
    rig.cell("b", "m-b")
    rig.ui.put(job(0, "RUNNING", "m-a"), job(1, "RUNNING", "m-b"))
    rig.wait("a", "running")
    rig.wait("b", "running")
    assert rig.post(f"{BASE}api/cygnet/spark/apps/{APP}/cells/b/cancel").status == 204
    end = time.monotonic() + places.CEILING
    while not rig.ui.killed:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert rig.ui.killed == [1]


def test_failed_job_tells_the_cause_of_its_stage(rig):
    rig.cell("a", "m-a")
    rig.ui.put(job(0, "SUCCEEDED", "m-a"), job(1, "FAILED", "m-a"))
    rig.ui.stages[1]["failureReason"] = "Job aborted: Traceback (most recent call last):\n  File x\nValueError: bad\n\tat org"
    rig.idle("m-a")
    one = rig.wait("a", "failed")
    assert [row["failure"] for row in one["job_list"]] == [None, "ValueError: bad"]
    assert one["failure"] == "ValueError: bad"


def test_run_ends_with_its_driver(rig):
    rig.cell("a", "m-a")
    rig.ui.put(job(0, "RUNNING", "m-a", numActiveTasks=2))
    rig.wait("a", "running")
    assert rig.post("/test/lost").status == 204
    one = rig.wait("a", "failed")
    assert (one["jobs"]["active"], one["jobs"]["failed"], one["tasks"]["active"]) == (0, 1, 0)


# ---- what no Spark does ----

def test_driver_that_hangs_holds_up_nobody(rig):
    rig.ui.answers[f"{API}/jobs"] = Handler.hang
    rig.cell("a", "m-a")
    for _ in range(20):
        assert isinstance(rig.apps(), list)
    rig.ui.answers.clear()
    rig.ui.go_on.set()
    rig.ui.put(job(0, "SUCCEEDED", "m-a"))
    rig.idle("m-a")
    rig.wait("a", "succeeded")


def test_what_ran_is_told_as_running_while_the_driver_hangs(rig):
    rig.cell("a", "m-a")
    rig.ui.put(job(0, "RUNNING", "m-a"))
    rig.wait("a", "running")
    hung = threading.Event()

    def hang(handler):
        hung.set()
        handler.hang()

    rig.ui.answers[f"{API}/jobs"] = hang
    rig.idle("m-a")
    assert hung.wait(places.CEILING)
    one = rig.find("a")
    assert one["jobs"]["active"] == 1 and one["job_list"][0]["state"] == "RUNNING" and one["state"] == "running"
    assert one["stage_list"][0]["state"] == "ACTIVE"


@pytest.mark.parametrize("said", [b"", b"[", b"{}", b"7", b'[7,null,{"jobId":"x","status":7,"stageIds":{"a":1},"jobTags":7}]', b"\xff" * 100,
                                  b'[{"jobId":1e99,"status":"RUNNING","stageIds":[-1,1e9,"x"],"numTasks":9223372036854775807}]',
                                  b"[" * 10000])
def test_json_of_another_shape_is_survived(rig, said):
    asked = []

    def answer(handler):
        asked.append(handler.path)
        handler.say(200, said)

    rig.ui.answers[f"{API}/jobs"] = rig.ui.answers[f"{API}/allexecutors"] = rig.ui.answers[f"{API}/stages"] = answer
    rig.cell("a", "m-a")
    end = time.monotonic() + places.CEILING
    while not asked:
        assert time.monotonic() < end
        time.sleep(0.05)
    rig.ui.answers.clear()
    rig.ui.put(job(0, "SUCCEEDED", "m-a"))
    rig.idle("m-a")
    rig.wait("a", "succeeded")


def test_body_without_end_is_cut(rig):
    done(rig, "a", job(0, "SUCCEEDED", "m-a"))
    rig.wait("a", "succeeded")
    rig.ui.answers[f"{API}/jobs"] = rig.ui.answers["/jobs/"] = Handler.endless
    rig.cell("b", "m-b")
    assert rig.page("/jobs/").status == 502
    rig.program.wait_line("does not tell of its jobs")
    assert rig.find("a")["state"] == "succeeded"


def test_application_id_that_is_a_path_is_refused(rig):
    rig.ui.answers["/api/v1/applications"] = lambda handler: handler.say(200, b'[{"id": "../../x", "name": "n"}]')
    rig.cell("a", "m-a")
    rig.program.wait_line("does not tell of its jobs")
    assert rig.apps() == []


def test_what_was_seen_is_read_back_by_the_next_agent(rig):
    done(rig, "a", job(0, "SUCCEEDED", "m-a"))
    seen = rig.wait("a", "succeeded")
    rig.program.stop()
    rig.start()
    assert rig.wait("a", "succeeded") == seen


# ---- the UI ----

@pytest.fixture
def known(rig):
    """Its application's id is known."""
    done(rig, "a", job(0, "SUCCEEDED", "m-a"))
    rig.wait("a", "succeeded")
    rig.ui.requests.clear()
    return rig


def answer_page(known, path, fields, body=b"<p>page</p>", status=200):
    known.ui.answers[path] = lambda handler: handler.say(status, body, fields)


def test_nothing_of_the_browsers_request_goes_further(known):
    answer_page(known, "/jobs/", [("Content-Type", "text/html;charset=utf-8")])
    assert known.page("/jobs/?id=1", {"Cookie": "session=secret", "Authorization": "token secret", "X-Forwarded-For": "9.9.9.9",
                                      "Referer": "https://site/secret", "Origin": "https://site"}).data == b"<p>page</p>"
    (method, path, fields), = known.ui.requests
    assert (method, path) == ("GET", "/jobs/?id=1")
    assert set(fields) == {"Host", "Connection", "Authorization", "X-Forwarded-Context"}
    assert fields["X-Forwarded-Context"] == UI
    head, claims, signature = fields["Authorization"].removeprefix("Bearer ").split(".")
    made = hmac.digest(bytes(range(32)), f"{head}.{claims}".encode(), hashlib.sha256)
    assert base64.urlsafe_b64decode(signature + "=") == made
    assert 0 < json.loads(base64.urlsafe_b64decode(claims + "==="))["exp"] - time.time() <= 60


def test_response_loses_cookies_and_gets_our_policy(known):
    answer_page(known, "/jobs/", [("Content-Type", "text/html"), ("Set-Cookie", "a=b"), ("Access-Control-Allow-Origin", "*"),
                                  ("Refresh", "0; url=https://elsewhere"), ("Service-Worker-Allowed", "/")])
    response = known.page("/jobs/")
    assert response.status == 200
    for name in ("Set-Cookie", "Access-Control-Allow-Origin", "Refresh", "Service-Worker-Allowed"):
        assert response.getheader(name) is None
    policy = response.getheader("Content-Security-Policy")
    assert "sandbox" in policy and "default-src 'none'" in policy and "form-action 'none'" in policy
    assert response.getheader("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize("location, own", [
    ("http://elsewhere.example/jobs/", "/jobs/"), ("//elsewhere.example/jobs/", "/jobs/"), ("https:", "/jobs/"),
    ("/stages/", "/stages/"), ("javascript:alert(1)", "/jobs/"), ("/\\elsewhere.example", "/\\elsewhere.example")])
def test_redirect_stays_in_the_ui(known, location, own):
    answer_page(known, "/jobs/", [("Location", location)], b"", 302)
    response = known.page("/jobs/")
    assert (response.status, response.getheader("Location")) == (302, UI + own)


@pytest.mark.parametrize("path", ["/jobs/job/kill/?id=0", "/stages/stage/kill/?id=0", "/jobs/job/%6bill/", "/executors/threadDump/?executorId=driver",
                                  "/api/v1/applications/app/executors/driver/threads", "/metrics/json/", "/proxy/x", "/logPage/"])
def test_pages_that_do_something_or_tell_too_much_are_not_asked_for(known, path):
    assert known.page(path).status == 404
    assert known.ui.requests == []


def test_other_methods_are_refused(known):
    for method in ("POST", "PUT", "DELETE"):
        assert known.page("/jobs/", method=method).status == 405
    assert known.ui.requests == []


def test_ui_ends_with_its_driver(known):
    assert known.post("/test/lost").status == 204
    assert known.page("/jobs/").status == 404
    app, = known.apps()
    assert (app["state"], app["ui"]) == ("lost", None)
