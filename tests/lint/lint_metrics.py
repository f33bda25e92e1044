#!/usr/bin/python3
"""Every metric that a table declares stands in docs/metrics.md, and no other. (A test compares the whole page
with what the programs print; this one needs no build.)"""

import re

from csource import read, report, tracked

ROW = re.compile(r'\{\s*(?:\.name\s*=\s*)?"(\w+)",\s*(?:\.type\s*=\s*)?METRIC_(?:COUNTER|GAUGE|HISTOGRAM)')

declared = {
    name: path for path in tracked("*.c")
    if not path.startswith("tests/") and path != "src/daemon/metrics_process.c"  # named in the page's own words
    for name in ROW.findall(read(path))
}
documented = set(re.findall(r"^\| `(\w+)` \|", read("docs/metrics.md"), re.M))
report(
    [f"{path}: {name} is not in docs/metrics.md: run docs/generate_metrics.sh"
     for name, path in declared.items() if name not in documented]
    + [f"docs/metrics.md: no program has {name}" for name in sorted(documented - set(declared))])
