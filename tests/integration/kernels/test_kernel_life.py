"""Interrupt, restart, last words, death; an agent that dies leaves its kernels."""

import json
import os
import pathlib
import shutil
import signal
import sys

import pytest
import websocket

from lib import places
from lib.agent import Channels, stream
from lib.kernel_rig import agent, wait_state  # noqa: F401  agent: fixture

DEAF = """import os, signal, subprocess
for s in (signal.SIGINT, signal.SIGTERM): signal.signal(s, signal.SIG_IGN)
child = subprocess.Popen(['sleep', '1000'])
print(os.getpid())
while True: pass"""


def test_kernel_that_hears_no_signal_is_restarted_and_ended(agent):
    tab = agent.kernel()
    tab.execute(DEAF)
    pid = tab.until(lambda m: m["header"]["msg_type"] == "stream")[-1]["content"]["text"]
    assert agent.request("POST", f"api/kernels/{tab.id}/interrupt").status == 204
    assert agent.request("POST", f"api/kernels/{tab.id}/restart").status == 200
    tab.execute(DEAF)
    # Its first words, not the last of the one that was ended.
    again = tab.until(lambda m: m["header"]["msg_type"] == "stream" and m["content"]["text"].strip().isdigit())
    assert again[-1]["content"]["text"] != pid
    assert agent.request("DELETE", f"api/kernels/{tab.id}").status == 204
    assert not pathlib.Path(f"/proc/{again[-1]['content']['text'].strip()}").exists()


LAST_WORDS = """import atexit, pathlib
atexit.register(lambda: pathlib.Path({path!r}).write_text('said'))"""


def test_stop_lets_kernels_say_their_last_words(agent):
    idle, busy = agent.kernel(), agent.kernel()
    for tab, name in ((idle, "idle"), (busy, "busy")):
        tab.run(LAST_WORDS.format(path=str(agent.tmp / name)))
    busy.execute("print('begun')\nwhile True: pass")
    busy.until(lambda m: m["header"]["msg_type"] == "stream")
    agent.init.stop()
    assert [(agent.tmp / name).read_text() for name in ("idle", "busy")] == ["said", "said"]


def test_kernel_says_its_last_words_when_it_is_restarted_or_deleted(agent):
    tab = agent.kernel()
    tab.run(LAST_WORDS.format(path=str(agent.tmp / "restarted")))
    assert agent.request("POST", f"api/kernels/{tab.id}/restart").status == 200
    tab.run(LAST_WORDS.format(path=str(agent.tmp / "deleted")))
    assert agent.request("DELETE", f"api/kernels/{tab.id}").status == 204
    assert [(agent.tmp / name).read_text() for name in ("restarted", "deleted")] == ["said", "said"]


def test_interrupt_ends_the_cell_and_keeps_the_variables(agent):
    tab = agent.kernel()
    tab.run("x = 5")
    msg_id = tab.execute("import time\nprint('begun')\ntime.sleep(600)")
    tab.until(lambda m: m["header"]["msg_type"] == "stream")
    assert agent.request("POST", f"api/kernels/{tab.id}/interrupt").status == 204
    reply = next(m for m in tab.until_done(msg_id) if m["header"]["msg_type"] == "execute_reply")
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert tab.run("print(x)")[0] == "5\n"


def test_restart_keeps_the_websocket_and_forgets_the_variables(agent):
    tab = agent.kernel()
    tab.run("x = 5")
    old = tab.run("import os; print(os.getpid())")[0]
    answer = agent.request("POST", f"api/kernels/{tab.id}/restart")
    assert answer.status == 200 and answer.json["id"] == tab.id
    text, reply = tab.run("x")
    assert reply["ename"] == "NameError"
    assert tab.run("import os; print(os.getpid())")[0] != old


def test_kernel_that_is_interrupted_and_restarted_while_it_starts_is_started_once(agent):
    kernel = agent.start_kernel()
    assert agent.request("POST", f"api/kernels/{kernel}/interrupt").status == 204
    assert "reason" not in agent.request("POST", f"api/kernels/{kernel}/restart").json
    tab = Channels(agent, kernel)
    pid = tab.run("import os; print(os.getpid())")[0]
    tab.run("import time; time.sleep(1)")
    assert tab.run("print(os.getpid())")[0] == pid
    assert "reason" not in agent.get(f"api/kernels/{kernel}")


def test_kernel_whose_specification_has_gone_is_dead_and_cannot_be_restarted(agent):
    folder = agent.home / ".local/share/jupyter/kernels/mine"
    shutil.copytree(agent.prefix / "share/jupyter/kernels/python3", folder)
    spec = json.loads((folder / "kernel.json").read_text())
    (folder / "kernel.json").write_text(json.dumps({**spec, "argv": [str(agent.prefix / "bin/python"), *spec["argv"][1:]]}))
    tab = agent.kernel(name="mine")
    pid = int(tab.run("import os; print(os.getpid())")[0])
    os.kill(agent.agent_pid(), signal.SIGSTOP)
    shutil.rmtree(folder)
    os.kill(pid, signal.SIGKILL)
    os.kill(agent.agent_pid(), signal.SIGKILL)
    assert "No such kernel named mine" in wait_state(agent, tab.id, "dead")["reason"]
    old = agent.agent_pid()
    answer = agent.request("POST", f"api/kernels/{tab.id}/restart")
    assert (answer.status, answer.json["message"]) == (500, "Exception restarting kernel: No such kernel named mine")
    assert agent.agent_pid() == old
    assert agent.request("DELETE", f"api/kernels/{tab.id}").status == 204


def test_killed_agent_is_replaced_and_the_kernel_keeps_its_variables(agent):
    made = agent.request("POST", "api/sessions", {"path": "n.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}).json
    tab = Channels(agent, made["kernel"]["id"])
    pid = tab.run("x = 12345; import os; print(os.getpid())")[0]
    old = agent.agent_pid()
    os.kill(old, signal.SIGKILL)
    with pytest.raises((OSError, websocket.WebSocketException)):
        tab.until(lambda m: False)
    assert [s["id"] for s in agent.get("api/sessions")] == [made["id"]]
    wait_state(agent, tab.id, "idle")
    assert agent.agent_pid() != old
    tab.connect()
    assert tab.run("print(x, os.getpid())")[0].split() == ["12345", pid.strip()]


def test_reply_asked_for_before_the_agent_was_killed_still_arrives(agent):
    tab = agent.kernel()
    tab.run("import time")
    msg_id = tab.execute("print('begun')\ntime.sleep(4)")
    tab.until(lambda m: m["header"]["msg_type"] == "stream")
    os.kill(agent.agent_pid(), signal.SIGKILL)
    assert agent.get(f"api/kernels/{tab.id}")["execution_state"] in ("starting", "busy")
    tab.connect()
    assert any(m["channel"] == "shell" for m in tab.until_done(msg_id))


def test_death_is_explained_in_the_cell_and_the_kernel_starts_again(agent):
    tab = agent.kernel()
    tab.run("x = 1")
    msg_id = tab.execute("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    messages = tab.until(lambda m: m["content"].get("execution_state") == "restarting")
    told = [m for m in messages if m["parent_header"].get("msg_id") == msg_id]
    assert "The kernel died: it was ended by signal 9" in stream(told, "stderr")
    assert wait_state(agent, tab.id, "idle")["reason"].startswith("it was ended by signal 9")
    assert tab.run("x")[1]["ename"] == "NameError"


def test_kernel_that_died_without_an_agent_is_started_again(agent):
    tab = agent.kernel()
    pid = int(tab.run("import os; print(os.getpid())")[0])
    os.kill(agent.agent_pid(), signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    os.kill(agent.agent_pid(), signal.SIGKILL)
    model = wait_state(agent, tab.id, "idle")
    assert "signal 9" in model["reason"] or "no agent was there" in model["reason"]
    tab.connect()
    assert int(tab.run("import os; print(os.getpid())")[0]) != pid


def test_kernel_that_says_starting_after_it_answered_is_idle(agent):
    folder = agent.home / ".local/share/jupyter/kernels/late"
    folder.mkdir(parents=True)
    fake = places.ROOT / "tests/fakes/late_starter.py"
    copy = agent.home / "late_starter.py"
    copy.write_text(fake.read_text())
    (folder / "kernel.json").write_text(json.dumps({
        "argv": [sys.executable, str(copy), "{connection_file}"], "display_name": "L", "language": "x"}))
    tab = agent.kernel(name="late")
    wait_state(agent, tab.id, "idle")
    tab.send("shell", "kernel_info_request", {})
    tab.until(lambda message: message["content"].get("execution_state") == "starting")
    assert agent.get(f"api/kernels/{tab.id}")["execution_state"] == "idle"


def test_kernel_that_cannot_live_is_dead_with_a_reason(agent):
    folder = agent.home / ".local/share/jupyter/kernels/broken"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps({"argv": ["/bin/false"], "display_name": "B", "language": "x"}))
    kernel = agent.start_kernel(name="broken")
    model = wait_state(agent, kernel, "dead")
    assert "exit status 1" in model["reason"]
    late = Channels(agent, kernel)  # one that was not there when it was told
    assert late.receive()["content"] == {"execution_state": "dead"}
    assert agent.request("DELETE", f"api/kernels/{kernel}").status == 204


def test_kernel_that_cannot_be_executed_is_an_error_and_not_in_the_list(agent):
    folder = agent.home / ".local/share/jupyter/kernels/absent"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps({"argv": ["/no/such/kernel"], "display_name": "B", "language": "x"}))
    said = "The kernel could not be started: cannot run /no/such/kernel: No such file or directory"
    answer = agent.request("POST", "api/kernels", {"name": "absent"})
    assert (answer.status, answer.json["message"]) == (500, said)
    answer = agent.request("POST", "api/sessions", {"path": "n.ipynb", "type": "notebook", "kernel": {"name": "absent"}})
    assert (answer.status, answer.json["message"]) == (500, said)
    assert agent.get("api/kernels") == agent.get("api/sessions") == []
    assert list((agent.run / "connection").iterdir()) == []
