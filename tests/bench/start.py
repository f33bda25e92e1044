"""A server's start to its first response, its private memory then, and a listing of 10,000 files:
cygnet-init with cygnet-agent beside bare jupyter_server, in turns. Use: start.py [ROUNDS]"""

import itertools
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import rig
from rig import BASE, places

FILES = 10_000


def wait_answer(path):
    """The moment of the first 200 of /api; asks until the socket is there, then waits in it."""
    while True:
        try:
            answer = rig.web.request(path, "GET", BASE + "api")
        except (ConnectionError, FileNotFoundError):
            time.sleep(0.001)
            continue
        assert answer.status == 200, answer.data
        return time.monotonic()


class Ours:
    who = "cygnet-init + cygnet-agent"

    def __init__(self, tmp, home, number):
        run, path = tmp / f"r{number}", tmp / f"in{number}.sock"
        for name in ("connection", "journal", "runtime", "log", "secrets"):
            (run / name).mkdir(parents=True, mode=0o700)
        prefix = places.prefix("jupyter")
        argv = [places.BIN / "cygnet-init", "--run-dir", run, "--", places.BIN / "cygnet-agent", "--base-url", BASE,
                "--root-dir", home, "--run-dir", run, "--jupyter-prefix", prefix]
        self.path = path
        with socket.socket(socket.AF_UNIX) as listener, open(tmp / f"ours{number}.log", "wb") as log:
            listener.bind(os.fspath(path))
            listener.listen(128)
            high = os.dup2(listener.fileno(), 100)
            begin = time.monotonic()
            self.pid = os.posix_spawn(
                argv[0], [os.fspath(word) for word in argv],
                {"HOME": str(home), "PATH": f"{prefix}/bin:/usr/bin:/bin"},
                file_actions=[(os.POSIX_SPAWN_DUP2, high, 3), (os.POSIX_SPAWN_CLOSE, high),
                              (os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)])
            os.close(high)
        self.seconds = wait_answer(path) - begin

    def pids(self):
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        _, status = os.waitpid(self.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0, status


class Stock:
    who = "jupyter_server"

    def __init__(self, tmp, home, number):
        self.path = tmp / f"stock{number}.sock"
        argv = rig.stock_argv(home, f"--ServerApp.sock={self.path}")
        with open(tmp / f"stock{number}.log", "wb") as log:
            begin = time.monotonic()
            self.process = subprocess.Popen(argv, env=rig.stock_env(tmp), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.seconds = wait_answer(self.path) - begin

    def pids(self):
        return [self.process.pid]

    def stop(self):
        self.process.terminate()
        self.process.wait(places.CEILING)


def listing(server):
    begin = time.monotonic()
    answer = rig.web.request(server.path, "GET", BASE + "api/contents/many?content=1")
    took = time.monotonic() - begin
    assert answer.status == 200, answer.data[:200]
    assert answer.data.count(b'"last_modified"') == FILES + 1
    return took


def main(rounds):
    kinds = (Ours, Stock)
    starts, memory, lists = ({kind: [] for kind in kinds} for _ in range(3))
    with rig.programs() as (_, tmp):
        home = tmp / "home"
        (home / "many").mkdir(parents=True)
        for i in range(FILES):
            (home / "many" / f"file-{i:05}.txt").write_bytes(b"x" * (i % 100))
        number = itertools.count()
        for i in range(-1, rounds):  # the first is only for the page cache
            # Ours starts so fast that a few more cost nothing.
            for kind in (*[Ours] * 5, Stock):
                server = kind(tmp, home, next(number))
                if i >= 0:
                    starts[kind].append(server.seconds)
                    time.sleep(0.5)  # what it still does by itself after the first response counts too
                    memory[kind].append(rig.private_kb(*server.pids()))
                server.stop()
        servers = {kind: kind(tmp, home, next(number)) for kind in kinds}
        for i in range(6):
            for kind in kinds:
                took = listing(servers[kind])
                if i > 0:
                    lists[kind].append(took)
        for server in servers.values():
            server.stop()
    rows = []
    for kind in kinds:
        rows += [{"row": "start", "who": kind.who, "value": rig.median(starts[kind]) * 1000, "unit": "ms",
                  "p95": rig.p95(starts[kind]) * 1000, "n": len(starts[kind])},
                 {"row": "memory", "who": kind.who, "value": rig.median(memory[kind]) / 1024, "unit": "MB", "n": len(memory[kind])},
                 {"row": "listing", "who": kind.who, "value": rig.median(lists[kind]) * 1000, "unit": "ms",
                  "p95": rig.p95(lists[kind]) * 1000, "n": len(lists[kind])}]
    rig.write("start", rows)
    for row in rows:
        print(f"  {row['row']:8} {row['who']:28} {row['value']:10.2f} {row['unit']}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
