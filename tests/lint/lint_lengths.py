#!/usr/bin/python3
"""Lengths: a file has at most 800 lines, a function 80 lines and 6 parameters; a C file opens with a comment."""

import re

from csource import code, read, report, tracked

FILE, FUNCTION, PARAMETERS = 800, 80, 6
# Callbacks whose signature a library gives.
GIVEN = {("src/http/mhd.c", "on_request")}  # MHD_AccessHandlerCallback


def parameters(signature):
    """How many parameters the last parenthesised list of a definition holds."""
    depth = commas = 0
    for char in reversed(signature.rstrip()):
        depth += {")": 1, "(": -1}.get(char, 0)
        commas += char == "," and depth == 1
        if depth == 0:
            break
    return commas + 1


def functions(text):
    """(line, signature, length) of each definition: its braces stand alone in the first column."""
    lines = code(text).splitlines()
    start = signature = None
    for number, line in enumerate(lines):
        if line.rstrip() == "{" and start is None:
            start, head = number, []
            while start > 0 and re.match(r"[\w\s(,*.)\[\]-]+$", lines[start - 1]) and lines[start - 1].strip():
                start -= 1
                head.insert(0, lines[start].strip())
            signature = " ".join(head)
        elif line.startswith("}") and start is not None:
            if "(" in signature:
                yield start + 1, signature, number - start + 1
            start = None


def check(path):
    text = read(path)
    count = text.count("\n")
    if count > FILE:
        yield f"{path}: {count} lines, at most {FILE}"
    if not path.endswith((".c", ".h")):
        return
    if not text.startswith("/*"):
        yield f"{path}: does not open with a comment that says what it holds"
    for line, signature, length in functions(text):
        name = re.search(r"(\w+)\s*\(", signature).group(1)
        if length > FUNCTION:
            yield f"{path}:{line}: {name} has {length} lines, at most {FUNCTION}"
        if parameters(signature) > PARAMETERS and (path, name) not in GIVEN:
            yield f"{path}:{line}: {name} has {parameters(signature)} parameters, at most {PARAMETERS}"


sources = tracked("*.c", "*.h", "*.py", "*.sh", "*.js", "*.mjs", "*.ts", "*.css")
report([line for path in sources for line in check(path)])
