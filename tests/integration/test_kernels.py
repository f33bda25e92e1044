"""Kernels through the agent: REST, both framings, stdin, comms, interrupt, restart, death, adoption."""

import json
import os
import pathlib
import re
import signal
import socket
import sys
import time

import pytest
import websocket
from jupyter_client import BlockingKernelClient
from lib import places
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
    # The other tab reads all of it while the first reads nothing: a slow tab holds up nobody.
    seen = [m["content"]["data"]["text/plain"] for m in other.until(
        lambda m: m["header"]["msg_type"] == "status" and m["content"]["execution_state"] == "idle"
        and m["parent_header"].get("msg_id") == msg_id) if m["header"]["msg_type"] == "display_data"]
    assert seen == [str(i) for i in range(20000)]
    time.sleep(15)
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


def test_header_with_a_subshell_id_arrives_untouched(agent):
    tab = agent.kernel()
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
    assert agent.request("DELETE", f"api/kernels/{kernel}").status == 204


def test_program_of_a_specification_that_does_not_exist_is_an_error(agent):
    folder = agent.home / ".local/share/jupyter/kernels/absent"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps({"argv": ["/no/such/kernel"], "display_name": "B", "language": "x"}))
    answer = agent.request("POST", "api/kernels", {"name": "absent"})
    if answer.status == 201:  # init reports a failed exec as an exit
        assert wait_state(agent, answer.json["id"], "dead")["reason"]
    else:
        assert answer.status == 500 and answer.json["message"]


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
