"""cygnet-init: the children that it starts for the agent."""

import fcntl
import os
import signal
import struct
import sys
import termios

import pytest

from lib.daemon import wait_until
from lib.init_rig import EXITED, FAILED, RESIZE, SEALS, START, STARTED, init  # noqa: F401  init: fixture


def test_child_gets_exactly_what_start_said(init, tmp_path):
    one = init()
    agent = one.agent()
    (tmp_path / "cwd").mkdir()
    code = "import os, sys; print(sys.argv[1:], dict(os.environ), os.getcwd(), sorted(os.listdir('/proc/self/fd')))"
    child = agent.start([sys.executable, "-c", code, "a b", ""], env={"ONLY": "this", "X": "a=b"},
                        cwd=tmp_path / "cwd", log=tmp_path / "log")
    ended = agent.wait(EXITED, pid=child.pid)
    assert (ended.status, ended.signal) == (0, 0) and ended.max_rss > 1 << 20
    assert (tmp_path / "log").read_text() == (
        f"['a b', ''] {{'ONLY': 'this', 'X': 'a=b', 'LC_CTYPE': 'C.UTF-8'}} {tmp_path}/cwd ['0', '1', '2', '3']\n")
    one.end(agent)


def test_exit_status_and_signal_are_told(init):
    one = init()
    agent = one.agent()
    child = agent.start(["/bin/sh", "-c", "exit 7"])
    assert agent.wait(EXITED, pid=child.pid).status == 7
    child = agent.start(["/bin/sleep", "1000"])
    agent.signal(child.pid, signal.SIGKILL)
    ended = agent.wait(EXITED, pid=child.pid)
    assert (ended.signal, ended.oom) == (signal.SIGKILL, 0)
    one.end(agent)


def test_what_cannot_be_executed_is_no_child(init, tmp_path):
    one = init()
    agent = one.agent()
    (tmp_path / "script").write_text("#!/no/such/interpreter\n")
    (tmp_path / "script").chmod(0o755)
    for argv, how, errnum, word in ((["/no/such/kernel"], {}, 2, "cannot run /no/such/kernel: No such file or directory"),
                                    ([tmp_path / "script"], {}, 2, f"cannot run {tmp_path}/script: No such file or directory"),
                                    ([tmp_path], {}, 13, f"cannot run {tmp_path}: Permission denied"),
                                    (["/no/such/shell"], {"pty": True}, 2, "cannot run /no/such/shell: No such file or directory"),
                                    (["/bin/true"], {"cwd": "/no/such"}, 2, "cannot enter /no/such: No such file or directory")):
        answer = agent.start(argv, log=tmp_path / "log", **how)
        assert (answer.type, answer.errnum, answer.message) == (FAILED, errnum, word)
    assert agent.list() == {}
    child = agent.start(["/bin/true"])
    assert agent.wait(EXITED).pid == child.pid  # the first end that is told
    one.end(agent)


def test_signal_goes_to_the_child_or_to_its_group(init, tmp_path):
    one = init()
    agent = one.agent()
    script = "trap 'echo parent' INT; sh -c \"trap 'echo child; exit' INT; echo up; while :; do sleep 0.05; done\" & " \
             "while :; do wait; kill -0 $! 2>/dev/null || exit; done"
    child = agent.start(["/bin/sh", "-c", script], log=tmp_path / "log")
    log = tmp_path / "log"
    wait_until(lambda: log.exists() and "up" in log.read_text(), "child up")
    agent.signal(child.pid, signal.SIGINT)
    wait_until(lambda: "parent" in log.read_text(), "parent told")
    assert "child" not in log.read_text()
    agent.signal(child.pid, signal.SIGKILL, group=True)
    agent.wait(EXITED, pid=child.pid)
    one.end(agent)


def test_only_children_can_be_signalled(init):
    one = init()
    agent = one.agent()
    for pid in (os.getpid(), 1, -1, one.daemon.pid, agent.pid):
        agent.signal(pid, signal.SIGKILL, group=True)
        assert agent.wait(FAILED).errnum == 3
    one.end(agent)


def test_terminal_has_its_size_and_can_be_resized(init):
    one = init()
    agent = one.agent()
    child = agent.start(["/bin/sh", "-c", "tty; stty size; read x; stty size; read x"], pty=True, size=(30, 100))
    with open(child.fds[0], "r+b", buffering=0) as terminal:
        text = b""
        while b"30 100" not in text:
            text += terminal.read(1000)
        assert b"/dev/pts/" in text
        agent.send(RESIZE, "iHH", child.pid, 50, 120)
        assert agent.list()[child.pid].pty == 1
        assert struct.unpack("HHHH", fcntl.ioctl(terminal, termios.TIOCGWINSZ, b"\0" * 8))[:2] == (50, 120)
        terminal.write(b"\n")
        while b"50 120" not in text:
            text += terminal.read(1000)
        terminal.write(b"\n")
    agent.wait(EXITED, pid=child.pid)
    one.end(agent)


@pytest.mark.parametrize("how", ["unsealed", "short", "empty"])
def test_start_that_is_not_what_it_says_is_refused(init, how):
    one = init()
    agent = one.agent()
    if how == "unsealed":
        answer = agent.start(["/bin/true"], seal=False)
    elif how == "empty":
        answer = agent.start([], env={})
    else:
        memfd = os.memfd_create("start", os.MFD_ALLOW_SEALING)
        os.write(memfd, b"/bin/true\0no end")
        fcntl.fcntl(memfd, fcntl.F_ADD_SEALS, SEALS)
        agent.send(START, "IIIIHH128s1024s1024s", 1, 1, 17, 0, 0, 0, "t", "", "", fds=[memfd])
        os.close(memfd)
        answer = agent.wait(FAILED)
    assert (answer.type, answer.errnum) == (FAILED, 22)
    assert agent.start(["/bin/true"]).type == STARTED
    one.end(agent)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: init's descriptors are nobody else's to see")
def test_descriptors_beyond_the_one_that_counts_do_not_stay(init):
    one = init()
    agent = one.agent()
    fds = f"/proc/{one.daemon.pid}/fd"
    before = len(os.listdir(fds))
    for _ in range(3):
        memfd = os.memfd_create("start", os.MFD_ALLOW_SEALING)
        agent.send(START, "IIIIHH128s1024s1024s", 1, 1, 17, 0, 0, 0, "t", "", "", fds=[memfd, memfd, memfd])
        os.close(memfd)
        agent.wait(FAILED)
    agent.list()  # answered after the last one was done with
    assert len(os.listdir(fds)) == before
    one.end(agent)


def test_link_that_breaks_the_rules_is_closed_and_init_goes_on(init):
    one = init()
    agent = one.agent()
    child = agent.start(["/bin/sleep", "1000"])
    agent.link.send(b"\0" * 40)
    assert agent.link.recv(10) == b""
    agent.die()
    agent = one.agent()
    assert child.pid in agent.list()
    one.end(agent)


def test_no_more_than_so_many_children(init):
    one = init()
    agent = one.agent()
    answers = [agent.start(["/bin/sleep", "1000"], tag=str(i)).type for i in range(256)]
    assert answers == [STARTED] * 255 + [FAILED]
    assert len(agent.list()) == 255
    one.end(agent)
