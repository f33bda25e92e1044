"""HTTP for tests: http.client over TCP or a Unix socket, and raw bytes for what no client would send."""

import http.client
import json
import os
import socket

from lib import places


def dial(address, ceiling=places.CEILING):
    """A connected socket to ("127.0.0.1", port) or a Unix path."""
    sock = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
    sock.settimeout(ceiling)
    sock.connect(address if isinstance(address, tuple) else os.fspath(address))
    return sock


class Connection(http.client.HTTPConnection):
    """An HTTP client connection to any address that dial() takes."""

    def __init__(self, address, host="localhost"):
        super().__init__(host, timeout=places.CEILING)
        self.address = address

    def connect(self):
        self.sock = dial(self.address)


def request(address, method, path, body=None, headers=None, host="localhost"):
    """One request on a connection of its own: the response, with its body as .data."""
    connection = Connection(address, host)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        response.data = response.read()
        return response
    finally:
        connection.close()


def ask_json(address, method, path, body=None, headers=None):
    """As request; a dict or list goes out as JSON, and .json is what came, None when it is no JSON or is packed."""
    response = request(address, method, path, json.dumps(body) if isinstance(body, (dict, list)) else body, headers)
    response.json = None
    is_json = response.getheader("Content-Type") == "application/json"
    if is_json and response.data and not response.getheader("Content-Encoding"):
        response.json = json.loads(response.data)
    return response


def raw(address, data, half_close=False):
    """Sends bytes as they are and returns all that comes back until the peer closes."""
    with dial(address) as sock:
        sock.sendall(data)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        got = b""
        while True:
            part = sock.recv(65536)
            if not part:
                return got
            got += part
