"""What one change of the proxy's table costs each side's loop at 30,000 credentials, beside a whole table: CPU time.

The proxy is the real one, asked over its control socket; of the hub its table is measured, without the request."""

import hashlib
import http.client
import json
import subprocess
import sys

import rig
from lib import web

CREDENTIALS, CHANGES, WHOLE = 30000, 2000, 5
PORT = 18660


def row(number, expires=0):
    return {"sha256": hashlib.sha256(b"%d" % number).hexdigest(), "user": f"user{number}", "expires": expires}


def ask(control, method, body):
    answer = web.request(control, method, "/table", json.dumps(body))
    assert answer.status == http.client.OK, answer.data


def proxy_side(group, tmp):
    """(ms of a change, ms of a whole table)."""
    control, generation = tmp / "control.sock", 1
    one = group.start(["cygnet-proxy", "--listen", f"127.0.0.1:{PORT}", "--control", control, "--log-level", "warn"], name="proxy")
    one.wait_connect(("127.0.0.1", PORT)).close()
    whole = {"generation": generation, "routes": [], "credentials": [row(n) for n in range(CREDENTIALS)]}
    ask(control, "PUT", whole)
    before = rig.cpu_seconds(one.pid)
    for n in range(CHANGES):
        ask(control, "PATCH", {"from": generation, "to": generation + 1, "set": {"routes": [], "credentials": [row(n, n + 1)]},
                               "drop": {"routes": [], "credentials": []}})
        generation += 1
    change = (rig.cpu_seconds(one.pid) - before) / CHANGES
    before = rig.cpu_seconds(one.pid)
    for _ in range(WHOLE):
        ask(control, "PUT", whole)
    return change * 1000, (rig.cpu_seconds(one.pid) - before) / WHOLE * 1000


def main():
    words = subprocess.run([rig.places.TEST_BIN / "bench_table", str(CREDENTIALS), "20000"], capture_output=True, text=True,
                           check=True).stdout.split()
    with rig.programs() as (group, tmp):
        sides = {"proxy": proxy_side(group, tmp), "hub": tuple(float(word) for word in words)}
    rows = [{"row": "change of the table", "who": f"{side}, {what}", "value": value, "unit": "ms", "n": CREDENTIALS}
            for side, both in sides.items() for what, value in zip(("one change", "whole table"), both)]
    rig.write("changes", rows)
    for one in rows:
        print(f"  {one['row']:20} {one['who']:22} {one['value']:10.4f} {one['unit']}")


if __name__ == "__main__":
    sys.exit(main())
