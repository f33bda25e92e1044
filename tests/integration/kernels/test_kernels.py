"""Kernels through the agent: REST, sessions, both framings, events, what reaches kernels and the hub."""

import concurrent.futures
import json
import os
import pathlib
import re
import socket
import time

import pytest
from jupyter_client import BlockingKernelClient

from lib import places, slow_disk
from lib.agent import Agent, Channels
from lib.kernel_rig import agent, wait_state  # noqa: F401  agent: fixture


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
