"""cygnet-init: the stack's and the user's scripts before the agent."""

import os

import pytest

from lib.daemon import wait_until
from lib.init_rig import init  # noqa: F401  init: fixture


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
