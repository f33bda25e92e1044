"""Programs under test as objects: started with a log, waited for by events with one ceiling, stopped.

    proxy = daemon(["cygnet-proxy", "--config", path], listen={"http": sock})
    proxy.wait_line(r"ready")          # a line of its log (stdout and stderr), the match is returned
    proxy.stop()                       # SIGTERM, then its status is 0 or the test fails
"""

import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time

from lib import leftovers, places


class Daemon:
    """One running program. `log` is what it has printed so far, `pid` its process."""

    def __init__(self, name, argv, log_path, **options):
        self.name, self.argv, self.log_path = name, argv, log_path
        self._lines, self._closed = [], False
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, **options)
        self.pid = self.process.pid
        leftovers.OWNED.add(self.pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with open(self.log_path, "ab", buffering=0) as copy:
            for line in self.process.stdout:
                copy.write(line)
                with self._news:
                    self._lines.append(line.decode(errors="replace"))
                    self._news.notify_all()
        with self._news:
            self._closed = True
            self._news.notify_all()

    @property
    def log(self):
        with self._news:
            return "".join(self._lines)

    def wait_line(self, pattern, since=0, ceiling=places.CEILING):
        """The match of the first line, from line number `since` on, that holds the pattern."""
        end, number = time.monotonic() + ceiling, since
        with self._news:
            while True:
                while number < len(self._lines):
                    match = re.search(pattern, self._lines[number])
                    if match:
                        return match
                    number += 1
                if self._closed:
                    self.fail(f"ended before it said /{pattern}/")
                if not self._news.wait(end - time.monotonic()):
                    self.fail(f"did not say /{pattern}/")

    def lines(self):
        """How many lines there are so far: where a later wait_line starts."""
        with self._news:
            return len(self._lines)

    def wait_exit(self, ceiling=places.CEILING):
        """Its exit status; -N is signal N."""
        try:
            status = self.process.wait(ceiling)
        except subprocess.TimeoutExpired:
            self.fail("did not end")
        self._reader.join(ceiling)
        return status

    def wait_connect(self, address, ceiling=places.CEILING):
        """A connected socket to ("127.0.0.1", port) or a Unix path, as soon as the program accepts."""
        family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        address = address if isinstance(address, tuple) else os.fspath(address)
        end = time.monotonic() + ceiling
        pidfd = os.pidfd_open(self.pid)
        try:
            while time.monotonic() < end:
                sock = socket.socket(family)
                with contextlib.suppress(ConnectionRefusedError, FileNotFoundError):
                    sock.connect(address)
                    return sock
                sock.close()
                # Nothing tells us that a listener is there; the wait ends at once when the program does.
                if select.select([pidfd], [], [], 0.02)[0]:
                    self.fail(f"ended before it listened at {address}")
            self.fail(f"did not listen at {address}")
        finally:
            os.close(pidfd)

    def kill(self, sig=signal.SIGKILL):
        self.process.send_signal(sig)
        return self

    def stop(self, sig=signal.SIGTERM, status=0):
        """Asks it to end and checks how it did (a sanitizer's or leak's report is a status of its own)."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        got = self.wait_exit()
        if status is not None and got != status:
            self.fail(f"ended with status {got}, not {status}")
        return got

    def fail(self, what):
        """Fails the test with the end of the log; on a ceiling the state of all our processes is kept."""
        stacks = self.log_path.with_suffix(".processes")
        stacks.write_text(leftovers.describe_processes())
        tail = "".join(self._lines[-40:])
        raise AssertionError(f"{self.name} {what}\nlog {self.log_path}, processes {stacks}\n{tail}")


# exec keeps the pid, so the shell can say whose descriptors they are, as systemd does.
_PASS = 'for n in $MOVES; do eval "exec ${n%%:*}<&${n##*:} ${n##*:}<&-"; done; unset MOVES; LISTEN_PID=$$ exec "$@"'


class Daemons:
    """The programs that one test starts."""

    def __init__(self, log_dir, tmp):
        self.log_dir, self.tmp, self.all = log_dir, tmp, []

    def start(self, argv, name=None, env=None, listen=None, as_uid=None, **options):
        """Starts argv. env is added to the environment; listen={"name": listening socket} passes descriptors
        as LISTEN_FDS; as_uid=N runs it as that uid and gid without further groups; options go to Popen."""
        argv = [os.fspath(word) for word in argv]
        if "/" not in argv[0]:
            argv[0] = self.program(argv[0])
        name = name or pathlib.Path(argv[0]).name
        if as_uid is not None:
            argv[0] = self._within_reach(argv[0])
            argv = ["setpriv", f"--reuid={as_uid}", f"--regid={as_uid}", "--clear-groups", "--", *argv]
        full = {**os.environ, "HOME": os.fspath(self.tmp), **(env or {})}
        if listen:
            argv = self._passing(argv, listen, full, options)
        path = self.log_dir / f"{len(self.all):02}-{name}.log"
        path.unlink(missing_ok=True)
        self.all.append(Daemon(name, argv, path, env=full, **options))
        for fd in options.get("pass_fds", ()) if listen else ():
            os.close(fd)
        return self.all[-1]

    def _within_reach(self, program):
        """A copy of a program of ours and of its neighbours: the tree may lie where other uids cannot walk."""
        source = pathlib.Path(program).parent
        if source not in (places.BIN, places.TEST_BIN):
            return program
        copies = pathlib.Path(self.tmp) / f"programs-{source.name}"
        if not copies.exists():
            copies.mkdir(mode=0o755)
            for one in source.glob("cygnet-*"):
                shutil.copy(one, copies)
        if not (copies / pathlib.Path(program).name).exists():
            shutil.copy(program, copies)
        return os.fspath(copies / pathlib.Path(program).name)

    @staticmethod
    def program(name):
        for folder in (places.BIN, places.TEST_BIN):
            if (folder / name).exists():
                return os.fspath(folder / name)
        if not name.startswith("cygnet") and shutil.which(name):
            return shutil.which(name)
        raise FileNotFoundError(f"{name} is not built: make FLAVOUR={places.FLAVOUR} all tests")

    @staticmethod
    def _passing(argv, listen, env, options):
        # Numbers that no other descriptor has, so that moving them to 3… steps on nothing.
        moves = []
        for index, sock in enumerate(listen.values()):
            high = 200 + index
            os.dup2(sock.fileno(), high)
            moves.append((3 + index, high))
        options["pass_fds"] = tuple(high for _, high in moves)
        env |= {"LISTEN_FDS": str(len(moves)), "LISTEN_FDNAMES": ":".join(listen),
                "MOVES": " ".join(f"{low}:{high}" for low, high in moves)}
        return ["bash", "-c", _PASS, "pass-fds", *argv]

    def stop_all(self):
        """Ends what the test did not end itself, the last started first, and checks their statuses."""
        problems = []
        for one in reversed(self.all):
            if one.process.poll() is None:
                try:
                    one.stop()
                except AssertionError as problem:
                    problems.append(str(problem))
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(one.pid, signal.SIGKILL)
                    one.process.wait()
            if "Sanitizer" in one.log or "runtime error:" in one.log:
                problems.append(f"{one.name}: a sanitizer's report is in {one.log_path}")
            leftovers.OWNED.discard(one.pid)
        assert not problems, "\n".join(problems)


def wait_until(condition, what, ceiling=places.CEILING):
    """For states that no event announces: asks every 20 ms and returns the first true result."""
    end = time.monotonic() + ceiling
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {ceiling:.0f} s: {what}")
        select.select([], [], [], 0.02)
