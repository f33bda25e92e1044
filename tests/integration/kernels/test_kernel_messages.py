"""What passes between kernels and tabs: much of it, buffers, odd bytes, questions."""

import os
import re
import time

import pytest

from lib import places
from lib.agent import Channels, stream
from lib.kernel_rig import agent, wait_state  # noqa: F401  agent: fixture


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
