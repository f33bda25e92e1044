"""The hub's surroundings as small programs in threads: a spawner that does what a test tells it, and a proxy's control
socket. What asks the hub: hub_client.py; all together: hub_rig.py."""

import contextlib
import http.server
import json
import os
import pathlib
import queue
import socket
import socketserver
import threading
import time

from lib import places
from lib.spawn_msg import COUNTS, GONE, HAND_OVER, HELLO, ITEM, LIST, METRICS, NAMES, REPLY, SPAWN, STAGE, STAT, STOP, TAIL, Message, pack

STOPPED, EXITED, SIGNALLED, MEMORY, SETUP, UNKNOWN = range(1, 7)
EINVAL, ENOENT, EDENIED = 1, 2, 3


class _Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = False


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args):
        pass

    def address_string(self):
        return "unix"

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        with contextlib.suppress(BrokenPipeError):
            self.end_headers()
        with contextlib.suppress(BrokenPipeError):
            self.wfile.write(data)


def serve(path, handler):
    """An HTTP server on a Unix socket, in threads; returns a function that ends it."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    server = _Unix(os.fspath(path), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()

    def end():
        server.shutdown()
        thread.join()
        server.server_close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    return end


class FakeSpawner:
    """`on_spawn(spawner, spec)` runs for each SPAWN; without one the server starts and responds. `servers` is what
    LIST tells: it outlives connections, as containers do. `asked` is a queue of (kind, id) as they came."""

    def __init__(self, run):
        self.run = pathlib.Path(run)
        self.on_spawn, self.on_stop = type(self).start_well, type(self).stop_well
        self.on_hand_over = lambda spawner, asked: spawner.reply(asked.request)
        self.servers, self.specs, self.ends = {}, {}, {}
        self.asked, self.lock, self.conn = queue.Queue(), threading.RLock(), None
        self.kernels = []
        self.lists_to_refuse = 0
        self.counts = range(30)  # None: it does not respond to METRICS
        self.before_answer = lambda: None  # of a server's own socket
        self.path = self.run / "spawner/ctl.sock"
        self.threads = []
        self.listen()

    # ---- the connection ----
    def listen(self):
        self.closing = False
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.bind(os.fspath(self.path))
        self.sock.listen(8)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            with self.lock:
                if self.closing:
                    conn.close()
                    return
                self.conn = conn
            self.send(HELLO, 0, "fault", 1, 0, 0, "A spawner of the tests.")
            thread = threading.Thread(target=self._read, args=(conn,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def _read(self, conn):
        while True:
            try:
                data = conn.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                conn.close()
                return
            with self.lock:
                self._take(Message(data))

    def send(self, kind, request, *values):
        with self.lock, contextlib.suppress(OSError):
            if self.conn:
                self.conn.send(pack(kind, request, *values))

    def _take(self, asked):
        server_id = getattr(asked, "id", None)
        self.asked.put((asked.type, server_id))
        if asked.type == LIST and self.lists_to_refuse > 0:
            self.lists_to_refuse -= 1
            self.reply(asked.request, EDENIED, "not now")
        elif asked.type == LIST:
            for spec in list(self.servers.values()):
                self.item(asked.request, spec)
            self.reply(asked.request)
        elif asked.type == SPAWN:
            spec = {name: getattr(asked, name) for name in ("request", *NAMES[SPAWN])}
            self.specs[server_id] = spec
            self.on_spawn(self, spec)
        elif asked.type == STOP:
            self.on_stop(self, asked.request, server_id, asked.grace)
        elif asked.type == METRICS:
            if self.counts is not None:
                self.send(COUNTS, asked.request, *self.counts)
                self.reply(asked.request)
        elif asked.type == HAND_OVER:
            self.on_hand_over(self, asked)
        elif asked.type == STAT and server_id in self.servers:
            self.item(asked.request, self.servers[server_id])
            self.reply(asked.request)
        else:
            self.reply(asked.request, ENOENT, "no such server")

    def disconnect(self):
        """The connection and the listener end, as at a restart; servers live on."""
        with self.lock:
            self.closing = True
            self.sock.shutdown(socket.SHUT_RDWR)
            self.sock.close()
            if self.conn:
                with contextlib.suppress(OSError):
                    self.conn.shutdown(socket.SHUT_RDWR)
            self.conn = None
        self.thread.join()
        for thread in self.threads:
            thread.join()
        self.threads.clear()

    def close(self):
        self.disconnect()
        for server_id in list(self.ends):
            self.ends.pop(server_id)()

    def wait(self, kind, server_id=None):
        """Waits until the hub has asked that; returns the id."""
        while True:
            got, which = self.asked.get(timeout=places.CEILING)
            if got == kind and server_id in (None, which):
                return which

    # ---- what it can do ----
    def reply(self, request, code=0, message="", where=""):
        self.send(REPLY, request, code, message, int(where != ""), 0, where)

    def item(self, request, spec):
        self.send(ITEM, request, spec["id"], spec["user"], spec["server"], 2, 200000, 0, 3, int(time.time() * 1e6),
                  100 << 20, spec["memory"], 1500000, spec["cpu"], 1, 0, self.address(spec))

    def address(self, spec):
        return os.fspath(self.run / f"s/{spec['id']}.sock")

    def stage(self, spec, name, state=1, ms=5):
        self.send(STAGE, 0, spec["id"], name, state, ms)

    def tail(self, spec, text):
        self.send(TAIL, 0, spec["id"], len(text), text)

    def gone(self, spec, cause, status=0, message="", peak=0, limit=0):
        self.servers.pop(spec["id"], None)
        if spec["id"] in self.ends:
            self.ends.pop(spec["id"])()
        self.send(GONE, 0, spec["id"], cause, status, peak, limit, message)

    def serve(self, spec):
        """The server's own socket, with a response for the first request and for the kernels' lists."""
        spawner, base = self, spec["base_url"]

        class Answers(Handler):
            def do_GET(self):
                spawner.before_answer()
                lists = {base + "api/kernels": spawner.kernels, base + "api/sessions": [
                    {"path": f"{kernel.get('name')}.ipynb", "kernel": kernel} for kernel in spawner.kernels]}
                self.answer(200, lists.get(self.path, {"version": "2.0", "for": self.path}))

        self.servers[spec["id"]] = spec
        self.ends[spec["id"]] = serve(self.run / f"s/{spec['id']}.sock", Answers)

    def listen_only(self, spec):
        """The socket listens but accepts nothing: the request waits in the backlog."""
        path = self.run / f"s/{spec['id']}.sock"
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(os.fspath(path))
        sock.listen(8)
        self.servers[spec["id"]] = spec
        self.ends[spec["id"]] = lambda: (sock.close(), os.unlink(path))

    def start_well(self, spec):
        for name in ("folders", "home", "limits", "container"):
            self.stage(spec, name)
        self.serve(spec)
        self.reply(spec["request"], where=self.address(spec))
        self.stage(spec, "setup", 1, 12)
        self.stage(spec, "agent", 1, 3)

    def stop_well(self, request, server_id, _grace):
        if server_id not in self.servers:
            self.reply(request, ENOENT, "no such server")
            return
        self.reply(request)
        self.gone(self.servers[server_id], STOPPED)


def patched(table, change):
    """The table after a PATCH."""
    def merged(key, rows, dropped):
        return {key(row): row for row in rows if key(row) not in dropped}

    def route_key(row):
        return row.get("host"), row["prefix"]

    routes = merged(route_key, table["routes"], [route_key(row) for row in change["drop"]["routes"]])
    credentials = merged(lambda row: row["sha256"], table["credentials"], change["drop"]["credentials"])
    routes.update((route_key(row), row) for row in change["set"]["routes"])
    credentials.update((row["sha256"], row) for row in change["set"]["credentials"])
    return {"generation": change["to"], "routes": list(routes.values()), "credentials": list(credentials.values())}


class FakeProxy:
    """RUN/proxy/N/control.sock. `tables` are those in force one after the other, newest last; `told` is what came for
    each: ("PUT", table) or ("PATCH", change). While `held` is set nothing comes into force."""

    def __init__(self, run, name="0"):
        self.path = pathlib.Path(run) / f"proxy/{name}/control.sock"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.tables, self.news, self.activity = [], threading.Condition(), {}
        self.generation, self.refuse = 0, False
        self.told, self.held, self.go = [], False, threading.Event()
        proxy = self

        class Answers(Handler):
            def do_PUT(self):
                self.take("PUT", lambda told: told)

            def do_PATCH(self):
                self.take("PATCH", lambda told: patched(proxy.tables[-1], told) if told["from"] == proxy.generation else None)

            def take(self, method, change):
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if proxy.held:
                    proxy.go.wait(places.CEILING)
                if proxy.refuse:
                    self.answer(500, {"status": 500, "message": "refused"})
                    return
                with proxy.news:
                    table = change(told)
                    if table is not None:
                        proxy.told.append((method, told))
                        proxy.tables.append(table)
                        proxy.generation = table["generation"]
                        proxy.news.notify_all()
                if table is None:
                    self.answer(409, {"status": 409, "message": "it builds on another generation"})
                    return
                self.answer(200, {"generation": table["generation"]})

            def do_GET(self):
                what = {"/status": {"generation": proxy.generation}, "/activity": {"servers": proxy.activity}}
                self.answer(200, what[self.path])

        self.handler = Answers
        self.end = serve(self.path, Answers)

    def restart(self):
        """A new proxy without a table."""
        self.end()
        self.generation = 0
        self.end = serve(self.path, self.handler)

    def close(self):
        self.end()

    def wait(self, condition, what="a table"):
        """The newest table, once it fulfils the condition."""
        with self.news:
            assert self.news.wait_for(lambda: self.tables and condition(self.tables[-1]), places.CEILING), what
            return self.tables[-1]

    def users(self):
        return {c["user"] for c in self.tables[-1]["credentials"] if "server" not in c}

    def prefixes(self):
        return {route["prefix"] for route in self.tables[-1]["routes"]}
