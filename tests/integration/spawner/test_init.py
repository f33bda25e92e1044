"""cygnet-init by its own protocol: this test is the agent's other end.

init runs as a plain process here (and once as pid 1); its agent is a Python line that hands descriptors 3 and 4
over to the test, which then speaks the messages of include/cygnet/init_msg.h itself.
"""

import fcntl
import os
import select
import signal
import socket
import struct
import sys
import termios
import time

import pytest
from lib import leftovers, places
from lib.daemon import wait_until

HELLO, START, LIST, SIGNAL, STARTED, CHILD, LISTED, EXITED, FAILED, RESIZE = range(1, 11)
HEAD = "@IHHII"
FORMS = {
    HELLO: ("II", "restarts env_bytes"),
    STARTED: ("iIQ128s", "pid pty started_us tag"),
    CHILD: ("iIQ128s", "pid pty started_us tag"),
    LISTED: ("", ""),
    EXITED: ("iiiIQQQ128s", "pid status signal oom max_rss memory_used memory_limit tag"),
    FAILED: ("i256s", "errnum message"),
}
MAGIC, VERSION = 0x43594749, 1
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE

# Waits for the test, gives it descriptors 3 and 4, then lives until the test closes the connection.
AGENT = """
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendmsg([str(os.getpid()).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [3, 4]))])
os.close(4)
s.recv(1)
"""


class Message:
    def __init__(self, data, fds):
        magic, version, self.type, length, self.request = struct.unpack_from(HEAD, data)
        assert (magic, version, length) == (MAGIC, VERSION, len(data))
        form, names = FORMS[self.type]
        for name, value in zip(names.split(), struct.unpack(HEAD + form, data)[5:]):
            setattr(self, name, value.split(b"\0")[0].decode() if isinstance(value, bytes) else value)
        self.fds = fds


class Agent:
    """One life of the agent: its pid and the link to init."""

    def __init__(self, server):
        self.control, _ = server.accept()
        data, fds, _, _ = socket.recv_fds(self.control, 100, 4)
        self.pid = int(data)
        self.listener = socket.socket(fileno=fds[0])
        self.link = socket.socket(fileno=fds[1])
        self.kept, self.request = [], 0
        self.hello = self.wait(HELLO)
        self.environment = dict(word.split("=", 1) for word in os.pread(
            self.hello.fds[0], self.hello.env_bytes, 0).decode().split("\0")[:-1])
        assert fcntl.fcntl(self.hello.fds[0], fcntl.F_GET_SEALS) & SEALS == SEALS
        os.close(self.hello.fds[0])

    def close(self):
        for sock in (self.control, self.listener, self.link):
            sock.close()

    def send(self, kind, form="", *values, fds=()):
        self.request += 1
        form = HEAD + form
        values = [value.encode() if isinstance(value, str) else value for value in values]
        data = struct.pack(form, MAGIC, VERSION, kind, struct.calcsize(form), self.request, *values)
        socket.send_fds(self.link, [data], fds)
        return self.request

    def receive(self):
        assert select.select([self.link], [], [], places.CEILING)[0], f"no message; kept {self.kept}"
        data, fds, _, _ = socket.recv_fds(self.link, 1 << 16, 4)
        assert data, "init closed the link"
        return Message(data, fds)

    def wait(self, kind, **fields):
        def fits(m):
            return m.type == kind and all(getattr(m, name) == value for name, value in fields.items())
        for message in self.kept:
            if fits(message):
                self.kept.remove(message)
                return message
        while not fits(message := self.receive()):
            self.kept.append(message)
        return message

    def start(self, argv, tag="kernel:1", env=None, cwd="", log="", pty=False, seal=True, size=(24, 80)):
        """Sends START; returns the reply, STARTED or FAILED."""
        env = {"PATH": "/usr/bin:/bin"} if env is None else env
        words = [*argv, *(f"{name}={value}" for name, value in env.items())]
        block = b"".join(os.fspath(word).encode() + b"\0" for word in words)
        memfd = os.memfd_create("start", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.write(memfd, block)
        if seal:
            fcntl.fcntl(memfd, fcntl.F_ADD_SEALS, SEALS)
        request = self.send(START, "IIIIHH128s1024s1024s", len(argv), len(env), len(block), int(pty), *size, tag,
                            os.fspath(cwd), os.fspath(log), fds=[memfd])
        os.close(memfd)
        while True:
            message = self.receive()
            if message.type in (STARTED, FAILED) and message.request == request:
                return message
            self.kept.append(message)

    def list(self):
        request = self.send(LIST)
        self.wait(LISTED, request=request)
        children = [m for m in self.kept if m.type == CHILD and m.request == request]
        self.kept = [m for m in self.kept if m not in children]
        return {child.pid: child for child in children}

    def signal(self, pid, sig, group=False):
        self.send(SIGNAL, "iiII", pid, sig, int(group), 0)

    def die(self):
        """Until init knows: what it sends to an agent that is dying counts as told."""
        os.kill(self.pid, signal.SIGKILL)
        self.close()
        wait_until(lambda: not os.path.exists(f"/proc/{self.pid}"), "the agent's end")


class Init:
    """A running init whose agents connect back to us."""

    def __init__(self, daemon, tmp, *options, agent=None, wrap=()):
        self.run = tmp / "run"
        for name in ("", "log", "runtime"):
            (self.run / name).mkdir(exist_ok=True)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(os.fspath(tmp / "agent.sock"))
        self.server.listen()
        self.server.settimeout(places.CEILING)
        (tmp / "agent.py").write_text(AGENT)
        command = agent or [sys.executable, tmp / "agent.py", tmp / "agent.sock"]
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.fspath(tmp / "in.sock"))
            listener.listen()
            n = listener.fileno()
            move = f'exec 3<&{n} {n}<&-; exec "$@"' if n != 3 else 'exec "$@"'
            self.daemon = daemon(["/bin/bash", "-c", move, "init", *wrap, places.BIN / "cygnet-init", "--run-dir", self.run,
                                  "--env", "PATH=/usr/bin:/bin", "--env", f"HOME={tmp}", *options, "--", *command],
                                 name="init", pass_fds=(n,))

    def agent(self):
        return Agent(self.server)

    def stages(self):
        return [line.split() for line in self.daemon.log.splitlines() if line.startswith("stage ")]

    def end(self, agent=None, status=0):
        if agent is not None:
            agent.close()
        self.daemon.stop(status=status)
        self.server.close()


@pytest.fixture
def init(daemon, tmp_path):
    made = []

    def start(*options, **how):
        made.append(Init(daemon, tmp_path, *options, **how))
        return made[-1]
    yield start
    for one in made:
        one.server.close()


# ---- agent ---------------------------------------------------------------------------------------------------

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


# ---- children ------------------------------------------------------------------------------------------------

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


# ---- scripts -------------------------------------------------------------------------------------------------

def environment_after(init, tmp_path, text, *options):
    (tmp_path / "s.sh").write_text(text)
    one = init("--setup", tmp_path / "s.sh", *options)
    agent = one.agent()
    one.end(agent)
    return agent.environment


def test_environment_of_a_stack_passes_and_what_steers_or_is_secret_does_not(init, tmp_path):
    text = """
export PATH=/opt/stack/bin:$PATH LD_LIBRARY_PATH=/opt/stack/lib PYTHONPATH=/opt/stack/py ROOTSYS=/opt/root
export JAVA_HOME=/opt/java SPARK_HOME=/opt/spark HADOOP_CONF_DIR=/opt/h R_HOME=/opt/R MANPATH=/m GCC__HOME=/g
export MULTI=$'two\\nlines' EMPTY=
export LD_PRELOAD= LD_AUDIT=x BASH_ENV=/x PROMPT_COMMAND=x MY_TOKEN=x AWS_SECRET_ACCESS_KEY=x DB_PASSWORD=x
export CYGNET_X=1 JPY_PARENT_PID=1
module() { true; }; export -f module
unexported=1
"""
    env = environment_after(init, tmp_path, text)
    assert env["PATH"] == "/opt/stack/bin:/usr/bin:/bin" and env["MULTI"] == "two\nlines" and env["EMPTY"] == ""
    assert sorted(env) == sorted("""EMPTY GCC__HOME HADOOP_CONF_DIR HOME JAVA_HOME LD_LIBRARY_PATH MANPATH MULTI PATH
        PYTHONNOUSERSITE PYTHONPATH ROOTSYS R_HOME R_LIBS_USER SPARK_HOME""".split())


def test_home_packages_are_used_only_when_asked_for(init, tmp_path):
    env = environment_after(init, tmp_path, "true", "--home-packages")
    assert "PYTHONNOUSERSITE" not in env and "R_LIBS_USER" not in env


@pytest.mark.parametrize("end", ["true", "exit 0", "set -e; set -- other words"])
def test_home_packages_reach_a_virtual_environment(init, tmp_path, end):
    # As Python answers in one: the folder, and 1 because it would not look there by itself.
    python = tmp_path / "view/python3"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\n[ \"$*\" = '-m site --user-site' ] && echo /home/x/.local/lib\nexit 1\n")
    python.chmod(0o755)
    text = f"export PATH={python.parent}:$PATH PYTHONPATH=/stack; {end}"
    assert environment_after(init, tmp_path, text, "--home-packages")["PYTHONPATH"] == "/home/x/.local/lib:/stack"


def test_users_script_runs_after_the_stacks_and_sees_it(init, tmp_path):
    (tmp_path / "u.sh").write_text("export BOTH=$A-mine; export PATH=/mine:$PATH; exit 0")
    env = environment_after(init, tmp_path, "export A=stack PATH=/stack:$PATH", "--user-script", tmp_path / "u.sh")
    assert env["BOTH"] == "stack-mine" and env["PATH"] == "/mine:/stack:/usr/bin:/bin"


@pytest.mark.parametrize("text", ["echo last words; return 3", "echo last words >&2; exit 1", "set -e; echo last words; false",
                                  "echo last words; exec false"])
def test_failing_script_ends_init_with_its_last_words(init, tmp_path, text):
    (tmp_path / "s.sh").write_text(text)
    one = init("--setup", tmp_path / "s.sh")
    assert one.daemon.wait_exit() == 70
    assert (one.run / "log/setup.log").read_text() == "last words\n"
    assert one.stages()[0][:3] == ["stage", "setup", "failed"]


@pytest.mark.parametrize("text", ["echo last words; exec true", "for i in $(seq 12); do export V$i=$(printf %0100000d 0); done"])
def test_script_without_a_usable_environment_fails_and_says_why(init, tmp_path, text):
    (tmp_path / "s.sh").write_text(text)
    one = init("--setup", tmp_path / "s.sh")
    assert one.daemon.wait_exit() == 70
    assert "left no environment" in (one.run / "log/setup.log").read_text()


def test_script_that_meets_the_end_well_brings_nothing_to_life(init, tmp_path):
    (tmp_path / "s.sh").write_text(f"trap 'exit 0' TERM; echo up >{tmp_path}/up; while :; do sleep 0.05; done")
    (tmp_path / "u.sh").write_text(f"touch {tmp_path}/late")
    one = init("--setup", tmp_path / "s.sh", "--user-script", tmp_path / "u.sh")
    wait_until(lambda: (tmp_path / "up").exists(), "the script runs")
    one.end()
    assert not (tmp_path / "late").exists()
    assert [words[1] for words in one.stages()] == ["setup"]


def test_script_that_is_not_there_fails_with_its_name(init, tmp_path):
    one = init("--setup", tmp_path / "none.sh")
    assert one.daemon.wait_exit() == 70
    assert "none.sh" in (one.run / "log/setup.log").read_text()


def test_only_the_end_of_much_output_is_kept(init, tmp_path):
    (tmp_path / "s.sh").write_text("seq 1 200000; echo the end; false")
    one = init("--setup", tmp_path / "s.sh")
    assert one.daemon.wait_exit() == 70
    text = (one.run / "log/setup.log").read_text()
    assert text.endswith("199999\n200000\nthe end\n") and len(text) <= 8192


@pytest.mark.parametrize("kind, status", [("--setup", 71), ("--user-script", 73)])
def test_hanging_script_and_what_it_started_end_at_the_deadline(init, tmp_path, kind, status):
    (tmp_path / "s.sh").write_text(f"echo waiting; sleep 1000 & echo $! >{tmp_path}/pid; cat <>{tmp_path}/fifo")
    os.mkfifo(tmp_path / "fifo")
    one = init(kind, tmp_path / "s.sh", "--deadline-ms", "300")
    assert one.daemon.wait_exit() == status
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}")


# ---- the end -------------------------------------------------------------------------------------------------

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
