"""A progress stream that is held open for minutes: browser, proxy, and the hub's libmicrohttpd listener. Something comes
at least every 8 s, and at last the end. STREAM_SECONDS says for how long (600)."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import socket
import threading
import time

import pytest

from lib.daemon import wait_until
from lib.hub_rig import Person, make_site  # noqa: F401  a fixture
from lib.places import CEILING

SECONDS = int(os.environ.get("STREAM_SECONDS", "600"))
SILENCE = 8 + 4  # what the hub promises, and what a busy machine may add
SERVER = "/hub/api/users/alice/server"


@pytest.fixture
def site(tmp_path, daemon, make_site):
    profiles = tmp_path / "long.yaml"
    profiles.write_text("stacks: [{id: system}]\nprofiles: [{id: one, template: test, stacks: [system], cores: [1], "
                        f"memory: [256M], start-timeout-s: {SECONDS + int(CEILING)}}}]\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = make_site("--public-url", f"http://127.0.0.1:{port}/", "--profiles", profiles, proxy=False)
    (made.run / "proxy/0").mkdir()
    made.front = daemon(["cygnet-proxy", "--listen", f"127.0.0.1:{port}", "--control", made.run / "proxy/0/control.sock",
                         "--inner", made.run / "inner.sock"])
    made.port = port
    wait_until(lambda: made.browser().get("/hub/health?wait=1").status == 200, "the proxy is known")
    return made


@contextlib.contextmanager
def held_start(site):
    """A user whose start waits until the block says go: yields that user and the function that says it."""
    go = threading.Event()

    def on_spawn(spawner, spec):
        def later():
            if go.wait(SECONDS + CEILING):
                spawner.start_well(spec)
        spawner.stage(spec, "folders")
        spawner.threads.append(threading.Thread(target=later, daemon=True))
        spawner.threads[-1].start()

    site.spawner.on_spawn = on_spawn
    alice = Person(site.port)
    assert alice.sign_in("alice", site.PASSWORD).status == 200
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pool.submit(alice.post, SERVER, {})  # after 10 s it says that the start goes on
        try:
            wait_until(lambda: alice.get("/hub/api/user").json["servers"], "the start is known")
            yield alice, go.set
        finally:
            go.set()


def watch(person, on_line):
    """Reads the stream to its end, calling on_line() after each line; its last event, None if it has none that ends a
    start. Silence is a TimeoutError."""
    connection, last = person.connection(), None
    connection.timeout = SILENCE
    try:
        connection.request("GET", SERVER + "/progress", headers={
            "Accept": "text/event-stream", "Cookie": f"__Host-cygnet={person.cookie}"})
        response = connection.getresponse()
        assert response.status == 200
        while line := response.readline():
            if line.startswith(b"data: "):
                last = json.loads(line[len(b"data: "):])
            on_line()
        return last if last and (last.get("ready") or last.get("failed")) else None
    finally:
        connection.close()


@pytest.mark.timeout(SECONDS + 2 * int(CEILING))
def test_a_stream_lives_as_long_as_a_start_and_tells_its_end(site):
    end = time.monotonic() + SECONDS
    lines = []
    with held_start(site) as (alice, go):
        def on_line():
            lines.append(time.monotonic())
            if lines[-1] > end:
                go()
        last = watch(alice, on_line)
    assert last and last["ready"] and last["progress"] == 100
    assert len(lines) > SECONDS // SILENCE


@pytest.mark.parametrize("victim", ["front", "hub"])
def test_a_stream_that_is_cut_has_no_end(site, victim):
    """The test above can fail: whichever daemon dies, there is an error or a stream without its end."""
    with held_start(site) as (alice, _go):
        with contextlib.suppress(OSError, http.client.HTTPException):
            assert watch(alice, lambda: getattr(site, victim).kill()) is None
        getattr(site, victim).wait_exit()
