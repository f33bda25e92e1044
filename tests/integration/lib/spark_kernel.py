"""Kernels with our Spark module in them, and the fake agent that it asks (tests/fakes/spark_agent.py).

    agent = FakeAgent(file_daemons, file_tmp)      # one for a file: its drivers are real JVMs
    kernel = agent.kernel()
    done = kernel.run("spark.range(3).count()")    # done.text, .said (standard error), .shown, .error
"""

import json
import os
import pathlib
import queue
import re
import signal
import sys
import time
import urllib.request
import uuid

from jupyter_client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from lib import places, web

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


class FakeAgent:
    def __init__(self, daemons, tmp, prefix="spark"):
        self.daemons, self.tmp, self.run = daemons, pathlib.Path(tmp), pathlib.Path(tmp) / "r"
        self.prefix = places.prefix(prefix)
        self.spark_home = next(self.prefix.glob("lib/python3*/site-packages/pyspark"))
        self.home = self.tmp / "home"
        self.home.mkdir()
        self.env = {"HOME": os.fspath(self.home), "PATH": f"{self.prefix}/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
        self.program = daemons.start(
            [sys.executable, places.ROOT / "tests/fakes/spark_agent.py", self.run, "--spark-home", self.spark_home,
             "--python", self.prefix / "bin/python"], name="agent", env=self.env)
        self.program.wait_line("^ready")
        python = self.run / "runtime/spark/python"
        python.mkdir(parents=True)
        for path in (places.ROOT / "kernels/python").iterdir():
            (python / path.name).symlink_to(path)
        (self.run / "secrets/spark/driver").mkdir(parents=True)

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body)
        answer = web.request(self.run / "runtime/spark.sock", method, path, body=data)
        assert answer.status in (200, 204), (answer.status, answer.data)
        return json.loads(answer.data) if answer.data else None

    def plan(self, **what):
        self.ask("POST", "/test/plan", what)

    def requests(self, path=None):
        """Those so far, of a path that a pattern is found in."""
        return [one for one in self.ask("GET", "/test/requests") if path is None or re.search(path, one["path"])]

    def wait_request(self, path, known=0):
        """Waits until there are more than `known` of them; returns the newest."""
        end = time.monotonic() + places.CEILING
        seen = -1
        while time.monotonic() < end:
            all_of_them = self.ask("GET", f"/test/requests?not={seen}")
            seen = len(all_of_them)
            found = [one for one in all_of_them if re.search(path, one["path"])]
            if len(found) > known:
                return found[-1]
        raise AssertionError(f"no request to {path}")

    def sessions(self):
        return self.ask("GET", "/test/sessions")

    def session_of(self, kernel):
        return [one for one in self.sessions() if one["kernel"] == kernel.id][-1]

    def driver(self, kernel):
        return self.session_of(kernel)["pid"]

    def rest(self, kernel, path):
        """The driver's own REST API: below its application."""
        base = f"http://127.0.0.1:{self.session_of(kernel)['ui']}/api/v1/applications"
        app = json.load(urllib.request.urlopen(base))[0]["id"]
        return json.load(urllib.request.urlopen(f"{base}/{app}/{path}"))

    def wait_jobs(self, kernel, wanted):
        """Waits until wanted(jobs) is true of the driver's list; returns it."""
        end = time.monotonic() + places.CEILING
        while time.monotonic() < end:
            jobs = self.rest(kernel, "jobs")
            if wanted(jobs):
                return jobs
            time.sleep(0.05)
        raise AssertionError(jobs)

    def canary(self):
        return self.ask("GET", "/test/canary")

    def kernel(self, **options):
        return Kernel(self, **options)

    def stop(self):
        self.program.stop()


class Done:
    """What one cell did."""

    def __init__(self, messages, reply, seconds):
        self.reply, self.seconds = reply["content"], seconds
        streams = [m["content"] for m in messages if m["msg_type"] == "stream"]
        self.text = "".join(one["text"] for one in streams if one["name"] == "stdout")
        self.said = "".join(one["text"] for one in streams if one["name"] == "stderr")
        # Every version of what was displayed, in order: (display_id or None, data).
        self.shown = [(m["content"].get("transient", {}).get("display_id"), m["content"]["data"]) for m in messages
                      if m["msg_type"] in ("display_data", "update_display_data", "execute_result")]
        self.error = None if self.reply["status"] == "ok" else f"{self.reply['ename']}: {self.reply['evalue']}"
        self.traceback = ESCAPE.sub("", "\n".join(self.reply.get("traceback", [])))

    @property
    def lines(self):
        """The plain text of all that was displayed."""
        return [data.get("text/plain", "") for _, data in self.shown]

    @property
    def all(self):
        return "\n".join([self.text, self.said, *self.lines, self.traceback, self.error or ""])


class Kernel:
    def __init__(self, agent, env=None, name=None):
        self.agent, self.id, self.env = agent, name or str(uuid.uuid4()), env or {}
        self.start()

    def start(self):
        run = self.agent.run
        path = os.fspath(run / f"connection/kernel-{self.id}.json")
        write_connection_file(path, ip="127.0.0.1")
        more = self.env.get("PYTHONPATH")
        env = {**self.agent.env, "JUPYTER_RUNTIME_DIR": os.fspath(run / "connection"), "IPYTHONDIR": os.fspath(self.agent.tmp / "ipython"),
               "SPARK_CONF_DIR": os.fspath(run / "secrets/spark/driver"), "SPARK_HOME": os.fspath(self.agent.spark_home),
               "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": os.fspath(self.agent.prefix / "bin/python"),
               "PYDEVD_DISABLE_FILE_VALIDATION": "1", **self.env,
               "PYTHONPATH": os.fspath(run / "runtime/spark/python") + (f":{more}" if more else "")}
        self.program = self.agent.daemons.start(
            [self.agent.prefix / "bin/python", "-m", "ipykernel_launcher", "-f", path, "--ext=cygnet_spark"],
            name="kernel", env=env, cwd=self.agent.home)
        self.client = BlockingKernelClient()
        self.client.load_connection_file(path)
        self.client.start_channels()
        self.client.wait_for_ready(timeout=places.CEILING)

    @property
    def pid(self):
        return self.program.pid

    # ---- cells ----
    def send(self, code, cell=None):
        """Sends a cell as JupyterLab does; returns its message id."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
                   "stop_on_error": True}
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell or uuid.uuid4().hex})
        self.began = time.monotonic()
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def finish(self, msg_id, ceiling=places.JVM_CEILING):
        end = time.monotonic() + ceiling
        messages, idle = [], False
        while not idle:
            message = self.message(end)
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            messages.append(message)
            idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
        while True:
            reply = self.client.get_shell_msg(timeout=places.CEILING)
            if reply["parent_header"].get("msg_id") == msg_id:
                return Done(messages, reply, time.monotonic() - self.began)

    def message(self, end):
        while True:
            try:
                return self.client.get_iopub_msg(timeout=1)
            except queue.Empty:
                assert time.monotonic() < end, "the cell does not end:\n" + self.program.log
                assert self.program.process.poll() is None, "the kernel ended:\n" + self.program.log

    def run(self, code, cell=None):
        return self.finish(self.send(code, cell))

    def good(self, code, cell=None):
        done = self.run(code, cell)
        assert done.error is None, f"{done.traceback}\n{done.error}\n{done.said}"
        return done

    def wait_output(self, pattern):
        """Waits for text on any output, whichever cell it belongs to."""
        end = time.monotonic() + places.JVM_CEILING
        seen = ""
        while not re.search(pattern, seen):
            content = self.message(end)["content"]
            seen += content.get("text", "") + content.get("data", {}).get("text/plain", "")
        return seen

    def complete(self, code, at=None):
        msg_id = self.client.complete(code, len(code) if at is None else at)
        while True:
            reply = self.client.get_shell_msg(timeout=places.CEILING)
            if reply["parent_header"].get("msg_id") == msg_id:
                return reply["content"]["matches"]

    # ---- its life ----
    def interrupt(self):
        os.kill(self.pid, signal.SIGINT)
        return time.monotonic()

    def kill(self):
        self.client.stop_channels()
        self.program.process.kill()
        self.program.stop(status=None)

    def restart(self):
        self.kill()
        self.start()

    def end(self):
        self.kill()
        for one in self.agent.sessions():
            if one["kernel"] == self.id:
                self.agent.ask("DELETE", f"/sessions/{one['id']}")
