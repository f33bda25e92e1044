"""A driver's UI and REST API that a test tells what to say, also what no Spark would say: it hangs, never ends a body, gives
JSON of other shapes, redirects elsewhere, sets cookies. Knows nothing of drivers; one instance a test, in its own threads."""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

APP = "app-20260101120000-0000"
API = f"/api/v1/applications/{APP}"
KEPT = 1000  # jobs that Spark keeps (spark.ui.retainedJobs)


def job(number, status, msg=None, **more):
    tags = [f"cyg-msg-{msg}"] if msg else []
    return {"jobId": number, "name": f"count {number}", "status": status, "submissionTime": "2026-01-01T12:00:00.000GMT",
            "stageIds": [number], "jobTags": tags, "numTasks": 4, "numCompletedTasks": 4 if status == "SUCCEEDED" else 0,
            "numCompletedStages": int(status == "SUCCEEDED"), "numFailedStages": int(status == "FAILED"), **more}


def stage(number, status, **more):
    return {"stageId": number, "attemptId": 0, "status": status, "name": f"stage {number}", "numTasks": 4, **more}


class SparkUi:
    def __init__(self):
        self.jobs, self.stages = {}, {}
        self.requests = []  # (method, path, fields)
        self.killed = []
        self.answers = {}  # path without query -> what to do instead: a function of the handler
        self.go_on = threading.Event()  # ends what hangs
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False  # joined at the end
        self.server.fake = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def put(self, *jobs):
        for one in jobs:
            self.jobs[one["jobId"]] = one
            self.stages[one["jobId"]] = stage(one["jobId"], {"RUNNING": "ACTIVE", "SUCCEEDED": "COMPLETE"}.get(one["status"], "FAILED"))
        for number in sorted(self.jobs)[:-KEPT]:
            del self.jobs[number]

    def find(self, path, query):
        """What Spark says at an address; None: 404."""
        status = query.get("status", "").upper()
        if path == "/api/v1/applications":
            return [{"id": APP, "name": "notebook", "attempts": []}]
        if path == f"{API}/allexecutors":
            return [{"id": "driver", "isActive": True, "totalCores": 2, "maxMemory": 1 << 30}]
        for name, rows, key in (("jobs", self.jobs, "jobId"), ("stages", self.stages, "stageId")):
            if path == f"{API}/{name}":
                found = [one for one in rows.values() if status in ("", one["status"])]
                return sorted(found, key=lambda one: -one[key])
            number = path.removeprefix(f"{API}/{name}/")
            if number.isdigit():
                one = rows.get(int(number))
                return one and ([one] if name == "stages" else one)
        return None

    def stop(self):
        self.go_on.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Handler(BaseHTTPRequestHandler):
    def address_string(self):
        return "agent"

    def log_message(self, *_):
        pass

    def do_GET(self):
        fake, url = self.server.fake, urllib.parse.urlsplit(self.path)
        fake.requests.append((self.command, self.path, dict(self.headers.items())))
        other = fake.answers.get(url.path)
        try:
            if other is not None:
                other(self)
                return
            found = fake.find(url.path, dict(urllib.parse.parse_qsl(url.query)))
            if found is not None:
                self.say(200, json.dumps(found).encode())
            else:
                self.say(404, b"no such thing")
        except (BrokenPipeError, ConnectionResetError):
            pass  # who asked has gone: it may

    def do_POST(self):
        fake = self.server.fake
        fake.requests.append((self.command, self.path, dict(self.headers.items())))
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        fake.killed.append(int(form["id"][0]))
        self.say(302, b"", [("Location", "/jobs/")])

    def say(self, status, body, fields=(("Content-Type", "application/json"),)):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    # ---- what no Spark does ----
    def hang(self):
        self.server.fake.go_on.wait()

    def endless(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        while not self.server.fake.go_on.is_set():
            self.wfile.write(b"[" * 65536)
