"""Prints the runs that compare.sh kept as one table: our rows before and after, medians over the runs, and the ratio after to before of
what is worse when it grows (below one is better). Use: compare.py FOLDER [MOST]: fails when a row is worse than MOST times."""

import json
import pathlib
import statistics
import sys

MORE_IS_BETTER = ("req/s of CPU",)


def rows_of(folder):
    """{(row, who): (unit, [value of each run])}, of our own programs."""
    found = {}
    for path in sorted(folder.glob("*/*.json")):
        for row in json.loads(path.read_text()):
            if row["who"].startswith("cygnet"):
                found.setdefault((row["row"], row["who"]), (row["unit"], []))[1].append(row["value"])
    return found


def main(folder, most):
    before, after = rows_of(folder / "before"), rows_of(folder / "after")
    worse = []
    print(f"{'row':24} {'of':34} {'before':>12} {'after':>12} {'unit':13} {'ratio':>6}  runs")
    for key in sorted(before.keys() | after.keys()):
        unit, now = after.get(key, before.get(key, ("", []))[:1] + ([],))
        then = before.get(key, ("", []))[1]
        if not then or not now:
            print(f"{key[0]:24} {key[1]:34} {'only ' + ('after' if now else 'before'):>12} {statistics.median(now or then):25.2f} {unit}")
            continue
        a, b = statistics.median(then), statistics.median(now)
        ratio = a / b if unit in MORE_IS_BETTER else b / a if a else 1.0
        if most and ratio > most:
            worse.append(key)
        print(f"{key[0]:24} {key[1]:34} {a:12.2f} {b:12.2f} {unit:13} {ratio:5.2f}x  {len(then)}/{len(now)}")
    for key in worse:
        print(f"worse than {most:.2f}: {key[0]}, {key[1]}")
    return not worse


if __name__ == "__main__":
    sys.exit(0 if main(pathlib.Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] else None) else 1)
