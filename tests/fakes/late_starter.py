"""A kernel that sends "starting" after it has replied, as real ones may when their threads are that quick.
Use: late_starter.py CONNECTION-FILE, with a Python that has jupyter_client."""
import json
import sys

import zmq
from jupyter_client.session import Session

with open(sys.argv[1], encoding="utf-8") as file:
    info = json.load(file)
context = zmq.Context()
session = Session(key=info["key"].encode(), signature_scheme=info["signature_scheme"])


def bind(kind, name):
    sock = context.socket(kind)
    where = f"{info['transport']}://{info['ip']}"
    sock.bind(f"{where}-{info[name]}" if info["transport"] == "ipc" else f"{where}:{info[name]}")
    return sock


iopub = bind(zmq.PUB, "iopub_port")
asked = {name: bind(zmq.ROUTER, f"{name}_port") for name in ("shell", "control")}
bind(zmq.ROUTER, "stdin_port")
bind(zmq.REP, "hb_port")
poller = zmq.Poller()
for sock in asked.values():
    poller.register(sock, zmq.POLLIN)
answered = set()
while True:
    for sock, _ in poller.poll():
        identity, message = session.recv(sock, 0)
        parent = message["header"]
        session.send(iopub, "status", {"execution_state": "busy"}, parent)
        if message["msg_type"] == "kernel_info_request":
            session.send(sock, "kernel_info_reply", {"status": "ok", "protocol_version": "5.3"}, parent, ident=identity)
        elif message["msg_type"] == "shutdown_request":
            session.send(sock, "shutdown_reply", {"status": "ok"}, parent, ident=identity)
            sys.exit(0)
        session.send(iopub, "status", {"execution_state": "idle"}, parent)
        answered.add(sock)
        if len(answered) == 2:
            session.send(iopub, "status", {"execution_state": "starting"})
