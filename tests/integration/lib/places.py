"""Where things are: the tree, the programs of the flavour under test, logs, temporary folders."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
FLAVOUR = os.environ.get("FLAVOUR", "asan")
BIN = ROOT / "build" / FLAVOUR / "bin"
TEST_BIN = ROOT / "build" / FLAVOUR / "test"
LOGS = ROOT / "build/test-logs/integration"

# The one time limit: how long any event may take. A JVM may take longer (pass JVM_CEILING).
CEILING = 120.0
JVM_CEILING = 300.0


def log_dir(node):
    """build/test-logs/integration/FILE/TEST/ of a pytest item."""
    path = LOGS / node.path.stem / re.sub(r"[^\w.-]+", "_", node.name)[:80]
    path.mkdir(parents=True, exist_ok=True)
    return path


# Names of our temporary folders as the spawner writes them into the names of its control groups.
MADE = set()


def make_tmp():
    path = pathlib.Path(tempfile.mkdtemp(prefix="cyg-", dir="/tmp"))
    path.chmod(0o755)
    MADE.add(re.sub(r"\W|_", "-", os.fspath(path)[1:]))
    return path


def sanitizer_reports(path):
    """The log files below a folder in which a sanitizer reports, of programs whose output no test reads (the agent's)."""
    logs = [file for file in path.rglob("*.log") if file.is_file() and not file.is_symlink()]
    return [os.fspath(file) for file in logs if re.search(b"Sanitizer|runtime error:", file.read_bytes())]


def keep(path, node):
    """Copies the plain files of a failed test's folder beside its logs (16 MB at most each)."""
    for file in path.rglob("*"):
        if file.is_file() and not file.is_symlink() and file.stat().st_size < 16 << 20:
            copy = log_dir(node) / "files" / file.relative_to(path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def prefix(name):
    """The folder of a cached third-party prefix, see tests/support/cache.sh: prefix("jupyter")."""
    script = ROOT / "tests/support/cache.sh"
    out = subprocess.run([script, name], stdout=subprocess.PIPE, text=True, check=True)
    return pathlib.Path(out.stdout.strip())
