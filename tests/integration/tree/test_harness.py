"""The harness itself: a daemon that misbehaves, a process or socket left behind, must not go unnoticed."""

import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest

from lib import leftovers, places, web

SERVER = """
import http.server, socket, os, sys
sock = socket.socket(fileno=3)
print("pid", os.getpid() == int(os.environ["LISTEN_PID"]), os.environ["LISTEN_FDNAMES"], flush=True)
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler, bind_and_activate=False)
server.socket = sock
server.serve_forever()
"""

STUBBORN = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
print("ready", flush=True)
signal.pause()
"""


def listener():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    return sock


def test_each_file_has_its_own_loopback():
    with open("/proc/net/dev", encoding="ascii") as file:
        names = [line.partition(":")[0].strip() for line in file.readlines()[2:]]
    assert "lo" in names and not [name for name in names if name.startswith(("eth", "en"))]


def test_no_signal_is_ignored_by_inheritance():
    with open("/proc/self/status", encoding="ascii") as file:
        ignored = int(next(line for line in file if line.startswith("SigIgn")).split()[1], 16)
    # Python itself ignores SIGPIPE and SIGXFSZ; 32 and 33 are the C library's own, and no daemon of ours uses them.
    ours = {number for number in range(1, 32) if ignored >> (number - 1) & 1}
    assert ours <= {signal.SIGPIPE, signal.SIGXFSZ}


def test_descriptors_are_passed_as_systemd_does(daemon, tmp_path):
    with listener() as sock:
        address = sock.getsockname()
        one = daemon([sys.executable, "-c", SERVER], name="server", listen={"http": sock}, cwd=tmp_path)
    assert one.wait_line(r"pid (\w+) (\w+)").groups() == ("True", "http")
    assert web.request(address, "GET", "/").status == 200
    assert web.raw(address, b"NONSENSE\r\n\r\n", half_close=True).find(b"400") > 0
    assert one.kill(signal.SIGTERM).wait_exit() == -signal.SIGTERM


def test_a_daemon_that_ends_early_is_told_with_its_log(daemon):
    one = daemon([sys.executable, "-c", "print('no such option')"], name="early")
    with pytest.raises(AssertionError, match="no such option"):
        one.wait_line("ready")


def test_a_status_that_is_not_zero_fails_the_stop(daemon):
    one = daemon([sys.executable, "-c", STUBBORN], name="bad")
    one.wait_line("ready")
    with pytest.raises(AssertionError, match="status 3"):
        one.stop()


def test_a_process_that_left_its_parent_is_found():
    before = leftovers.snapshot()
    # Two forks and an end in between: the sleeper's parent is gone.
    subprocess.run(["bash", "-c", "setsid sleep 1000 >/dev/null 2>&1 & disown"], check=True)
    found = leftovers.since(before, ceiling=0.3)
    assert len(found) == 1 and "sleep 1000" in found[0]


def test_a_process_that_takes_its_time_to_end_is_waited_for():
    before = leftovers.snapshot()
    started = subprocess.Popen(["sleep", "6"])
    assert leftovers.since(before) == []
    assert started.poll() is not None


def test_a_listening_socket_is_found():
    before = leftovers.snapshot()
    with listener() as sock:
        assert leftovers.since(before, ceiling=0.3) == [f"listening tcp socket on port {sock.getsockname()[1]}"]


def shared_hierarchy():
    """A mount of control groups that is the machine's."""
    found = [place for place, is_own in leftovers.places_of_groups().items() if not is_own and os.access(place, os.W_OK)]
    return pathlib.Path(found[-1]) if found else pytest.skip("no control groups can be made here")


def test_a_control_group_of_this_run_is_found_wherever_it_is(tmp_path):
    before = leftovers.snapshot()
    # As the spawner names the group of a run folder.
    group = shared_hierarchy() / f"cygnet-{os.fspath(tmp_path)[1:].replace('/', '-').replace('_', '-')}-run"
    group.mkdir()
    try:
        assert leftovers.since(before, ceiling=0.3) == [f"cgroup {group}"]
    finally:
        group.rmdir()


def test_any_control_group_in_a_hierarchy_of_our_own_is_found():
    own = [pathlib.Path(place) for place, is_own in leftovers.places_of_groups().items() if is_own]
    if not own:
        pytest.skip("only root has hierarchies of version 1 to itself")
    for place in own:
        before = leftovers.snapshot()
        (place / "anything").mkdir()
        try:
            assert leftovers.since(before, ceiling=0.3) == [f"cgroup {place}/anything"]
        finally:
            (place / "anything").rmdir()


@pytest.mark.parametrize("name", ["cygnet-hub.service", "machine-cygnet-systemd.x", "cygnet-tmp-cyg-other-run"])
def test_control_groups_of_a_container_or_a_run_beside_us_are_not_counted(name):
    before = leftovers.snapshot()
    group = shared_hierarchy() / name
    group.mkdir()
    try:
        assert leftovers.since(before, ceiling=0.3) == []
    finally:
        group.rmdir()


@pytest.fixture(scope="module")
def shared(file_daemons):
    one = file_daemons.start([sys.executable, "-c", STUBBORN.replace("exit(3)", "exit(0)")], name="shared")
    one.wait_line("ready")
    return one


def test_what_all_tests_of_a_file_share_may_stay(shared, file_tmp):
    assert shared.process.poll() is None and file_tmp.stat().st_mode & 0o777 == 0o755


def test_a_folder_can_be_walked_by_other_uids(tmp_path):
    (tmp_path / "file").write_text("x")
    if os.getuid() != 0:
        pytest.skip("only root can be another uid")
    subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", tmp_path / "file"],
                   check=True, stdout=subprocess.DEVNULL)


def test_sanitizers_word_in_a_log_is_seen(tmp_path):
    logs = {"a/log/agent.log": "==7==ERROR: AddressSanitizer: heap-use-after-free", "b.log": "x.c:1:2: runtime error: shift"}
    for name, text in {**logs, "c.log": "all is well", "d.txt": "AddressSanitizer"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert sorted(places.sanitizer_reports(tmp_path)) == [f"{tmp_path}/{name}" for name in sorted(logs)]
    for name in logs:
        (tmp_path / name).unlink()
