"""`cygnetctl up` with a site of its own: what it says when something is taken, wrong or does not stay alive."""

import concurrent.futures
import json
import shutil
import socket

import pytest

from lib import places
from lib.bad_disk import FullDisk, needs_root
from lib.hub_rig import Browser

TEMPLATES = "templates:\n  test: { command: [\"/bin/true\"] }\n"
STACKS = "stacks:\n  system:\n    prefix: /usr\n"
PROFILES = "stacks: [{id: system}]\nprofiles: [{id: one, template: test, stacks: [system], cores: [1], memory: [256M]}]\n"


class Up:
    """Folders and configuration; start() runs `cygnetctl up` on them."""

    def __init__(self, tmp, daemons, programs):
        self.tmp, self.daemons, self.ready, self.programs = tmp, daemons, tmp / "ready.json", programs
        self.config = tmp / "config"
        self.config.mkdir()
        files = {"templates": TEMPLATES, "stacks": STACKS, "profiles": PROFILES, "hub": "sign-in: development\n",
                 "spawner": "engine: process\n"}
        for name, text in files.items():
            (self.config / f"{name}.yaml").write_text(text)

    def start(self, *more, state="state", run="run"):
        return self.daemons.start(
            [self.programs / "bin/cygnetctl", "up", "--port", "0", "--state-dir", self.tmp / state, "--run-dir", self.tmp / run, "--cache-dir",
             self.tmp / "cache", "--bin-dir", self.programs / "bin", "--web-dir", self.programs / "web", "--config-dir",
             self.config, "--ready-file", self.ready, *more], name="cygnetctl")

    def door(self):
        return Browser(self.tmp / "run/hub/http.sock")


@pytest.fixture(scope="module")
def programs(file_tmp):
    """Copies that the daemons' uids can reach: the tree may lie where they cannot walk."""
    (file_tmp / "bin").mkdir()
    for one in places.BIN.glob("cygnet*"):
        shutil.copy(one, file_tmp / "bin")
    shutil.copytree(places.ROOT / "src/web", file_tmp / "web")
    return file_tmp


@pytest.fixture
def up(tmp_path, daemons, programs):
    return Up(tmp_path, daemons, programs)


def refused(program, words):
    program.wait_line(words)
    assert program.wait_exit() == 1


def test_it_serves_says_how_to_sign_in_and_leaves_nothing(up):
    program = up.start()
    program.wait_line("Cygnet is ready: http://localhost:[0-9]+/")
    told = json.loads(up.ready.read_text())
    assert up.ready.stat().st_mode & 0o777 == 0o600 and told["pid"] == program.pid
    assert f"Sign in with any name (say, alice) and the password {told['password']}\n" in program.log
    browser = up.door()
    assert browser.sign_in("alice", told["password"]).status == 200
    program.stop()
    assert not up.ready.exists()
    assert not [p for p in (up.tmp / "run").rglob("*") if p.is_socket() or p.name == "admin.token"]


def test_a_password_is_told_only_where_there_is_one(up):
    (up.config / "hub.yaml").write_text("sign-in: none\n")
    program = up.start()
    program.wait_line("Cygnet is ready: ")
    assert "password" not in program.log
    program.stop()


@pytest.mark.parametrize("second, words", [
    ({"run": "other"}, "another Cygnet is running on state folder .*: stop it, or name another folder with STATE="),
    ({"state": "other"}, "another Cygnet is running on run folder .*: stop it, or name another folder with RUN=")])
def test_a_second_one_on_the_same_folders_takes_nothing_of_the_first(up, second, words):
    program = up.start()
    program.wait_line("Cygnet is ready: ")
    ready = up.ready.read_text()
    refused(up.start(**second), words)
    assert up.ready.read_text() == ready
    assert up.door().get("/hub/health?wait=1").status == 200
    program.stop()


def test_a_port_that_is_taken_is_named(up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(up.start("--port", port), f"port {port} of 127.0.0.1 is in use: stop what listens there, or choose another")
    assert not [p for p in (up.tmp / "run").rglob("*") if p.is_socket()]


@pytest.mark.parametrize("options, words", [
    (["--run-dir", "run"], "must be absolute paths"), (["--address", "localhost"], "is not an IPv4 address")])
def test_a_wrong_option_is_named(up, options, words):
    refused(up.start(*options), words)


def test_a_run_folder_with_too_long_a_path_is_named(up):
    refused(up.start(run="x" * 90), "is longer than 107 bytes: use a shorter run folder")


def test_a_folder_that_is_a_file_is_named(up):
    (up.tmp / "state").write_text("")
    refused(up.start(), f"{up.tmp}/state")


@pytest.mark.parametrize("file, text, words", [
    ("hub.yaml", "sign-in: development\nno-such-option: 1\n", "hub.yaml:2:1: .*no-such-option"),
    ("profiles.yaml", "profiles: []\n", "profiles.yaml:1:11: 'profiles' must be a list of 1 to 64"),
    ("templates.yaml", "templates: 7\n", "templates.yaml")])
def test_a_daemon_that_never_stays_alive_ends_the_start(up, file, text, words):
    (up.config / file).write_text(text)
    program = up.start()
    program.wait_line(words)
    refused(program, "does not stay alive: its messages above say why")
    assert not up.ready.exists()


@needs_root
def test_servers_are_stopped_though_the_disk_is_full(up):
    disk = FullDisk()
    disk.prepare(up.tmp / "state")
    try:
        (up.config / "templates.yaml").write_text("templates:\n  test: { command: [\"/bin/sleep\", \"1000\"] }\n")
        program = up.start()
        program.wait_line("Cygnet is ready: ")
        browser = up.door()
        assert browser.sign_in("alice", json.loads(up.ready.read_text())["password"]).status == 200
        with concurrent.futures.ThreadPoolExecutor() as pool:
            start = pool.submit(browser.post, "/hub/api/users/alice/server", {})
            program.wait_line("alice/default: .* starting -> waiting")
            disk.begin()
            program.stop()
            assert start.exception() is not None or start.result().status != 201
        assert "every server is stopped" in program.log and "did not stop" not in program.log
    finally:
        disk.close()
