#!/usr/bin/python3
"""Where the hub and the servers are is said in include/cygnet/paths.h and src/web/static/api.mjs alone: no other
program, page or script names "/hub/" or "/user/". Comments may, and so may names of files."""

import re

from csource import read, report, tracked

ONE_PLACE = ("include/cygnet/paths.h", "src/web/static/api.mjs")
NAMED = re.compile(r"""(?<![\w}])/(?:hub|user)(?=[/?"'`]|$)|%2[Ff](?:hub|user)(?:%|$)|[\w}]/(?:hub|user)/(?=[\w$%{])""")
# Below a run folder or a state folder, or the kernel's own.
FILES = re.compile(r"%s/hub/(?:http\.sock|control\.sock|password|admin\.token)|/proc/sys/user/|%s/hub$")
TOKEN = re.compile(r"""/\*.*?\*/ | (?<![:'"`\w])//[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | `(?:\\.|[^`\\])*`""",
                   re.S | re.X)


def literals(text):
    """The literals of a source with their line numbers."""
    for match in TOKEN.finditer(text):
        if match.group(0)[0] in "\"'`":
            yield text.count("\n", 0, match.start()) + 1, match.group(0)[1:-1]


def check(path):
    text = read(path)
    lines = enumerate(text.splitlines(), 1) if path.endswith((".html", ".css")) else literals(text)
    for number, line in lines:
        if NAMED.search(FILES.sub("", line)):
            yield f"{path}:{number}: {line.strip()[:60]}: take the path from {ONE_PLACE[path.startswith('src/web/')]}"


report([line for path in tracked("*.c", "*.h", "src/web/*", "kernels/*.py") if not path.startswith("tests/")
        and path not in ONE_PLACE for line in check(path)])
