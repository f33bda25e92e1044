"""Clients of the hub: a browser whose requests come from the proxy, and one in front of the proxy."""

import contextlib
import http.client
import json
import os
import re
import socket
import urllib.parse

from lib import places


class Answer:
    def __init__(self, response, data):
        self.status, self.headers, self.data = response.status, response.headers, data
        self.text = data.decode()

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"{self.status} {self.text[:300]}"


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("127.0.0.1:8000", timeout=places.CEILING)
        self.unix = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(places.CEILING)
        self.sock.connect(os.fspath(self.unix))


class Browser:
    """A user with a browser, as the hub sees them behind the proxy."""

    def __init__(self, path):
        self.path, self.cookie = path, None

    def connection(self):
        return _Connection(self.path)

    def ask(self, method, target, body=None, headers=None, cookie=True):
        all_headers = {"X-Forwarded-For": "127.0.0.1", "Accept": "application/json", **(headers or {})}
        if cookie and self.cookie:
            all_headers["Cookie"] = f"__Host-cygnet={self.cookie}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            all_headers.setdefault("Content-Type", "application/json")
        conn = self.connection()
        try:
            conn.request(method, target, body, all_headers)
            response = conn.getresponse()
            return Answer(response, response.read())
        finally:
            conn.close()

    def get(self, target, **more):
        return self.ask("GET", target, **more)

    def post(self, target, body=None, **more):
        return self.ask("POST", target, body, **more)

    def delete(self, target, **more):
        return self.ask("DELETE", target, **more)

    def page(self, target, **more):
        """A navigation."""
        return self.ask("GET", target, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, **more)

    def sign_in(self, name, password, **more):
        form = urllib.parse.urlencode({"username": name, "password": password, **more})
        answer = self.ask("POST", "/hub/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
        if answer.status == 200:
            self.cookie = re.match(r"__Host-cygnet=([0-9a-f]{64}); ", answer.headers["Set-Cookie"]).group(1)
        return answer

    @contextlib.contextmanager
    def stream(self, target):
        """The events of a stream, as an iterator over their JSON."""
        conn = self.connection()
        headers = {"Accept": "text/event-stream", "Cookie": f"__Host-cygnet={self.cookie}"}
        try:
            conn.request("GET", target, headers=headers)
            response = conn.getresponse()
            assert response.status == 200, response.read()
            yield self._events(response)
        finally:
            conn.close()

    @staticmethod
    def _events(response):
        while line := response.readline():
            if line.startswith(b"data: "):
                yield json.loads(line[len(b"data: "):])


class Person(Browser):
    """A browser in front of the proxy: `path` is its port."""

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.path, timeout=places.CEILING)

    def ask(self, method, target, body=None, headers=None, cookie=True):
        own = {"Origin": f"http://127.0.0.1:{self.path}", "Sec-Fetch-Site": "same-origin"}
        return super().ask(method, target, body, {**own, **(headers or {})}, cookie)
