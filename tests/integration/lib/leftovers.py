"""Finds what a test leaves behind: processes below us, listening sockets, mounts, cgroups, folders in /tmp."""

import contextlib
import ctypes
import os
import pathlib
import select
import time

from lib import places

_PR_SET_CHILD_SUBREAPER = 36

# Processes whose status lib/daemon.py waits for: never collected here.
OWNED = set()


def adopt_orphans():
    """Daemons that left their parent become ours, so that none escapes the count."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def failed(node):
    return any(getattr(node, "report_" + when, None) is not None and getattr(node, "report_" + when).failed
               for when in ("setup", "call"))


def children(pid):
    """The living descendants of a process."""
    found = []
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in path.read_text().split():
                found += [int(child), *children(child)]
    return found


def lives(pid):
    """Whether a process runs; one that has ended and waits to be collected does not."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def _name(pid):
    with contextlib.suppress(OSError):
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return f"process {pid} ({state}) {words[:200]}"
    return None


def _reap():
    """Collects adopted children that have ended, so that zombies are not taken for the living."""
    for pid in set(children(os.getpid())) - OWNED:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _listeners():
    found = set()
    for kind in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/self/net/{kind}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":  # LISTEN
                found.add(f"listening {kind} socket on port {int(words[1].rpartition(':')[2], 16)}")
    for line in pathlib.Path("/proc/self/net/unix").read_text().splitlines()[1:]:
        words = line.split(maxsplit=7)
        if len(words) == 8 and int(words[3], 16) & 0x10000:  # accepts connections
            found.add(f"listening unix socket {words[7]}")
    return found


def _mounts():
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return {"mount " + line.split()[4] for line in lines}


def places_of_groups():
    """Where control groups can be made, as {mount point: whether all below it is this run's}: tests/support/netns.sh
    binds a group of the run's own over the hierarchies of version 1 that a spawner uses."""
    found = {}
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        words = line.split()
        if words[words.index("-") + 1] in ("cgroup", "cgroup2"):
            found[words[4]] = words[3].rpartition("/")[2].startswith("cygnet-test-")
    return found


def _own_group():
    """Where this process is in version 2's hierarchy: "/" when it has that to itself or with everybody."""
    lines = pathlib.Path("/proc/self/cgroup").read_text().splitlines()
    return next((line[3:] for line in lines if line.startswith("0::")), "/")


def _may_be_ours(folder, name):
    """Elsewhere control groups are the machine's: other test files, containers and a site of this machine make some
    too. Ours are named after a folder of this run, or are made by a spawner inside the group that we are in."""
    if any(made in name for made in places.MADE):
        return True
    own = _own_group()
    return own != "/" and own in folder and "cygnet" in name and not name.startswith("cygnet-tmp-cyg-")


def _cgroups():
    found = set()
    for place, is_own in places_of_groups().items():
        for folder, names, _ in os.walk(place):
            found |= {f"cgroup {folder}/{name}" for name in names if is_own or _may_be_ours(folder, name)}
    return found


def snapshot():
    # Folders in /tmp are not counted here: other test files run beside us; tmp_path removes its own.
    return {"processes": set(children(os.getpid())), "rest": _listeners() | _mounts() | _cgroups()}


def _wait_for_an_end(pids, seconds):
    """Until one of them ends; sockets, mounts and groups announce nothing, so it is never for long."""
    with contextlib.ExitStack() as opened:
        fds = []
        for pid in filter(lives, pids):
            with contextlib.suppress(ProcessLookupError):
                fds.append(os.pidfd_open(pid))
                opened.callback(os.close, fds[-1])
        select.select(fds, [], [], max(0.0, min(seconds, 0.1)))


def since(before, ceiling=places.CEILING):
    """What is there now and was not then. What is about to end may do so, within the ceiling of all waits."""
    end = time.monotonic() + ceiling
    while True:
        _reap()
        new = [pid for pid in children(os.getpid()) if pid not in before["processes"]]
        rest = sorted((_listeners() | _mounts() | _cgroups()) - before["rest"])
        if not new and not rest:
            return []
        if time.monotonic() > end:
            break
        _wait_for_an_end(new, end - time.monotonic())
    found = [_name(pid) for pid in new]
    for pid in new:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
    return [line for line in found if line] + rest


def describe_processes():
    """State, kernel stack and open files of every process below us, for the log of a ceiling."""
    text = []
    for pid in children(os.getpid()):
        text.append(_name(pid) or f"process {pid} (gone)")
        for part in ("status", "wchan", "stack", "syscall"):
            with contextlib.suppress(OSError):
                text.append(f"-- {part}\n" + pathlib.Path(f"/proc/{pid}/{part}").read_text())
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                text.append(f"fd {fd} -> " + os.readlink(f"/proc/{pid}/fd/{fd}"))
    return "\n".join(text) + "\n"
