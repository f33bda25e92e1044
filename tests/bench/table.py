"""Prints what the benches wrote into build/bench/ as one table, peers side by side, and keeps it there as table.txt and
bench.json. In each row the first peer is the one that ours is compared with. Use: table.py FOLDER"""

import json
import pathlib
import sys

PROXY, CHP = "cygnet-proxy", "configurable-http-proxy"
AGENT, TRIP = "cygnet-init + cygnet-agent", "cygnet-agent behind cygnet-proxy"
LAB, STOCK = "cygnet-agent", "stock JupyterLab"
SPARK = "Spark's own scripts"
# (title, row, ours, [peers], larger is better, aim as a ratio in our favour or None)
TABLE = (
    ("start to first /api response", "start", AGENT, ["jupyter_server"], False, 20),
    ("private memory, no kernel", "memory", AGENT, ["jupyter_server"], False, 10),
    ("listing of 10,000 files", "listing", AGENT, ["jupyter_server"], False, 15),
    ("proxied req/s per CPU s, Unix", "proxied requests", PROXY + ", Unix socket behind", [CHP], True, 5),
    ("proxied req/s per CPU s, TCP", "proxied requests", PROXY + ", TCP behind", [CHP], True, 5),
    ("proxied req/s per CPU s, session", "proxied requests", PROXY + ", session checked", [CHP], True, 5),
    ("memory of an idle WebSocket", "idle WebSocket", PROXY, [CHP], False, None),
    ("print(1) and back: bare ZeroMQ", "round trip", TRIP, ["bare ZeroMQ client, the same kernel"], False, 1 / 1.3),
    ("print(1) and back: stock, CHP", "round trip", TRIP, ["jupyter_server behind CHP"], False, None),
    ("print(1) and back: NODELAY, CHP", "round trip", TRIP, ["jupyter_server, TCP_NODELAY, behind CHP"], False, None),
    ("CPU of a kernel's message", "bridge message", "cygnet-agent, 1 kernel", ["jupyter_server, 1 kernel"], False, 5),
    ("the same among 20 kernels: alone", "bridge message", "cygnet-agent, 20 kernels", ["cygnet-agent, 1 kernel"], False, 1 / 1.2),
    ("CPU of an uploaded MiB", "upload", "cygnet-agent", ["jupyter_server"], False, 1),
    ("Spark: the first result", "Spark, first result", LAB, [SPARK], False, 2),
    ("Spark: CPU of the first result", "Spark, CPU of the first result", LAB, [SPARK], False, 2.5),
    ("Spark: a heavy job", "Spark, heavy job", LAB, [SPARK], False, 1 / 1.1),
    ("Spark: result after a restart", "Spark, kernel restarted", LAB, ["its first use"], False, 1 / 0.15),
    ("JupyterLab page, first load", "page load, first", LAB, [STOCK], False, None),
    ("JupyterLab page, again", "page load, again", LAB, [STOCK], False, None),
    ("JupyterLab bytes, first load", "page bytes, first", LAB, [STOCK], False, None),
    ("JupyterLab bytes, again", "page bytes, again", LAB, [STOCK], False, None),
    ("click to a usable JupyterLab", "click to JupyterLab", LAB, [STOCK], False, None),
)
STAGES = ("queue", "folders", "home", "limits", "container", "spawn", "setup", "user-script", "agent", "answer", "route")


def figure(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 100 else f"{value:.2f}"


def spread(row):
    return f"{figure(row['value'])} {row['unit']}" + (f" (p95 {figure(row['p95'])})" if "p95" in row else "")


def compare(rows):
    lines = [f"{'what (medians)':33} {'ours':27} {'peer':29} {'ratio':>7}  aim"]
    for title, name, ours, peers, more, aim in TABLE:
        for peer in peers:
            mine, other = rows.get((name, ours)), rows.get((name, peer))
            if mine is None or other is None:
                lines.append(f"{title:33} not measured")
                continue
            ratio = mine["value"] / other["value"] if more else other["value"] / mine["value"]
            verdict = "" if aim is None else f">= {aim:.2f}: {'met' if ratio >= aim else 'MISSED'}"
            lines.append(f"{title:33} {spread(mine):27} {spread(other):29} {ratio:6.2f}x  {verdict}".rstrip())
    return lines


def stages(rows):
    both = [(who, rows[("own stages", who)], rows[("click to JupyterLab", who)]) for who in (LAB, STOCK) if ("own stages", who) in rows]
    if not both:
        return []
    lines = ["", f"{'stages of a start, ms (medians)':33} " + " ".join(f"{who:>17}" for who, _, _ in both)]
    for name in STAGES:
        if any(name in own["stages"] for _, own, _ in both):
            lines.append(f"  {name:31} " + " ".join(f"{own['stages'].get(name, 0):17.0f}" for _, own, _ in both))
    lines.append(f"{'click to usable JupyterLab':33} " + " ".join(f"{click['value']:17.0f}" for _, _, click in both))
    lines.append(f"{'CPU of hub, proxy, spawner, agent':33} " + " ".join(f"{'/'.join(str(v) for v in own['cpu_ms'].values()):>17}" for _, own, _ in both))
    share = both[0][1]["share"]
    lines.append(f"all stages but the site's scripts, of ours: {both[0][1]['value']:.0f} ms, {share:.1%} of click to usable"
                 f" (aim <= 10 %: {'met' if share <= 0.1 else 'MISSED'})")
    answered, total = both[0][2]["answered_ms"], both[0][2]["value"]
    lines.append(f"click to the first byte of JupyterLab's page, with scripts and the portal's pages: {answered:.0f} ms, {answered / total:.1%}")
    return lines


def memory(rows):
    found = [(who, row["private_mb"]) for (name, who), row in rows.items() if name == "proxied requests"]
    return ["", "private memory after the load: " + ", ".join(f"{who} {mb:.1f} MB" for who, mb in found)] if found else []


CHANGE_AIM_MS = 0.2


def changes(rows):
    lines = []
    for side in ("hub", "proxy"):
        one, whole = (rows.get(("change of the table", f"{side}, {what}")) for what in ("one change", "whole table"))
        if one is not None and whole is not None:
            met = "met" if one["value"] <= CHANGE_AIM_MS else "MISSED"
            lines.append(f"one change at {one['n']:,} credentials, {side + ':':6} {one['value']:.4f} ms of its loop"
                         f" (aim <= {CHANGE_AIM_MS}: {met}); a whole table {whole['value']:.0f} ms")
    return ["", *lines] if lines else []


def hub(rows):
    row = rows.get(("authenticated GET", "cygnet-hub"))
    return [f"CPU of the hub for an authenticated GET: {figure(row['value'])} {row['unit']}"
            f" (private memory {row['private_mb']:.1f} MB)"] if row else []


def main(folder):
    all_rows = [row for name in ("start", "proxy", "changes", "hub", "round_trip", "bridge", "site") if (folder / f"{name}.json").exists()
                for row in json.loads((folder / f"{name}.json").read_text())]
    rows = {(row["row"], row["who"]): row for row in all_rows}
    text = "\n".join(compare(rows) + memory(rows) + changes(rows) + hub(rows) + stages(rows)) + "\n"
    (folder / "bench.json").write_text(json.dumps(all_rows, indent=1) + "\n")
    (folder / "table.txt").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
