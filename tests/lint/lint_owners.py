#!/usr/bin/python3
"""Locals that clean up after themselves hold a value before the function can return: they are initialised
where they are declared, or cyg_buf_init comes before the first return."""

import re

from csource import code, read, report, tracked

DECLARED = re.compile(r"^\s*(cyg_auto\w*)\s+(?:const\s+)?(?:struct\s+)?\w+\s+([^;(]*);")


def check(path):
    lines = code(read(path)).splitlines()
    for number, line in enumerate(lines):
        match = DECLARED.match(line)
        if not match:
            continue
        for name in re.findall(r"(?:^|,)\s*\**(\w+)\s*(?=,|$)", match.group(2)):
            ready = re.compile(r"cyg_buf_init\(&" + name + r"\b|^\s*(\*?)" + name + r" = ")
            for later in lines[number + 1 :]:
                if ready.search(later):
                    break
                if re.search(r"\breturn\b|\bgoto\b|^}", later):
                    yield f"{path}:{number + 1}: {name} may be freed before it holds anything"
                    break


report([line for path in tracked("*.c") for line in check(path)])
