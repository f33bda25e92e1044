"""The round trip of an executed print(1), from the request to reply and idle: our agent behind our proxy, jupyter_server
behind configurable-http-proxy, stock and with TCP_NODELAY forced, and a bare ZeroMQ client on our agent's kernel. In turns. Use: round_trip.py [SAMPLES]"""

import json
import pathlib
import socket
import sys
import time
import uuid

import rig
import websocket
import zmq
from jupyter_client.session import Session
from lib.agent import V1, Agent, pack_v1, unpack_v1
from lib.daemon import wait_until
from rig import BASE, places

# testbed: tornado switches Nagle's algorithm off only while it ends a request, and jupyter_server never asks it to.
NODELAY = """
import tornado.iostream as iostream
_set = iostream.IOStream.set_nodelay
iostream.IOStream.set_nodelay = lambda self, value: _set(self, True)
"""


def content(code):
    return {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True, "stop_on_error": True}


class Tab:
    """A front end's WebSocket, in the framing that JupyterLab chooses."""

    def __init__(self, port):
        self.session = uuid.uuid4().hex
        origin = f"http://127.0.0.1:{port}"
        answer = rig.web.request(("127.0.0.1", port), "POST", BASE + "api/kernels", body='{"name": "python3"}',
                                 headers={"Content-Type": "application/json", "Origin": origin},
                                 host=f"127.0.0.1:{port}")
        assert answer.status == 201, answer.data
        self.kernel = json.loads(answer.data)["id"]
        self.ws = websocket.create_connection(
            f"ws://127.0.0.1:{port}{BASE}api/kernels/{self.kernel}/channels?session_id={self.session}", subprotocols=[V1], origin=origin,
            timeout=places.CEILING, sockopt=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)])
        assert self.ws.getsubprotocol() == V1

    def execute(self):
        msg_id = uuid.uuid4().hex
        header = {"msg_id": msg_id, "session": self.session, "username": "alice", "date": "2026-01-01T00:00:00Z",
                  "msg_type": "execute_request", "version": "5.4"}
        data = pack_v1("shell", [json.dumps(part).encode() for part in (header, {}, {}, content("print(1)"))])
        begin = time.perf_counter()
        self.ws.send_binary(data)
        reply = idle = False
        while not (reply and idle):
            got = unpack_v1(self.ws.recv_data()[1])
            if got["parent_header"].get("msg_id") != msg_id:
                continue
            reply |= got["channel"] == "shell"
            idle |= got["header"]["msg_type"] == "status" and got["content"]["execution_state"] == "idle"
        return time.perf_counter() - begin

    def close(self):
        self.ws.close()


class Bare:
    """The least that a client can do: two ZeroMQ sockets on the kernel of a connection file."""

    def __init__(self, file):
        info = json.loads(file.read_text())
        self.session = Session(key=info["key"].encode(), signature_scheme=info["signature_scheme"])
        joint = ":" if info["transport"] == "tcp" else "-"
        address = f"{info['transport']}://{info['ip']}{joint}"
        self.context = zmq.Context()
        self.shell, self.iopub = self.context.socket(zmq.DEALER), self.context.socket(zmq.SUB)
        self.iopub.subscribe(b"")
        self.shell.connect(f"{address}{info['shell_port']}")
        self.iopub.connect(f"{address}{info['iopub_port']}")
        self.poller = zmq.Poller()
        for one in (self.shell, self.iopub):
            self.poller.register(one, zmq.POLLIN)

    def execute(self):
        begin = time.perf_counter()
        msg_id = self.session.send(self.shell, "execute_request", content("print(1)"))["header"]["msg_id"]
        reply = idle = False
        while not (reply and idle):
            for one, _ in self.poller.poll(places.CEILING * 1000):
                _, parts = self.session.feed_identities(one.recv_multipart())
                got = self.session.deserialize(parts)
                if got["parent_header"].get("msg_id") != msg_id:
                    continue
                reply |= one is self.shell
                idle |= got["msg_type"] == "status" and got["content"]["execution_state"] == "idle"
        return time.perf_counter() - begin

    def close(self):
        self.context.destroy(linger=0)


def stock(group, tmp, port, nodelay):
    """jupyter_server on loopback TCP with configurable-http-proxy in front of it, one port on."""
    name = "nodelay" if nodelay else "stock"
    home = tmp / name
    (home / ".jupyter").mkdir(parents=True)
    (home / ".jupyter/jupyter_server_config.py").write_text(NODELAY if nodelay else "")
    server = group.start(rig.stock_argv(home, "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"), name=name,
                         env=rig.stock_env(home))
    server.wait_connect(("127.0.0.1", port)).close()
    rig.chp(group.start, port + 1, f"http://127.0.0.1:{port}")
    return port + 1


def ours(group, tmp, port):
    agent = Agent(group.start, tmp)
    rig.our_proxy(group.start, tmp, port, [{"prefix": BASE, "target": f"unix:{agent.path}", "auth": "none"}])
    return agent


def main(samples):
    with rig.programs() as (group, tmp):
        agent = ours(group, tmp, 18610)
        tabs = {"cygnet-agent behind cygnet-proxy": Tab(18610)}
        tabs["jupyter_server, TCP_NODELAY, behind CHP"] = Tab(stock(group, tmp, 18630, True))
        tabs["jupyter_server behind CHP"] = Tab(stock(group, tmp, 18620, False))
        kernel = next(iter(tabs.values())).kernel
        file = wait_until(lambda: next(iter((agent.run / "connection").glob(f"*{kernel}*.json")), None), "connection file")
        tabs["bare ZeroMQ client, the same kernel"] = Bare(pathlib.Path(file))
        times = {who: [] for who in tabs}
        for tab in tabs.values():
            for _ in range(20):
                tab.execute()
        block = 10
        for _ in range(samples // block):
            for who, tab in tabs.items():
                tab.execute()
                times[who] += [tab.execute() for _ in range(block)]
        for tab in tabs.values():
            tab.close()
    rows = [{"row": "round trip", "who": who, "value": rig.median(t) * 1000, "unit": "ms", "p95": rig.p95(t) * 1000,
             "min": min(t) * 1000, "n": len(t)} for who, t in times.items()]
    rig.write("round_trip", rows)
    for row in rows:
        print(f"  {row['row']:8} {row['who']:42} {row['value']:10.2f} {row['unit']}  p95 {row['p95']:.2f} min {row['min']:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
