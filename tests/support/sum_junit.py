#!/usr/bin/python3
"""Adds up pytest's result files: sum_junit.py FOLDER TEST-FILE... A file without results, or without
tests, counts as one failure. Last line: N passed, N failed; the skipped are named above it."""

import os
import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    """(passed, failed) of one result file."""
    try:
        suites = list(ElementTree.parse(path).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError) as error:
        print(f"FAILED no results: {error}")
        return 0, 1
    total = {key: sum(int(suite.get(key)) for suite in suites) for key in ("tests", "failures", "errors", "skipped")}
    for case in suites[0].iter("testcase"):
        for skip in case.iter("skipped"):
            print(f"  SKIPPED {case.get('classname')}.{case.get('name')}: {skip.get('message')}")
    failed = total["failures"] + total["errors"]
    # An error at tear-down belongs to a test that was counted as passed already: it failed.
    passed = max(0, total["tests"] - failed - total["skipped"])
    return (passed, failed) if passed + failed + total["skipped"] > 0 else (0, 1)


folder, files = sys.argv[1], sys.argv[2:]
results = [count(os.path.join(folder, os.path.basename(file)[:-3] + ".xml")) for file in files]
good, bad = (sum(column) for column in zip(*results)) if results else (0, 0)
print(f"{good} passed, {bad} failed")
sys.exit(1 if bad else 0)
