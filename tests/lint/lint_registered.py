#!/usr/bin/python3
"""Nothing lies about unused: tests are added to a case, cases to a suite, C files and corpora to a part.mk."""

import os
import re
import subprocess

from csource import code, read, report, tracked


def names_of(variable):
    return set(subprocess.run(
        ["make", "-s", f"print-{variable}"], capture_output=True, text=True, check=True).stdout.split())


def unit_tests(path):
    text = code(read(path))
    for name in re.findall(r"START_TEST\s*\(\s*(\w+)\s*\)", text):
        if not re.search(r"tcase_add_\w*test\w*\s*\([^;]*\b" + name + r"\b", text):
            yield f"{path}: {name} is in no test case"
    for name in re.findall(r"(\w+)\s*=\s*tcase_create", text):
        if not re.search(r"suite_add_tcase\s*\([^;]*\b" + name + r"\b", text):
            yield f"{path}: test case {name} is in no suite"


built = names_of("ALL_SRC") | {"tests/fuzz/replay_main.c"}
targets = names_of("FUZZ_TARGETS")
found = []
for path in tracked("*.c"):
    if path not in built:
        found.append(f"{path}: named in no part.mk")
    found += unit_tests(path)
for name in sorted(os.listdir("tests/fuzz")):
    if name.endswith(".corpus") and name[: -len(".corpus")] not in targets:
        found.append(f"tests/fuzz/{name}: no fuzz target of that name")
for path in tracked("tests/integration/*.py", "tests/e2e/*.mjs"):
    if re.search(r"^(def test_|test\()", read(path), re.M) and not re.search(r"/test_\w+\.py$|\.test\.mjs$", path):
        found.append(f"{path}: holds tests but its name is not run (test_*.py, *.test.mjs)")
report(found)
