"""The agent under a real cygnet-init, and clients of its API: REST, kernel and terminal WebSockets."""

import json
import os
import pathlib
import socket
import struct
import time
import uuid

import websocket

from lib import places, web

V1 = "v1.kernel.websocket.jupyter.org"


class Agent:
    """One server: run folder, home, cygnet-init with the agent as its child."""

    def __init__(self, daemon, tmp, setup=None, env=None, prefix=None, base="/user/alice/"):
        self.tmp = pathlib.Path(tmp)
        self.run, self.home, self.path = self.tmp / "r", self.tmp / "home", self.tmp / "in.sock"
        self.home.mkdir()
        for name in ("connection", "journal", "runtime", "log", "secrets"):
            (self.run / name).mkdir(parents=True, mode=0o700)
        self.prefix = prefix or places.prefix("jupyter")
        self.base = base
        more = ["--setup", setup] if setup else []
        for name, value in {"HOME": self.home, "PATH": f"{self.prefix}/bin:/usr/bin:/bin", "LANG": "C.UTF-8",
                            "SHELL": "/bin/bash", **(env or {})}.items():
            more += ["--env", f"{name}={value}"]
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.fspath(self.path))
            listener.listen(128)
            n = listener.fileno()
            move = f'exec 3<&{n} {n}<&-; exec "$@"' if n != 3 else 'exec "$@"'
            self.init = daemon(
                ["/bin/bash", "-c", move, "init", places.BIN / "cygnet-init", "--run-dir", self.run, *more,
                 "--", places.BIN / "cygnet-agent", "--base-url", self.base, "--root-dir", self.home,
                 "--run-dir", self.run, "--jupyter-prefix", self.prefix],
                name="init", pass_fds=(n,))

    # ---- REST ----
    def request(self, method, path, body=None):
        data = None if body is None else json.dumps(body)
        answer = web.request(self.path, method, self.base + path, body=data, headers={"Content-Type": "application/json"})
        answer.json = json.loads(answer.data) if answer.data[:1] in (b"{", b"[") else None
        return answer

    def get(self, path):
        answer = self.request("GET", path)
        assert answer.status == 200, answer.data
        return answer.json

    def start_kernel(self, **body):
        answer = self.request("POST", "api/kernels", body)
        assert answer.status == 201, answer.data
        return answer.json["id"]

    def kernel(self, **body):
        return Channels(self, self.start_kernel(**body))

    # ---- processes ----
    def agent_pid(self):
        children = pathlib.Path(f"/proc/{self.init.pid}/task/{self.init.pid}/children").read_text().split()
        for pid in children:
            if b"cygnet-agent" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
        raise AssertionError("no agent")

    def open(self, path, protocols=None):
        sock = web.dial(self.path)
        return websocket.create_connection(
            "ws://localhost" + self.base + path, socket=sock, subprotocols=protocols, timeout=places.CEILING)


class Channels:
    """One tab: a WebSocket of a kernel in either framing."""

    def __init__(self, agent, kernel_id, session=None, v1=True):
        self.agent, self.id, self.session, self.v1 = agent, kernel_id, session or uuid.uuid4().hex, v1
        self.connect()

    def connect(self):
        self.ws = self.agent.open(f"api/kernels/{self.id}/channels?session_id={self.session}", [V1] if self.v1 else None)
        assert self.ws.getsubprotocol() == (V1 if self.v1 else None)

    def close(self):
        self.ws.close()

    def cut(self):
        """The connection ends without a word, as when a laptop is closed."""
        self.ws.sock.close()

    # ---- sending ----
    def send(self, channel, msg_type, content, buffers=(), metadata=None, **header):
        header = {"msg_id": uuid.uuid4().hex, "session": self.session, "username": "alice", "date": "2026-01-01T00:00:00Z",
                  "msg_type": msg_type, "version": "5.4", **header}
        parts = [json.dumps(header), "{}", json.dumps(metadata or {}), json.dumps(content)]
        if self.v1:
            self.ws.send_binary(pack_v1(channel, [part.encode() for part in parts] + list(buffers)))
        else:
            text = json.dumps({"channel": channel, "header": header, "parent_header": {}, "metadata": metadata or {},
                               "content": content})
            if buffers:
                self.ws.send_binary(pack_json(text.encode(), buffers))
            else:
                self.ws.send(text)
        return header["msg_id"]

    def execute(self, code, **content):
        return self.send("shell", "execute_request", {"code": code, "silent": False, "store_history": True,
                         "user_expressions": {}, "allow_stdin": True, "stop_on_error": True, **content})

    # ---- receiving ----
    def receive(self):
        """The next message: a dict with channel, header, parent_header, metadata, content, buffers."""
        opcode = websocket.ABNF.OPCODE_PING
        end = time.monotonic() + places.CEILING  # pings would keep a wait for nothing going for ever
        while opcode in (websocket.ABNF.OPCODE_PING, websocket.ABNF.OPCODE_PONG):
            assert time.monotonic() < end, "nothing came but pings"
            opcode, data = self.ws.recv_data(control_frame=True)
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise ConnectionError(data)
        if self.v1:
            return unpack_v1(data)
        return unpack_json(data, opcode == websocket.ABNF.OPCODE_BINARY)

    def until(self, stop):
        """All messages up to the first that stop(message) is true of."""
        got = []
        while True:
            got.append(self.receive())
            if stop(got[-1]):
                return got

    def until_done(self, msg_id):
        """All messages of one request, up to its reply and its idle status, whichever is later."""
        seen = set()

        def stop(m):
            if m["parent_header"].get("msg_id") != msg_id:
                return False
            if m["channel"] in ("shell", "control"):
                seen.add("reply")
            if m["header"]["msg_type"] == "status" and m["content"]["execution_state"] == "idle":
                seen.add("idle")
            return len(seen) == 2
        return [m for m in self.until(stop) if m["parent_header"].get("msg_id") == msg_id]

    def run(self, code):
        """The text that a cell prints, and its reply's content."""
        messages = self.until_done(self.execute(code))
        return stream(messages), next(m["content"] for m in messages if m["header"]["msg_type"] == "execute_reply")


def stream(messages, name="stdout"):
    return "".join(m["content"]["text"] for m in messages
                   if m["header"]["msg_type"] == "stream" and m["content"]["name"] == name)


def pack_v1(channel, parts):
    parts = [channel.encode(), *parts]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts)


def unpack_v1(data):
    count = struct.unpack_from("<Q", data)[0]
    offsets = struct.unpack_from(f"<{count}Q", data, 8)
    assert offsets[-1] == len(data)
    parts = [data[a:b] for a, b in zip(offsets, offsets[1:])]
    names = ("header", "parent_header", "metadata", "content")
    return {"channel": parts[0].decode(), **{n: json.loads(p.decode(errors="surrogateescape")) for n, p in zip(names, parts[1:5])}, "raw": parts[1:5],
            "buffers": parts[5:]}


def pack_json(text, buffers):
    parts = [text, *buffers]
    offsets = [4 * (len(parts) + 1)]
    for part in parts[:-1]:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f"!{len(parts) + 1}I", len(parts), *offsets) + b"".join(parts)


def unpack_json(data, binary):
    if not binary:
        return json.loads(data)
    count = struct.unpack_from("!I", data)[0]
    offsets = [*struct.unpack_from(f"!{count}I", data, 4), len(data)]
    parts = [data[a:b] for a, b in zip(offsets, offsets[1:])]
    return {**json.loads(parts[0]), "buffers": parts[1:]}
