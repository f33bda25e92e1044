"""Asking the agent: HTTP/1.1 and JSON over its Unix socket, one request a connection (docs/decisions/0009)."""
import http.client
import json
import os
import pathlib
import queue
import socket
import threading

# This file is RUN/runtime/spark/python/cygnet_spark/agent.py.
RUN = pathlib.Path(os.path.abspath(__file__)).parents[4]
SOCKET = RUN / "runtime/spark.sock"
TIMEOUT = 10.0
LINE_MAX = 1 << 20


class AgentGone(Exception):
    """The agent gave no response; the message says why."""


class _Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.fspath(SOCKET))


def _send(method, path, body, timeout):
    connection = _Connection("agent", timeout=timeout)
    data = None if body is None else json.dumps(body)
    headers = {"Connection": "close"}
    if data is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, path, body=data, headers=headers)
    return connection, connection.getresponse()


def ask(method, path, body=None, timeout=TIMEOUT):
    """(status, what the body holds as JSON or None)."""
    try:
        connection, response = _send(method, path, body, timeout)
        with response:
            data = response.read(LINE_MAX)
        connection.close()
        return response.status, json.loads(data) if data else None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise AgentGone(str(error)) from None


class Start:
    """A session that is being started: its steps come from a thread, so that whoever waits can give up. The start goes on."""

    def __init__(self, body):
        self._steps = queue.SimpleQueue()
        self._connection = None
        threading.Thread(target=self._read, args=(body,), daemon=True, name="cygnet-spark-start").start()

    def _read(self, body):
        try:
            self._connection, response = _send("POST", "/sessions", body, None)
            if response.status != 200:
                said = json.loads(response.read(LINE_MAX) or b"{}")
                raise AgentGone(said.get("message") or f"it says {response.status}")
            while line := response.readline(LINE_MAX):
                self._steps.put(json.loads(line))
            raise AgentGone("it stopped in the middle of a start")
        except (OSError, http.client.HTTPException, ValueError, AttributeError, AgentGone) as error:
            self._steps.put(AgentGone(str(error)))

    def next(self, seconds):
        """The next step, or None when nothing has come for so long."""
        try:
            step = self._steps.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(step, AgentGone):
            raise step
        return step

    def give_up(self):
        if self._connection is not None and self._connection.sock is not None:
            self._connection.sock.shutdown(socket.SHUT_RDWR)


def send_later(method, path, body=None):
    """A request whose response nobody waits for."""

    def work():
        try:
            ask(method, path, body)
        except AgentGone:
            pass  # the agent reads the driver's own list of jobs anyway

    threading.Thread(target=work, daemon=True, name="cygnet-spark-tell").start()
