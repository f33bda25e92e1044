"""cygnet-init: its agent, and how everything ends."""

import os
import signal
import sys
import time

import pytest

from lib import leftovers
from lib.daemon import wait_until
from lib.init_rig import EXITED, init  # noqa: F401  init: fixture


# ---- agent ----
def test_agent_gets_listener_link_and_a_clean_environment(init, tmp_path):
    (tmp_path / "s.sh").write_text("export FROM_SETUP=1 LD_LIBRARY_PATH=/opt/lib\n")
    one = init("--setup", tmp_path / "s.sh")
    agent = one.agent()
    assert agent.listener.getsockname() == os.fspath(tmp_path / "in.sock")
    assert agent.hello.restarts == 0
    environ = (open(f"/proc/{agent.pid}/environ").read()).split("\0")
    assert "FROM_SETUP=1" not in environ and f"HOME={tmp_path}" in environ
    assert agent.environment["FROM_SETUP"] == "1" and agent.environment["LD_LIBRARY_PATH"] == "/opt/lib"
    assert [words[1] for words in one.stages()] == ["setup", "agent"]
    one.end(agent)


def test_agent_that_died_comes_back_and_finds_its_children(init, tmp_path):
    one = init()
    agent = one.agent()
    kernel = agent.start(["/bin/sleep", "1000"], tag="kernel:abc")
    shell = agent.start(["/bin/cat"], tag="term:1", pty=True)
    os.close(shell.fds[0])
    agent.die()
    agent = one.agent()
    assert agent.hello.restarts == 1
    children = agent.list()
    assert {children[kernel.pid].tag, children[shell.pid].tag} == {"kernel:abc", "term:1"}
    assert children[kernel.pid].started_us == kernel.started_us
    with open(children[shell.pid].fds[0], "r+b", buffering=0) as terminal:
        terminal.write(b"hello\n")
        assert b"hello" in terminal.read(100)
    one.end(agent)


def test_end_of_a_child_waits_for_the_next_agent(init):
    one = init()
    agent = one.agent()
    kernel = agent.start(["/bin/sleep", "1000"], tag="kernel:abc")
    agent.die()
    os.kill(kernel.pid, signal.SIGTERM)
    wait_until(lambda: not os.path.exists(f"/proc/{kernel.pid}"), "reaped")
    agent = one.agent()
    assert agent.list() == {}
    ended = agent.wait(EXITED, pid=kernel.pid)
    assert (ended.signal, ended.tag) == (signal.SIGTERM, "kernel:abc")
    one.end(agent)


def test_agent_that_keeps_dying_ends_init(init):
    one = init(agent=["/bin/sh", "-c", "echo died >&2; exit 1"])
    assert one.daemon.wait_exit() == 74
    assert (one.run / "log/agent.log").read_text() == "died\n" * 5
    assert one.stages()[-1][:3] == ["stage", "agent", "failed"]


def test_command_that_is_not_there_ends_init(init):
    one = init(agent=["/no/such"])
    assert one.daemon.wait_exit() == 74
    assert "cannot run /no/such" in (one.run / "log/agent.log").read_text()


# ---- the end ----
def test_term_ends_everything_also_what_escaped(init, tmp_path):
    one = init()
    agent = one.agent()
    polite = agent.start(["/bin/sh", "-c", f"trap 'echo bye >{tmp_path}/bye; exit' TERM; while :; do sleep 0.05; done"])
    agent.start(["/bin/sh", "-c", f"setsid sh -c 'setsid sleep 1000 & echo $! >{tmp_path}/pid' & sleep 1000"])
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the escaped one runs")
    time_before = time.monotonic()
    one.end()
    agent.close()
    assert (tmp_path / "bye").read_text() == "bye\n" and time.monotonic() - time_before < 60
    for pid in (polite.pid, int((tmp_path / "pid").read_text())):
        assert not os.path.exists(f"/proc/{pid}")


def test_shell_at_a_terminal_ends_in_order(init, tmp_path):
    """It does not listen to SIGTERM: were it killed at the end of the grace, its trap would not run."""
    one = init()
    agent = one.agent()
    shell = agent.start(["/bin/bash", "--norc", "-i"], pty=True, env={"PATH": "/usr/bin:/bin", "PS1": "prompt"})
    with open(shell.fds[0], "r+b", buffering=0) as terminal:
        terminal.write(f"trap 'echo bye >{tmp_path}/bye' EXIT; echo trap''ped\n".encode())
        text = b""
        while b"trapped" not in text:
            text += terminal.read(1000)
        one.end(agent)
    assert (tmp_path / "bye").read_text() == "bye\n"


# When it is told to end it waits for more beats of its child (which had it been told too would be none), tells it to
# end, and waits for that.
LAST_WORDS = """
import os, signal, sys, time
def end(*_):
    pid, beats = int(open(sys.argv[2]).read()), os.path.getsize(sys.argv[3])
    lives = lambda: os.path.exists(f"/proc/{pid}")
    while lives() and os.path.getsize(sys.argv[3]) < beats + 5:
        time.sleep(0.01)
    if lives():
        os.kill(pid, signal.SIGUSR1)
    while lives():
        time.sleep(0.01)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
exec(compile(open(sys.argv.pop(1)).read(), "agent", "exec"))
time.sleep(1000)
"""


def test_agent_ends_its_kernels_before_anybody_else_does(init, tmp_path):
    (tmp_path / "last.py").write_text(LAST_WORDS)
    one = init(agent=[sys.executable, *(tmp_path / name for name in (
        "last.py", "agent.py", "agent.sock", "pid", "beats"))])
    agent = one.agent()
    child = f"trap 'echo asked >>{tmp_path}/end; exit' USR1; trap 'echo ended >>{tmp_path}/end; exit' TERM; " \
        f"echo $$ >{tmp_path}/pid; while :; do echo >>{tmp_path}/beats; sleep 0.01; done"
    agent.start(["/bin/sh", "-c", child])
    wait_until(lambda: (tmp_path / "beats").exists(), "the child runs")
    one.daemon.stop(status=0)
    agent.close()
    one.server.close()
    assert (tmp_path / "end").read_text() == "asked\n"


def test_killed_init_leaves_neither_agent_nor_child(init):
    one = init()
    agent = one.agent()
    child = agent.start(["/bin/sleep", "1000"])
    one.daemon.kill(signal.SIGKILL)
    one.daemon.wait_exit()
    for pid in (agent.pid, child.pid):
        wait_until(lambda pid=pid: not leftovers.lives(pid), "it ended with init")
    agent.close()


def test_orphans_are_reaped(init, tmp_path):
    one = init()
    agent = one.agent()
    agent.start(["/bin/sh", "-c", f"setsid sh -c 'echo $$ >{tmp_path}/pid; exec true' & exit"])
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the orphan ran")
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the orphan is collected")
    one.end(agent)


def test_as_pid_1_it_ends_its_namespace(init, tmp_path):
    one = init(wrap=["unshare", "--user", "--map-current-user", "--pid", "--fork", "--kill-child"])
    agent = one.agent()
    child = agent.start(["/bin/sh", "-c", f"echo $$ >{tmp_path}/pid; sleep 1000"])
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the child runs")
    assert child.pid == int((tmp_path / "pid").read_text()) < 100
    inner = int(open(f"/proc/{one.daemon.pid}/task/{one.daemon.pid}/children").read())
    os.kill(inner, signal.SIGTERM)
    assert one.daemon.wait_exit() == 0
    agent.close()


@pytest.mark.parametrize("options", [["--setup", "relative"], ["--env", "novalue"], ["--deadline-ms", "0"], ["--what", "x"]])
def test_wrong_options_are_a_usage_error(init, options):
    one = init(*options)
    assert one.daemon.wait_exit() == 64
