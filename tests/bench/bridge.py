"""What a message of a kernel to a browser costs the server, with one kernel and among twenty, and what an uploaded MiB costs:
CPU of our agent and of jupyter_server, whole process. Messages come one by one, so that each is a turn of the loop. Use: bridge.py [MESSAGES]"""

import base64
import json
import os
import pathlib
import sys
import uuid

import rig
import websocket
from lib.agent import Agent, Channels
from rig import BASE, places

KERNELS, UPLOAD_MIB, UPLOADS = 20, 8, 5


def cpu_us(pid):
    """What all threads of a process have run so far (the kernel counts nanoseconds)."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1000


class Ours:
    who = "cygnet-agent"

    def __init__(self, group, tmp):
        (tmp / "ours").mkdir()
        self.agent = Agent(group.start, tmp / "ours")
        self.address = self.agent.path
        self.agent.get("api")  # it runs
        self.pid = self.agent.agent_pid()

    def start_kernel(self):
        return self.agent.start_kernel(name="python3")

    def open(self, path, protocols):
        return self.agent.open(path, protocols)


class Stock:
    who = "jupyter_server"

    def __init__(self, group, tmp):
        home = tmp / "stock"
        home.mkdir()
        self.address = tmp / "stock.sock"
        server = group.start(rig.stock_argv(home, f"--ServerApp.sock={self.address}"), name="stock", env=rig.stock_env(home))
        server.wait_connect(str(self.address)).close()
        self.pid = server.pid

    def start_kernel(self):
        answer = rig.web.request(self.address, "POST", BASE + "api/kernels", body='{"name": "python3"}',
                                 headers={"Content-Type": "application/json"})
        assert answer.status == 201, answer.data
        return json.loads(answer.data)["id"]

    def open(self, path, protocols):
        return websocket.create_connection("ws://localhost" + BASE + path, socket=rig.web.dial(self.address), subprotocols=protocols,
                                           timeout=places.CEILING)


def messages(server, n):
    """CPU in us for each of n outputs that a tab reads."""
    tab = Channels(server, server.start_kernel())
    tab.run("import time\nfrom IPython.display import display")
    tab.run("1")
    before = cpu_us(server.pid)
    done = tab.execute(f"for i in range({n}):\n    display({{'text/plain': str(i)}}, raw=True)\n    time.sleep(0.0005)")
    got = tab.until(lambda m: m["parent_header"].get("msg_id") == done and m["content"].get("execution_state") == "idle")
    used = cpu_us(server.pid) - before
    assert sum(m["header"]["msg_type"] == "display_data" for m in got) == n
    tab.close()
    answer = rig.web.request(server.address, "DELETE", BASE + f"api/kernels/{tab.id}")
    assert answer.status == 204, answer.data
    return used / n


def upload(server):
    """CPU in ms for each MiB of a file that is put in base64."""
    body = json.dumps({"type": "file", "format": "base64", "content": base64.b64encode(os.urandom(UPLOAD_MIB << 20)).decode()})
    before = cpu_us(server.pid)
    answer = rig.web.request(server.address, "PUT", BASE + f"api/contents/{uuid.uuid4().hex}.bin", body=body,
                             headers={"Content-Type": "application/json"})
    assert answer.status == 201, answer.data
    return (cpu_us(server.pid) - before) / 1000 / UPLOAD_MIB


def row(name, who, values, unit):
    return {"row": name, "who": who, "value": rig.median(values), "unit": unit, "min": min(values), "p95": rig.p95(values)}


def main(n):
    with rig.programs() as (group, tmp):
        servers = [Ours(group, tmp), Stock(group, tmp)]
        alone, uploads = {s.who: [] for s in servers}, {s.who: [] for s in servers}
        for _ in range(3):
            for server in servers:
                alone[server.who].append(messages(server, n))
        for _ in range(UPLOADS):
            for server in servers:
                uploads[server.who].append(upload(server))
        ours = servers[0]
        for _ in range(KERNELS - 1):
            ours.start_kernel()
        many = [messages(ours, n) for _ in range(3)]
    rows = [row("bridge message", f"{who}, 1 kernel", values, "us") for who, values in alone.items()]
    rows.append(row("bridge message", f"{ours.who}, {KERNELS} kernels", many, "us"))
    rows += [row("upload", who, values, "ms/MiB") for who, values in uploads.items()]
    rig.write("bridge", rows)
    for one in rows:
        print(f"  {one['row']:15} {one['who']:32} {one['value']:10.2f} {one['unit']}  min {one['min']:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
