"""Tabs that come and go: each gets its replies and what it missed."""

import re
import time

import pytest
import websocket

from lib import places
from lib.agent import Channels, stream
from lib.kernel_rig import agent, wait_state  # noqa: F401  agent: fixture


def wait_connections(agent, kernel_id, n):
    end = time.monotonic() + places.CEILING
    while agent.get(f"api/kernels/{kernel_id}")["connections"] != n:
        assert time.monotonic() < end
        time.sleep(0.05)


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
