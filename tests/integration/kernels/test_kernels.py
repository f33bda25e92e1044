"""Kernels through the agent: REST, both framings, stdin, comms, interrupt, restart, death, adoption."""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sys
import time

import pytest
import websocket
from jupyter_client import BlockingKernelClient
from lib import places, slow_disk
from lib.agent import Agent, Channels, stream


@pytest.fixture
def agent(daemon, tmp_path):
    one = Agent(daemon, tmp_path)
    yield one
    one.init.stop()


def states(messages):
    return [m["content"]["execution_state"] for m in messages if m["header"]["msg_type"] == "status"]


def wait_state(agent, kernel_id, state):
    end = time.monotonic() + places.CEILING
    while time.monotonic() < end:
        model = agent.get(f"api/kernels/{kernel_id}")
        if model["execution_state"] == state:
            return model
        time.sleep(0.05)
    raise AssertionError(f"{model} is not {state}")


def wait_connections(agent, kernel_id, n):
    end = time.monotonic() + places.CEILING
    while agent.get(f"api/kernels/{kernel_id}")["connections"] != n:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_kernelspecs_are_listed_with_their_resources(agent):
    answer = agent.get("api/kernelspecs")
    assert answer["default"] == "python3"
    spec = answer["kernelspecs"]["python3"]
    assert spec["spec"]["language"] == "python"
    logo = spec["resources"]["logo-64x64"]
    assert logo == "/user/alice/kernelspecs/python3/logo-64x64.png"
    png = agent.request("GET", logo.removeprefix("/user/alice/"))
    assert png.status == 200 and png.data.startswith(b"\x89PNG") and png.getheader("Content-Type") == "image/png"
    assert agent.get("api/kernelspecs/PYTHON3")["name"] == "python3"
    assert agent.request("GET", "api/kernelspecs/none").status == 404
    folder = agent.home / ".local/share/jupyter/kernels/bare"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text('{"argv": ["/bin/x"], "extra": 1}')
    (folder.parent / "fifo").mkdir()
    os.mkfifo(folder.parent / "fifo/kernel.json")  # reading it blocks for ever
    assert agent.get("api/kernelspecs/bare")["spec"] == {
        "argv": ["/bin/x"], "env": {}, "display_name": "", "language": "", "interrupt_mode": "signal", "metadata": {},
        "kernel_protocol_version": ""}
    assert agent.request("GET", "kernelspecs/python3/kernel.xyz").status == 404


@pytest.mark.parametrize("v1", [True, False], ids=["v1", "json"])
def test_cell_prints_42_in_either_framing(agent, v1):
    tab = Channels(agent, agent.start_kernel(name="python3"), v1=v1)
    text, reply = tab.run("print(6 * 7)")
    assert text == "42\n" and reply["status"] == "ok"
    tab.close()


def test_kernel_without_a_client_becomes_idle(agent):
    kernel = agent.start_kernel()
    assert wait_state(agent, kernel, "idle")["connections"] == 0


def test_rest_literals_of_kernels(agent):
    answer = agent.request("POST", "api/kernels", {"name": "python3"})
    kernel = answer.json["id"]
    assert answer.getheader("Location") == f"/user/alice/api/kernels/{kernel}"
    assert set(answer.json) == {"id", "name", "last_activity", "execution_state", "connections"}
    assert [m["id"] for m in agent.get("api/kernels")] == [kernel]
    assert agent.request("POST", f"api/kernels/{kernel}/interrupt").status == 204
    assert agent.request("POST", f"api/kernels/{kernel}/restart").json["id"] == kernel
    assert agent.request("DELETE", f"api/kernels/{kernel}").status == 204
    gone = agent.request("DELETE", f"api/kernels/{kernel}")
    assert gone.status == 404 and gone.json["message"] == f"Kernel does not exist: {kernel}"
    assert agent.get("api/kernels") == []
    assert agent.request("POST", "api/kernels", {"name": "none"}).status == 404
    assert agent.request("POST", "api/kernels", ["name"]).status == 400
    assert list((agent.run / "connection").iterdir()) == []


def test_rest_literals_of_sessions(agent):
    body = {"path": "a/Untitled.ipynb", "type": "notebook", "name": "Untitled.ipynb", "kernel": {"name": "python3"}}
    (agent.home / "a").mkdir()
    made = agent.request("POST", "api/sessions", body)
    assert made.status == 201
    one = made.json
    assert made.getheader("Location") == f"/user/alice/api/sessions/{one['id']}"
    assert one["notebook"] == {"path": "a/Untitled.ipynb", "name": "Untitled.ipynb"}
    tab = Channels(agent, one["kernel"]["id"])
    text, _ = tab.run("import os; print(os.getcwd(), os.environ['JPY_SESSION_NAME'])")
    assert text.split() == [str(agent.home / "a"), str(agent.home / "a/Untitled.ipynb")]
    assert agent.request("POST", "api/sessions", body).json["id"] == one["id"]
    renamed = agent.request("PATCH", f"api/sessions/{one['id']}", {"path": "b.ipynb"})
    assert renamed.status == 200 and renamed.json["path"] == "b.ipynb"
    failed = agent.request("PATCH", f"api/sessions/{one['id']}", {"path": "c.ipynb", "kernel": {"name": "nokernel"}})
    assert failed.status == 501 and failed.json["short_message"] == "Error starting kernel nokernel"
    kept = agent.get(f"api/sessions/{one['id']}")
    assert (kept["path"], kept["kernel"]["id"]) == ("b.ipynb", one["kernel"]["id"])
    switched = agent.request("PATCH", f"api/sessions/{one['id']}", {"kernel": {"name": "python3"}}).json
    assert switched["kernel"]["id"] != one["kernel"]["id"]
    for bad, message in (({"type": "notebook"}, "Missing field in JSON data: path"),
                         ({"path": "x"}, "Missing field in JSON data: type")):
        answer = agent.request("POST", "api/sessions", bad)
        assert (answer.status, answer.json["message"]) == (400, message)
    none = agent.request("POST", "api/sessions", {**body, "path": "n", "kernel": {"name": "nokernel"}})
    assert none.status == 501 and none.json["short_message"] == "nokernel not found"
    assert agent.request("PATCH", f"api/sessions/{one['id']}", {"kernel": {"id": "x"}}).status == 400
    assert agent.request("DELETE", f"api/sessions/{one['id']}").status == 204
    assert agent.request("GET", f"api/sessions/{one['id']}").status == 404
    assert agent.get("api/sessions") == []


def test_old_name_python_means_the_native_kernel(agent):
    assert agent.request("POST", "api/kernels", {"name": "python"}).json["name"] == "python3"
    made = agent.request("POST", "api/sessions", {"path": "old.ipynb", "type": "notebook", "kernel": {"name": "python"}})
    assert (made.status, made.json["kernel"]["name"]) == (201, "python3")
    assert agent.request("GET", "api/kernelspecs/python").status == 404  # as stock


def test_session_of_a_made_up_path_knows_its_document(agent):
    (agent.home / "a").mkdir()
    made = agent.request("POST", "api/sessions", {"path": "a/5f4e21-9c", "type": "notebook", "name": "day.ipynb",
                                                  "kernel": {"name": "python3"}}).json
    tab = Channels(agent, made["kernel"]["id"])
    assert tab.run("import os; print(os.environ['JPY_SESSION_NAME'])")[0] == f"{agent.home}/a/day.ipynb\n"


def test_kernel_gets_the_id_that_the_client_chose(agent):
    chosen, other = "0b7d8e5c-7c3f-4e60-8f31-6a1b6d2f0a11", "0b7d8e5c-7c3f-4e60-9f31-6a1b6d2f0a11"
    assert agent.start_kernel(kernel_id=chosen) == chosen
    assert agent.start_kernel(kernel_id=chosen) == chosen
    assert len(agent.get("api/kernels")) == 1
    assert agent.request("POST", "api/kernels", {"kernel_id": "../../x"}).status == 400
    made = agent.request("POST", "api/sessions", {"path": "a", "type": "notebook", "kernel": {"id": other}}).json
    assert made["kernel"]["id"] == other and made["name"] is None
    for kernel in (chosen, other):
        assert Channels(agent, kernel).run("print(42)")[0] == "42\n"


def test_sessions_of_one_path_that_are_made_at_once_share_a_kernel(agent):
    body = {"path": "one.ipynb", "type": "notebook", "name": "one.ipynb", "kernel": {"name": "python3"}}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: agent.request("POST", "api/sessions", body).json, range(4)))
    assert len({one["id"] for one in made}) == len({one["kernel"]["id"] for one in made}) == 1
    end = time.monotonic() + places.CEILING
    while len(agent.get("api/kernels")) > 1:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_blocking_client_attaches_to_the_connection_file(agent):
    kernel = agent.start_kernel()
    wait_state(agent, kernel, "idle")
    path = agent.run / f"connection/kernel-{kernel}.json"
    assert path.stat().st_mode & 0o777 == 0o600
    client = BlockingKernelClient(connection_file=str(path))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=places.CEILING)
        printed = []
        client.execute_interactive("print(40 + 2)", timeout=places.CEILING,
                                   output_hook=lambda m: printed.append(m["content"].get("text", "")))
        assert "".join(printed) == "42\n"
    finally:
        client.stop_channels()


def test_reader_that_pauses_loses_nothing(agent):
    tab = agent.kernel()
    other = Channels(agent, tab.id)
    code = ("import sys\nfrom IPython.display import display\n"
            "for i in range(20000):\n    display({'text/plain': str(i)}, raw=True)\n")
    msg_id = tab.execute(code)
    # The other tab reads all of it while the first reads nothing: a slow tab delays no other. Once the
    # other has all, all has been put into the first's queue too.
    seen = [m["content"]["data"]["text/plain"] for m in other.until(
        lambda m: m["header"]["msg_type"] == "status" and m["content"]["execution_state"] == "idle"
        and m["parent_header"].get("msg_id") == msg_id) if m["header"]["msg_type"] == "display_data"]
    assert seen == [str(i) for i in range(20000)]
    messages = tab.until_done(msg_id)
    assert [m["content"]["data"]["text/plain"] for m in messages if m["header"]["msg_type"] == "display_data"] == seen


def test_large_output_waits_on_disk_for_a_reader_that_pauses(agent):
    tab = agent.kernel()
    other = Channels(agent, tab.id)
    msg_id = tab.execute("for i in range(60):\n    print('%06d' % i + 'x' * 1000000)\n")
    last = other.until(lambda m: m["parent_header"].get("msg_id") == msg_id
                       and m["content"].get("execution_state") == "idle")
    assert len(stream(last)) == 60 * 1000007
    assert stream(tab.until_done(msg_id)) == stream(last)


@pytest.mark.parametrize("v1", [True, False], ids=["v1", "json"])
def test_buffers_of_comms_are_byte_exact_both_ways(agent, v1):
    tab = Channels(agent, agent.start_kernel(), v1=v1)
    tab.run("def opened(comm, msg):\n"
            "    comm.on_msg(lambda m: comm.send({'n': len(m['buffers'])}, buffers=[bytes(b)[::-1] for b in m['buffers']]))\n"
            "get_ipython().kernel.comm_manager.register_target('echo', opened)\n")
    buffers = [bytes(range(256)) * 300, b"", os.urandom(3 << 20), b"\x00\xff"]
    tab.send("shell", "comm_open", {"comm_id": "c1", "target_name": "echo", "data": {}})
    tab.send("shell", "comm_msg", {"comm_id": "c1", "data": {}}, buffers=buffers)
    echo = tab.until(lambda m: m["header"]["msg_type"] == "comm_msg")[-1]
    assert [bytes(b) for b in echo["buffers"]] == [b[::-1] for b in buffers]
    tab.close()


@pytest.mark.parametrize("v1", [True, False], ids=["v1", "json"])
def test_bytes_that_are_no_text_do_not_end_the_connection(agent, v1):
    tab = Channels(agent, agent.start_kernel(), v1=v1)
    messages = tab.until_done(tab.execute("import os; print('name ' + os.fsdecode(b'\\xe9.txt'), 'caf\u00e9')"))
    raw = b"name \xe9.txt caf\xc3\xa9"  # what Python's kernel puts into its JSON
    if v1:
        assert any(raw in m["raw"][3] for m in messages)
    assert stream(messages) == raw.decode(errors="surrogateescape") + "\n"
    tab.close()


def test_header_with_a_subshell_id_arrives_untouched(agent):
    tab = agent.kernel()
    # ipykernel 7.4 has no reply for one that comes before its shell has begun: the manager of subshells asserts that the
    # main thread asked for it first.
    tab.run("1")
    made = tab.until_done(tab.send("control", "create_subshell_request", {}))
    subshell = next(m["content"]["subshell_id"] for m in made if m["channel"] == "control")
    tab.run("import threading; e = threading.Event()")
    main = tab.execute("print('waits'); print(e.wait(60))")
    tab.until(lambda m: m["header"]["msg_type"] == "stream")
    side = tab.send("shell", "execute_request", {"code": "e.set()", "silent": False, "store_history": False,
                    "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}, subshell_id=subshell)
    assert stream(tab.until_done(main)) == "True\n"
    assert side


def test_input_is_asked_for_and_answered(agent):
    tab = agent.kernel()
    msg_id = tab.execute("name = input('who? '); print('hello ' + name)")
    asked = tab.until(lambda m: m["channel"] == "stdin")[-1]
    assert asked["content"]["prompt"] == "who? "
    tab.send("stdin", "input_reply", {"value": "alice"})
    assert "hello alice\n" in stream(tab.until_done(msg_id))


def test_question_is_asked_again_of_a_tab_that_comes_back(agent):
    tab = agent.kernel()
    msg_id = tab.execute("print(input('again? '))")
    tab.until(lambda m: m["channel"] == "stdin")
    tab.cut()
    tab.connect()
    assert tab.until(lambda m: m["channel"] == "stdin")[-1]["content"]["prompt"] == "again? "
    tab.send("stdin", "input_reply", {"value": "yes"})
    assert stream(tab.until_done(msg_id)) == "yes\n"


def test_question_goes_to_the_tab_that_asked_alone(agent):
    one = agent.kernel()
    two = Channels(agent, one.id)
    msg_id = two.execute("print('I am ' + input('who? '))")
    two.until(lambda m: m["channel"] == "stdin")
    two.send("stdin", "input_reply", {"value": "two"})
    assert "I am two\n" in stream(two.until_done(msg_id))
    done = one.execute("1")
    got = one.until(lambda m: m["channel"] == "shell" and m["parent_header"]["msg_id"] == done)
    assert "I am two\n" in stream(got) and not [m for m in got if m["channel"] == "stdin"]


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


def test_replies_go_to_the_tab_that_asked(agent):
    one = agent.kernel()
    two = Channels(agent, one.id)
    first = one.execute("print('one')")
    one.until_done(first)
    second = two.execute("print('two')")
    seen = two.until_done(second)
    assert stream(seen) == "two\n"
    marker = one.execute("print('three')")
    got = one.until(lambda m: m["parent_header"].get("msg_id") == marker and m["channel"] == "shell")
    assert any(m["parent_header"].get("msg_id") == second and m["channel"] == "iopub" for m in got)
    assert not any(m["parent_header"].get("msg_id") == second and m["channel"] == "shell" for m in got)


def test_tab_that_was_away_gets_what_it_missed(agent):
    tab = agent.kernel()
    tab.run("import time")
    msg_id = tab.execute("print('a')\ntime.sleep(1)\nprint('b')")
    tab.until(lambda m: m["header"]["msg_type"] == "stream")
    tab.cut()
    wait_state(agent, tab.id, "idle")
    tab.connect()
    assert stream(tab.until_done(msg_id)) == "b\n"


def cut_off(agent, working, tabs):
    """All of them lose their connection, one after the other."""
    for left, tab in zip(range(len(tabs) - 1, -1, -1), tabs):
        tab.cut()
        wait_connections(agent, working.id, left + 1)


def test_six_tabs_that_were_cut_off_get_what_they_missed(agent):
    working = agent.kernel()
    tabs = [Channels(agent, working.id) for _ in range(6)]
    cut_off(agent, working, tabs)
    working.run("print('meanwhile')")
    for tab in tabs:
        tab.connect()
        got = tab.until(lambda m: m["content"].get("execution_state") == "idle")
        assert "meanwhile\n" in stream(got) and "missing here" not in stream(got, "stderr")


def test_tab_whose_queue_was_given_up_reads_how_much_is_missing(agent):
    working = agent.kernel()
    tabs = [Channels(agent, working.id) for _ in range(34)]
    working.run("1")
    cut_off(agent, working, tabs)
    msg_id = working.execute("print('meanwhile')")
    working.until_done(msg_id)
    for tab in tabs[:2]:
        tab.connect()
        told = tab.receive()
        assert re.match(r"\[\d+ messages of the kernel are missing here", told["content"]["text"])
        assert told["content"]["name"] == "stderr"
    for tab in tabs[2:]:
        tab.connect()
        got = tab.until(lambda m: m["parent_header"].get("msg_id") == msg_id and m["content"].get("execution_state") == "idle")
        assert "meanwhile\n" in stream(got) and "missing here" not in stream(got, "stderr")


def test_tab_that_comes_back_in_the_other_framing_reads_how_much_is_missing(agent):
    tab = agent.kernel()
    working = Channels(agent, tab.id)
    working.run("1")
    tab.cut()
    wait_connections(agent, tab.id, 1)
    working.run("print('meanwhile')")
    tab.v1 = False
    tab.connect()
    assert "messages of the kernel are missing here" in tab.receive()["content"]["text"]
    assert tab.run("print(42)")[0] == "42\n"


def test_tab_that_left_last_keeps_its_place_longest(agent):
    first, working = agent.kernel(), None
    working = Channels(agent, first.id)
    working.run("1")
    others = [Channels(agent, first.id) for _ in range(33)]
    for other in others:
        other.cut()
    wait_connections(agent, first.id, 2)
    first.cut()
    wait_connections(agent, first.id, 1)
    working.run("print('meanwhile')")
    first.connect()
    done = first.execute("1")
    assert "meanwhile\n" in stream(first.until(lambda m: m["channel"] == "shell" and m["parent_header"]["msg_id"] == done))


def test_no_place_is_kept_for_a_tab_that_said_goodbye(agent):
    tab = agent.kernel()
    tab.run("import time")
    old = tab.execute("print('begun'); time.sleep(1)")
    tab.until(lambda m: m["header"]["msg_type"] == "stream")
    tab.ws.close(status=1001)
    wait_state(agent, tab.id, "idle")
    tab.connect()
    done = tab.execute("1")
    got = tab.until(lambda m: m["channel"] == "shell" and m["parent_header"]["msg_id"] == done)
    assert not [m for m in got if m["parent_header"].get("msg_id") == old]


def test_goodbye_of_a_slow_tab_does_not_end_its_next_connection(agent):
    tab = agent.kernel()
    other = Channels(agent, tab.id)
    msg_id = tab.execute("for i in range(5): print(str(i) * 1000000)")
    other.until(lambda m: m["parent_header"].get("msg_id") == msg_id and m["content"].get("execution_state") == "idle")
    tab.ws.send((4000).to_bytes(2, "big"), opcode=websocket.ABNF.OPCODE_CLOSE)
    wait_connections(agent, tab.id, 1)
    tab.cut()
    tab.connect()
    # The reply is not waited for: it may have been on its way already when the first connection was cut.
    last = tab.until(lambda m: m["content"].get("execution_state") == "idle" and m["parent_header"].get("msg_id") == msg_id)
    assert stream(last).endswith("4" * 1000000 + "\n")
    assert tab.run("print(42)")[0] == "42\n"


def test_tab_reads_on_when_its_kernel_has_been_shut_down(agent):
    tab = agent.kernel()
    other = Channels(agent, tab.id)
    msg_id = tab.execute("for i in range(20): print(i, 'x' * 1000000)")
    other.until(lambda m: m["parent_header"].get("msg_id") == msg_id and m["content"].get("execution_state") == "idle")
    assert agent.request("DELETE", f"api/kernels/{tab.id}").status == 204
    text = stream(tab.until_done(msg_id))
    assert len(text) == sum(len(str(i)) + 1000002 for i in range(20))
    with pytest.raises(ConnectionError, match=re.escape(repr(b"\x03\xe8"))):
        tab.until(lambda m: False)


def test_what_finds_no_room_is_told_in_its_place(agent):
    tab = agent.kernel()
    (agent.run / "journal").rmdir()
    msg_id = tab.execute("for i in range(40): print(i, 'x' * 1000000, flush=True)\nopen('done', 'w').close()")
    end = time.monotonic() + places.CEILING
    while not (agent.home / "done").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    wait_state(agent, tab.id, "idle")
    messages = tab.until(lambda m: "missing here" in m["content"].get("text", ""))
    told = messages[-1]
    assert re.fullmatch(r"\[\d+ messages of the kernel are missing here: .*\]\n", told["content"]["text"])
    assert told["content"]["name"] == "stderr" and told["parent_header"]["msg_id"] == msg_id
    assert tab.run("print(42)")[0] == "42\n"


def test_question_of_an_interrupted_cell_is_not_asked_again(agent):
    tab = agent.kernel()
    msg_id = tab.execute("input('void? ')")
    tab.until(lambda m: m["channel"] == "stdin")
    assert agent.request("POST", f"api/kernels/{tab.id}/interrupt").status == 204
    tab.until_done(msg_id)
    tab.cut()
    tab.connect()
    done = tab.execute("1")
    got = tab.until(lambda m: m["channel"] == "shell" and m["parent_header"]["msg_id"] == done)
    assert not [m for m in got if m["channel"] == "stdin"]


def test_questions_of_pages_are_no_activity(agent):
    tab = agent.kernel()
    tab.run("1")
    before = wait_state(agent, tab.id, "idle")["last_activity"]
    tab.until_done(tab.send("shell", "kernel_info_request", {}))
    tab.until_done(tab.send("shell", "comm_info_request", {}))
    assert agent.get(f"api/kernels/{tab.id}")["last_activity"] == before
    tab.run("2")
    assert agent.get(f"api/kernels/{tab.id}")["last_activity"] > before


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


def test_program_on_a_disk_that_hangs_holds_up_no_other_kernel(agent):
    disk = agent.tmp / "disk"
    tab = agent.kernel()
    folder = agent.home / ".local/share/jupyter/kernels/far"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps({
        "argv": ["nowhere-to-be-found"], "env": {"PATH": str(disk)}, "display_name": "F", "language": "x"}))
    with concurrent.futures.ThreadPoolExecutor() as pool, slow_disk.SlowDisk(disk, b"x", names=True) as slow:
        late = pool.submit(agent.request, "POST", "api/kernels", {"name": "far"})
        assert slow.asked.wait(places.CEILING)
        assert tab.run("print(42)")[0] == "42\n"
        assert len(agent.get("api/kernels")) == 2
        slow.go()
        assert late.result().status == 500
    assert [one["id"] for one in agent.get("api/kernels")] == [tab.id]


def test_setup_environment_reaches_kernels_and_not_the_agent(daemon, tmp_path):
    script = tmp_path / "setup.sh"
    script.write_text("export FROM_STACK=yes\n")
    script.chmod(0o755)
    agent = Agent(daemon, tmp_path, setup=script)
    tab = agent.kernel()
    assert tab.run("import os; print(os.environ.get('FROM_STACK'), os.environ.get('JPY_PARENT_PID'))")[0] == "yes None\n"
    environ = pathlib.Path(f"/proc/{agent.agent_pid()}/environ").read_bytes()
    assert b"FROM_STACK" not in environ
    agent.init.stop()


def test_events_tell_of_kernel_actions(agent):
    ws = agent.open("api/events/subscribe")
    kernel = agent.start_kernel()
    event = json.loads(ws.recv())
    assert event["action"] == "start" and event["kernel_id"] == kernel
    assert event["schema_id"] == "https://events.jupyter.org/jupyter_server/kernel_actions/v1"
    answer = agent.request("POST", "api/events", {"schema_id": event["schema_id"], "version": "1", "data": {"action": "x"}})
    assert answer.status == 204
    assert json.loads(ws.recv())["action"] == "x"
    assert agent.request("POST", "api/events", {"schema_id": "none", "version": "1", "data": {}}).status == 400
    ws.close()


def test_server_is_not_shut_down_from_inside(agent):
    assert agent.request("POST", "api/shutdown").status == 403
    assert agent.get("api")["version"]


def test_r_kernel_speaks_over_tcp(agent):
    tab = agent.kernel(name="ir")
    connection = json.loads((agent.run / f"connection/kernel-{tab.id}.json").read_text())
    assert connection["transport"] == "tcp" and connection["ip"] == "127.0.0.1"
    text, reply = tab.run("cat(6 * 7)")
    assert text == "42" and reply["status"] == "ok"


def test_activity_is_told_to_the_hub_by_the_inner_door(agent):
    (agent.run / "secrets/credential").write_text("c" * 64)
    (agent.run / "secrets/credential").chmod(0o400)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(agent.run / "hub.sock"))
        door.listen(1)
        door.settimeout(places.CEILING)
        agent.kernel().run("1")
        with door.accept()[0] as one:
            got = b""
            while b"\r\n\r\n" not in got or len(got.partition(b"\r\n\r\n")[2]) < int(re.search(rb"(?i)content-length: (\d+)", got)[1]):
                got += one.recv(65536)
            one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hub/api/users/alice/activity HTTP/1.1\r\n")
    assert re.search(rb"(?i)authorization: token c{64}\r?\n?", head + b"\r\n")
    told = json.loads(body)
    assert told["servers"] == {"": {"last_activity": told["last_activity"]}}
