"""The agent's half of Spark, alone: what docs/decisions/0009 says between module and agent, on RUN/runtime/spark.sock,
with real driver JVMs in local mode. Use: spark_agent.py RUN --spark-home DIR --python PROGRAM [--java PROGRAM].

What a test wants of it, on the same socket:
- GET /test/requests: every request so far, as [{"method", "path", "body"}]; ?not=N waits until there are more than N.
- POST /test/plan {"hold": STAGE | null, "fail": {"cause", "hint", "log"} | null, "exit_cause": text | null}: starts stop at a
  stage until they may go on, fail, or a driver's end is told with this cause.
- GET /test/sessions: [{"id", "kernel", "pid", "state", "options", "ui"}].
"""

import argparse
import json
import os
import pathlib
import secrets
import signal
import socket
import socketserver
import subprocess
import threading
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler

OPENS = ("java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent"
         " java.util.concurrent.atomic jdk.internal.ref sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar").split()
CEILING = 120.0


class Driver:
    """One session: a driver for one kernel."""

    def __init__(self, site, want):
        self.site, self.id, self.kernel = site, secrets.token_hex(8), want["kernel"]
        self.flavour = want.get("flavour") or "classic"
        self.options, self.pythonpath, self.cwd = want.get("options") or {}, want.get("pythonpath") or [], want.get("cwd")
        self.state, self.cause, self.hint, self.process = "asking", None, None, None
        self.secrets = site.run / "secrets/spark/sessions" / self.id
        self.folder = site.run / "runtime/spark/sessions" / self.id
        self.log = site.run / "log" / f"spark-driver-{self.id}.log"
        self.gateway, self.token = self.secrets / "gateway", self.secrets / "token"
        self.session_id = str(uuid.uuid4())
        self.ui, self.port = free_port(), free_port()
        self.steps = []

    def move(self, state, text=None):
        with self.site.news:
            self.state = state
            if text is not None:
                self.steps.append({"stage": state, "text": text, "ms": int(1000 * (time.monotonic() - self.since))})
            self.site.news.notify_all()

    def start(self):
        self.since = time.monotonic()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        for stage, text in (("asking", "Asking for the settings of this session"), ("cluster", "Starting the cluster"),
                            ("driver", "Starting the driver")):
            self.move(stage, text)
            with self.site.news:
                self.site.news.wait_for(lambda stage=stage: self.site.plan.get("hold") != stage)
            failed = self.site.plan.get("fail")
            if failed and stage == "cluster":
                self.cause, self.hint, self.failed = failed["cause"], failed.get("hint"), failed
                self.move("failed")
                return
        self.launch()
        ready = self.gateway.exists if self.flavour == "classic" else self.listens
        while not ready() and self.process.poll() is None:
            time.sleep(0.05)
        if self.process.poll() is not None:
            self.cause = last_error(self.log.read_text(errors="replace"))
            self.failed = {"cause": self.cause, "hint": None, "log": os.fspath(self.log)}
            self.move("failed")
            return
        self.move("ready")
        self.process.wait()
        if self.state == "ready":
            code = self.process.returncode
            self.cause = self.site.plan.get("exit_cause") or (
                f"The driver was ended by signal {-code}." if code < 0 else f"The driver ended with status {code}.")
            self.move("lost")
        else:
            self.move("gone")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def properties(self):
        return {
            "spark.master": "local[2]", "spark.app.name": "notebook", "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1", "spark.ui.port": self.ui, "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": "2", "spark.driver.memory": "512m", "spark.local.dir": self.folder / "local",
            "spark.sql.warehouse.dir": self.folder / "warehouse", "spark.authenticate.secret": self.site.canary,
            "spark.executorEnv.PYTHONPATH": ":".join(self.pythonpath), **self.options,
            **({"spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": self.port,
                "spark.connect.authenticate.token": self.token.read_text()} if self.flavour == "connect" else {}),
        }

    def launch(self):
        for folder in (self.secrets, self.folder, self.folder / "local"):
            folder.mkdir(parents=True, mode=0o700)
        if self.flavour == "connect":
            private(self.token, secrets.token_hex(16))
        private(self.secrets / "spark-defaults.conf",
                "".join(f"{name} {value}\n" for name, value in self.properties().items() if value != ""))
        (self.secrets / "log4j2.properties").write_text(
            "rootLogger.level = warn\nrootLogger.appenderRef.e.ref = e\nappender.e.type = Console\nappender.e.name = e\n"
            "appender.e.target = SYSTEM_ERR\nappender.e.layout.type = PatternLayout\n"
            "appender.e.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex\n")
        os.mkfifo(self.folder / "stdin")
        what = (["pyspark-shell"] if self.flavour == "classic" else
                ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"])
        jars = sorted(os.fspath(jar) for jar in (self.site.home / "jars").glob("*.jar"))
        scala = next(jar for jar in jars if "spark-core_" in jar).rsplit("spark-core_", 1)[1].split("-")[0]
        env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "SPARK_HOME": os.fspath(self.site.home),
               "SPARK_CONF_DIR": os.fspath(self.secrets), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_SCALA_VERSION": scala,
               "PYSPARK_PYTHON": self.site.python, "_PYSPARK_DRIVER_CONN_INFO_PATH": os.fspath(self.gateway),
               "SPARK_CONNECT_MODE": "0", "PYTHONPATH": ":".join(self.pythonpath)}
        java = [self.site.java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m",
                *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENS), "-Djdk.reflect.useDirectMethodHandle=false",
                "-Dio.netty.tryReflectionSetAccessible=true",
                "-cp", ":".join([os.fspath(self.secrets), *jars]), "org.apache.spark.deploy.SparkSubmit", *what]
        # Held open for reading and writing, so that the JVM never reads its end: it does not end with whoever started it.
        stdin = os.open(self.folder / "stdin", os.O_RDWR)
        with open(self.folder / "stdout", "ab") as out, open(self.log, "ab") as err:
            self.process = subprocess.Popen(java, stdin=stdin, stdout=out, stderr=err, env=env, cwd=self.cwd or "/",
                                            start_new_session=True)
        os.close(stdin)

    def ready(self, adopted, options):
        classic = self.flavour == "classic"
        said = {"id": self.id, "flavour": self.flavour, "gateway": os.fspath(self.gateway) if classic else None,
                "remote": None if classic else f"sc://localhost:{self.port}", "token": None if classic else os.fspath(self.token),
                "session_id": None if classic else self.session_id, "stdout": os.fspath(self.folder / "stdout"),
                "adopted": adopted, "label": "own"}
        if adopted:
            said["ignored"] = [name for name, value in options.items() if self.options.get(name) != value]
        return said

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.move("ending")
            os.kill(self.process.pid, signal.SIGCONT)
            self.process.kill()
            self.process.wait()


class Site:
    def __init__(self, options):
        self.run, self.home = pathlib.Path(options.run), pathlib.Path(options.spark_home)
        self.python, self.java = options.python, options.java
        self.canary = "canary" + secrets.token_hex(16)
        self.news = threading.Condition()
        self.drivers, self.requests, self.plan = [], [], {}

    def of_kernel(self, kernel):
        return next((one for one in reversed(self.drivers) if one.kernel == kernel
                     and one.state in ("asking", "cluster", "driver", "ready")), None)

    def find(self, one_id):
        return next((one for one in self.drivers if one.id == one_id), None)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "kernel"

    def handle_any(self):
        site = self.server.site
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(data) if data else None
        self.close_connection = True
        parts = url.path.strip("/").split("/")
        if parts[0] != "test":
            with site.news:
                site.requests.append({"method": self.command, "path": self.path, "body": body})
                site.news.notify_all()
        if parts[0] == "test":
            self.test(site, parts[1], query, body)
        elif url.path == "/up":
            self.say(200, "text/plain", b"")
        elif url.path == "/sessions" and self.command == "POST":
            self.begin(site, body)
        elif parts[0] == "sessions" and len(parts) > 1:
            one = site.find(parts[1])
            if one is None:
                self.say(404, "application/json", b'{"message": "There is no such session."}')
            elif self.command == "DELETE":
                one.end()
                self.say(204)
            elif parts[2:] == ["cells"]:
                self.say(204)
            else:
                with site.news:
                    site.news.wait_for(lambda: one.state != query.get("not"), 30)
                self.json({"id": one.id, "state": one.state, "cause": one.cause, "n_news": 0, "news": []})
        else:
            self.say(404, "application/json", b'{"message": "There is nothing at this address."}')

    do_GET = do_POST = do_DELETE = handle_any

    def begin(self, site, body):
        with site.news:
            one = site.of_kernel(body["kernel"])
            adopted = one is not None and one.state == "ready"
            if one is None:
                one = Driver(site, body)
                site.drivers.append(one)
                one.start()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Connection", "close")
        self.end_headers()
        told = 0
        while True:
            with site.news:
                site.news.wait_for(lambda told=told: len(one.steps) > told or one.state in ("ready", "failed", "lost", "gone"))
                lines, state = one.steps[told:], one.state
                told = len(one.steps)
            for line in [] if adopted else lines:
                self.line(line)
            if state == "failed":
                return self.line({"failed": {"cause": one.cause, "hint": one.hint, "log": one.failed.get("log")}})
            if state == "ready":
                return self.line({"ready": one.ready(adopted, body.get("options") or {})})
            if state in ("lost", "gone"):
                return self.line({"failed": {"cause": one.cause or "The driver ended.", "hint": None, "log": os.fspath(one.log)}})

    def test(self, site, what, query, body):
        if what == "requests":
            with site.news:
                site.news.wait_for(lambda: len(site.requests) > int(query.get("not", -1)), CEILING)
            self.json(site.requests)
        elif what == "plan":
            with site.news:
                site.plan = body
                site.news.notify_all()
            self.say(204)
        elif what == "canary":
            self.json(site.canary)
        else:
            self.json([{"id": one.id, "kernel": one.kernel, "state": one.state, "options": one.options, "ui": one.ui,
                        "pid": one.process.pid if one.process else None} for one in site.drivers])

    def line(self, value):
        try:
            self.wfile.write(json.dumps(value).encode() + b"\n")
            self.wfile.flush()
        except OSError:
            pass  # the kernel gave up waiting: the start goes on

    def json(self, value):
        self.say(200, "application/json", json.dumps(value).encode())

    def say(self, status, kind=None, data=b""):
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, text, *values):
        print(text % values, flush=True)


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def get_request(self):
        request, _ = super().get_request()
        return request, ("kernel", 0)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def private(path, text):
    path.write_text(text)
    path.chmod(0o400)


def last_error(text):
    """The first line that names an error, as the agent's own log reader finds it."""
    for line in text.splitlines():
        if "Exception" in line or "Error" in line:
            return line.strip()
    return "The driver ended before it was ready."


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("--spark-home", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--java", default="/usr/bin/java")
    site = Site(parser.parse_args())
    for name in ("runtime", "log", "secrets", "connection"):
        (site.run / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    server = Server(os.fspath(site.run / "runtime/spark.sock"), Handler)
    server.site = site

    def on_term(*_):
        for one in site.drivers:
            one.end()
        os._exit(0)

    signal.signal(signal.SIGTERM, on_term)
    print("ready", flush=True)
    server.serve_forever()


main()
