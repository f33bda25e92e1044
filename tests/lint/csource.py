"""Reads C files for the lints: which files there are, and their code without comments and strings."""

import re
import subprocess
import sys

_NOISE = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.S | re.X
)


def tracked(*patterns):
    """The files that git knows or would add, sorted; a new file is checked before it is committed."""
    out = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--deduplicate", *patterns],
        capture_output=True, text=True, check=True,
    )
    present = []
    for path in sorted(out.stdout.splitlines()):
        try:
            with open(path, encoding="utf-8"):
                present.append(path)
        except (FileNotFoundError, IsADirectoryError):
            pass
    return present


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def code(text):
    """The text with comments and the insides of literals blanked; lines keep their numbers."""

    def blank(match):
        word = match.group(0)
        lines = "\n" * word.count("\n")
        return word[0] + lines + word[-1] if word[0] in "\"'" else " " + lines

    return _NOISE.sub(blank, text)


def report(found):
    """Prints what was found and ends the lint."""
    for line in found:
        print(line)
    sys.exit(1 if found else 0)
