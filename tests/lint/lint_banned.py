#!/usr/bin/python3
"""Functions that have no place in our C: unbounded, locale-bound, racy, or numbers parsed without a range; in the
hub also errors that go round its one function."""

import re

from csource import code, read, report, tracked

ANYWHERE = """atoi atol atoll atof sscanf vsscanf scanf gets sprintf vsprintf strcpy stpcpy strcat strncat
    strtok strtok_r tmpnam tempnam mktemp asctime ctime gmtime localtime system popen alloca strerror_l bcopy bzero
    gethostbyname inet_ntoa inet_addr usleep sleep rand srand random setjmp longjmp""".split()
# The strict parser is the one place that reads numbers; pid 1 has nothing but libc.
NUMBERS = "strtol strtoul strtoll strtoull strtoimax strtoumax".split()
NUMBERS_IN = ("src/base/num.c", "spawner/init/", "tests/")
# The hub decides in one place whether an error is a page or JSON; the control socket has no pages.
ERRORS = re.compile(r"(?<![\w.>])http_reply_err(?:or)?\s*\(")
ERRORS_ENDS = ("/reply.c", "/pages.c", "/control.c")  # of src/hub
CALL = re.compile(r"(?<![\w.>])(" + "|".join(ANYWHERE + NUMBERS) + r")\s*\(")

found = []
for path in tracked("*.c", "*.h"):
    for number, line in enumerate(code(read(path)).splitlines(), 1):
        for name in CALL.findall(line):
            if name not in NUMBERS or not path.startswith(NUMBERS_IN):
                found.append(f"{path}:{number}: {name}() is banned")
        if path.startswith("src/hub/") and not path.endswith(ERRORS_ENDS) and ERRORS.search(line):
            found.append(f"{path}:{number}: the hub's errors leave by reply_error()")
report(found)
