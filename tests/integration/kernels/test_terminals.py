"""Terminals through the agent: REST, terminado's protocol, replay after a reload and after a killed agent."""

import concurrent.futures
import json
import os
import re
import signal
import time

import pytest
import websocket
from lib import leftovers, places, slow_disk, web
from lib.agent import Agent
from lib.daemon import wait_until


@pytest.fixture
def agent(daemon, tmp_path):
    one = Agent(daemon, tmp_path)
    yield one
    one.init.stop()


def until(condition):
    end = time.monotonic() + places.CEILING
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


class Tab:
    """One browser's view of a terminal."""

    def __init__(self, agent, name):
        self.ws = agent.open(f"terminals/websocket/{name}")
        assert json.loads(self.ws.recv()) == ["setup", {}]
        self.text = ""

    def send(self, *message):
        self.ws.send(json.dumps(message))

    def until(self, pattern):
        """The match of the first text that fits; only what is near the end is looked at again."""
        found, pieces, near = re.search(pattern, self.text), [self.text], self.text
        while not found:
            kind, value = json.loads(self.ws.recv())
            if kind == "disconnect":
                self.text = "".join(pieces)
                raise ConnectionError("disconnect")
            near = near[-4000:] + value
            found = re.search(pattern, near)
            pieces.append(value)
        self.text = "".join(pieces)
        return found


def test_rest_literals_of_terminals(agent):
    made = agent.request("POST", "api/terminals")
    assert made.getheader("Content-Security-Policy") == (
        "frame-ancestors 'self'; report-uri /user/alice/api/security/csp-report; default-src 'none'")
    assert made.status == 200 and made.json["name"] == "1" and set(made.json) == {"name", "last_activity"}
    assert agent.request("POST", "api/terminals", {"name": "work"}).json["name"] == "work"
    assert agent.request("POST", "api/terminals", {"name": "work"}).status == 409
    assert agent.request("POST", "api/terminals", {"name": "../x"}).status == 400
    assert [t["name"] for t in agent.get("api/terminals")] == ["1", "work"]
    assert agent.get("api/terminals/work")["name"] == "work"
    assert agent.request("DELETE", "api/terminals/work").status == 204
    gone = agent.request("GET", "api/terminals/work")
    assert gone.status == 404 and gone.json["message"] == "Terminal not found: work"
    assert agent.request("POST", "api/terminals").json["name"] == "2"


def test_command_prints_and_size_is_the_smallest_browsers(agent):
    name = agent.request("POST", "api/terminals").json["name"]
    one, two = Tab(agent, name), Tab(agent, name)
    one.send("set_size", 40, 120, 800, 600)
    two.send("set_size", 30, 132, 800, 600)
    one.send("stdin", "sleep 0.3; stty size; echo $((6*7)) $TERM; pwd\r")
    assert one.until(r"(\d+ \d+)\r\n42 (\S+)\r\n(\S+)\r\n").groups() == ("30 120", "xterm-256color", str(agent.home))
    two.until(r"42 xterm")


def test_terminal_survives_a_reload_with_its_text(agent):
    name = agent.request("POST", "api/terminals").json["name"]
    tab = Tab(agent, name)
    tab.send("stdin", "X=kept; echo mar''ker-é\r")
    tab.until("marker-é")
    tab.ws.close()
    again = Tab(agent, name)
    again.until("marker-é")
    again.send("stdin", "echo $X-$X\r")
    again.until("kept-kept")


def test_terminal_survives_a_killed_agent_with_its_text(agent):
    name = agent.request("POST", "api/terminals").json["name"]
    tab = Tab(agent, name)
    tab.send("stdin", "X=kept; echo mar''ker\r")
    tab.until("marker")
    os.kill(agent.agent_pid(), signal.SIGKILL)
    assert [t["name"] for t in agent.get("api/terminals")] == [name]
    again = Tab(agent, name)
    again.until("marker")
    again.send("stdin", "echo $X-$X\r")
    again.until("kept-kept")


def test_exit_of_the_shell_disconnects_and_removes_it(agent):
    name = agent.request("POST", "api/terminals").json["name"]
    tab = Tab(agent, name)
    tab.send("stdin", "exit\r")
    with pytest.raises(ConnectionError, match="disconnect"):
        tab.until("never printed")
    assert agent.get("api/terminals") == []


def test_flood_is_paced_by_the_browser_and_does_not_stop_the_server(agent):
    name = agent.request("POST", "api/terminals").json["name"]
    tab = Tab(agent, name)
    tab.send("stdin", "seq 1 3000000; echo fin''ished\r")
    assert agent.get("api")["version"]
    tab.until("finished")
    numbers = re.findall(r"\r\n(\d+)(?=\r)", tab.text)
    assert numbers[-1] == "3000000"
    assert len(numbers) >= 2999999


def test_characters_are_never_cut(agent):
    name = agent.request("POST", "api/terminals").json["name"]
    tab = Tab(agent, name)
    tab.send("stdin", "/usr/bin/python3 -c \"print('é€😀' * 60000)\"; echo fin''ished\r")
    tab.until("finished")
    assert "�" not in tab.text and "é€😀" * 60000 in tab.text


def test_last_words_reach_a_browser_that_reads_late(agent):
    name = agent.request("POST", "api/terminals").json["name"]
    tab = Tab(agent, name)
    tab.send("stdin", "seq 1 60000; exit\r")
    until(lambda: agent.get("api/terminals") == [])
    with pytest.raises(ConnectionError, match="disconnect"):
        tab.until("never printed")
    assert re.findall(r"\r\n(\d+)(?=\r)", tab.text)[-59999:] == [str(i) for i in range(2, 60001)]
    opcode, data = tab.ws.recv_data()
    assert (opcode, data) == (websocket.ABNF.OPCODE_CLOSE, b"\x03\xe8")


def test_bytes_that_are_no_text_are_shown_as_replaced(agent):
    name = agent.request("POST", "api/terminals").json["name"]
    tab = Tab(agent, name)
    tab.send("stdin", "printf 'a\\377\\376b'; head -c 100000 /dev/urandom; echo; echo fin''ished\r")
    tab.until("a\ufffd\ufffdb")
    tab.until("finished")


def test_large_paste_arrives_whole(agent):
    name = agent.request("POST", "api/terminals").json["name"]
    tab = Tab(agent, name)
    tab.send("stdin", "stty raw -echo; echo rea''dy; sleep 1; head -c 3000000 >pasted; echo fin''ished\r")
    tab.until("ready")
    tab.send("stdin", "0123456789" * 300000)
    tab.until("finished")
    assert (agent.home / "pasted").read_text() == "0123456789" * 300000


def test_every_one_who_ends_a_terminal_is_answered(agent):
    name = agent.request("POST", "api/terminals").json["name"]
    tab = Tab(agent, name)
    tab.send("stdin", "trap '' HUP; echo rea''dy\r")
    tab.until("ready")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: agent.request("DELETE", f"api/terminals/{name}").status, range(2)))
    assert answers == [204, 204]
    until(lambda: agent.get("api/terminals") == [])


def test_terminal_that_does_not_exist_is_404(agent):
    assert agent.request("GET", "terminals/websocket/none").status == 404
    assert agent.request("DELETE", "api/terminals/none").status == 404


def test_stop_hangs_up_shells(agent):
    tab = Tab(agent, agent.request("POST", "api/terminals").json["name"])
    tab.send("stdin", f"exec sh -c 'trap \"echo hung up > {agent.tmp}/word; exit\" HUP; echo pid=$$=; read never'\r")
    pid = int(tab.until(r"pid=(\d+)=")[1])
    os.kill(agent.agent_pid(), signal.SIGTERM)
    wait_until(lambda: not leftovers.lives(pid), "the shell ends with its agent")
    assert (agent.tmp / "word").read_text() == "hung up\n"


def test_a_base_url_with_escapes_is_answered_however_it_is_written(daemon, tmp_path):
    agent = Agent(daemon, tmp_path, base="/user/zo%C3%AB/")
    try:
        name = agent.request("POST", "api/terminals").json["name"]
        for base in "/user/zo%C3%AB/", "/user/zo%c3%ab/", "/us%65r/%7ao%C3%AB/":
            answer = web.request(agent.path, "GET", base + "api/terminals/" + name)
            assert answer.status == 200 and json.loads(answer.data)["name"] == name
        assert web.request(agent.path, "GET", "/user/zo%25C3%25AB/api/terminals").status == 404
        Tab(agent, name).ws.close()
    finally:
        agent.init.stop()


def test_folder_on_a_disk_that_hangs_holds_up_nobody(agent):
    with concurrent.futures.ThreadPoolExecutor() as pool, slow_disk.SlowDisk(agent.home / "disk", b"x", names=True) as slow:
        late = pool.submit(agent.request, "POST", "api/terminals", {"cwd": "disk/folder"})
        assert slow.asked.wait(places.CEILING)
        assert agent.get("api/terminals") == []
        slow.go()
        assert late.result().json["name"] == "1"
