"""What the benches share: our programs and their real peers as objects, what a process used, rows for the table.

A row is {"row", "who", "value", "unit", and more figures by name}; table.py knows which rows are put side by side.
"""

import contextlib
import json
import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))

from lib import leftovers, places, web  # noqa: E402
from lib.daemon import Daemons  # noqa: E402

OUT = ROOT / "build/bench"
BASE = "/user/alice/"
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of a process so far, its threads' too."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def private_kb(*pids):
    """Memory that belongs to these processes alone."""
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_"):
                total += int(line.split()[1])
    return total


def median(values):
    return statistics.median(values)


def p95(values):
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]


def write(name, rows):
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")


@contextlib.contextmanager
def programs():
    """A folder and the programs that one bench starts; all are ended, and it fails when anything is left."""
    os.umask(0o022)
    leftovers.adopt_orphans()
    tmp = places.make_tmp()
    logs = ROOT / "build/test-logs/bench"
    logs.mkdir(parents=True, exist_ok=True)
    group = Daemons(logs, tmp)
    try:
        yield group, tmp
    finally:
        try:
            for one in group.all:  # the peers end as they like
                if one.name.startswith(("chp", "bench")) and one.process.poll() is None:
                    one.stop(status=None)
            group.stop_all()
        finally:
            for path in sorted(tmp.rglob("*"), reverse=True):
                with contextlib.suppress(OSError):
                    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
            with contextlib.suppress(OSError):
                tmp.rmdir()


def stock_argv(home, *more):
    """Bare jupyter_server, as a user runs it who needs only the API: of the prefix's extensions terminals only."""
    off = "{" + ", ".join(f"'{name}': False" for name in ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp")) + "}"
    return [places.prefix("jupyter") / "bin/python", "-m", "jupyter_server", "--no-browser", "--allow-root",
            "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", f"--ServerApp.base_url={BASE}",
            f"--ServerApp.root_dir={home}", f"--ServerApp.jpserver_extensions={off}", "--ServerApp.allow_remote_access=True",
            "--ServerApp.port_retries=0", *more]


def stock_env(home):
    path = f"{places.prefix('jupyter')}/bin:/usr/bin:/bin"
    return {"HOME": str(home), "PATH": path, "JUPYTER_PLATFORM_DIRS": "0", "LANG": "C.UTF-8"}


def chp(start, port, target):
    """configurable-http-proxy on a port, everything to one target."""
    prefix = places.prefix("chp")
    one = start([prefix / "node", prefix / "node_modules/configurable-http-proxy/bin/configurable-http-proxy", "--ip", "127.0.0.1",
                 "--port", str(port), "--api-port", str(port + 1), "--default-target", target, "--log-level", "error"],
                name=f"chp-{port}", env={"CONFIGPROXY_AUTH_TOKEN": "bench"})
    one.wait_connect(("127.0.0.1", port)).close()
    return one


def our_proxy(start, tmp, port, routes, credentials=()):
    table = tmp / f"table-{port}.json"
    table.write_text(json.dumps({"generation": 1, "routes": routes, "credentials": list(credentials)}))
    one = start(["cygnet-proxy", "--listen", f"127.0.0.1:{port}", "--table", table], name=f"proxy-{port}")
    one.wait_connect(("127.0.0.1", port)).close()
    return one


__all__ = ["BASE", "OUT", "ROOT", "chp", "cpu_seconds", "median", "our_proxy", "p95", "places", "private_kb", "programs",
           "stock_argv", "stock_env", "web", "write"]
