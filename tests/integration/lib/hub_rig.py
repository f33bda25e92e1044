"""A hub with its folders between a spawner and a proxy of the tests (hub_fakes.py), asked by the browsers of
hub_client.py; what a user sees of their server; the fixtures."""

import shutil

import pytest

from lib import places
from lib.daemon import wait_until
from lib.hub_client import Browser, Person  # noqa: F401  tests name them as ours
from lib.hub_fakes import (  # noqa: F401
    EDENIED, EINVAL, ENOENT, EXITED, MEMORY, SETUP, SIGNALLED, STOPPED, UNKNOWN, FakeProxy, FakeSpawner, Handler, serve,
)
from lib.spawn_msg import HAND_OVER, SPAWN, STOP  # noqa: F401

SERVER = "/hub/api/users/alice/server"


def prefixes(table):
    return {route["prefix"] for route in table["routes"]}


class HubSite:
    """Folders, fakes and one hub."""

    PASSWORD = "correct horse"

    def __init__(self, tmp, daemons, options=(), proxy=True):
        self.run, self.state, self.daemons = tmp / "run", tmp / "state", daemons
        self.options = list(options)
        for folder in (self.run / "hub", self.run / "spawner", self.run / "proxy", self.run / "s", self.state,
                       tmp / "web"):
            folder.mkdir(parents=True, exist_ok=True)
        self.profiles = tmp / "profiles.yaml"
        shutil.copy(places.ROOT / "config/profiles.yaml", self.profiles)
        self.web = tmp / "web"
        self.make_web()
        self.password = tmp / "password"
        self.password.write_text(self.PASSWORD)
        self.password.chmod(0o600)
        self.token = tmp / "admin.token"
        self.token.write_text("f" * 64)
        self.token.chmod(0o600)
        self.spawner = FakeSpawner(self.run)
        self.proxy = FakeProxy(self.run) if proxy else None
        self.socket = self.run / "hub/http.sock"
        self.hub = self.start()

    def make_web(self):
        (self.web / "static").mkdir()
        for name in ("home", "login", "starting", "spark", "error-403", "error-404", "error-424", "error-503"):
            (self.web / f"{name}.html").write_text(f"<!doctype html><title>{name}</title>")
        (self.web / "static/mark.svg").write_text("<svg/>")
        (self.web / "static/api.mjs").write_text("export const x = 1;")

    def argv(self):
        return ["cygnet-hub", "--sign-in", "development", "--run-dir", self.run, "--state-dir", self.state,
                "--web-dir", self.web, "--profiles", self.profiles, "--dev-password-file", self.password,
                "--admin-token-file", self.token, "--log-level", "debug", *self.options]

    def start(self):
        hub = self.daemons.start(self.argv())
        hub.wait_line(r"hub: ready")
        return hub

    def lose_spawner(self):
        """The spawner goes away, once the hub has it, and the hub has noticed. Where the log was before that."""
        self.hub.wait_line("spawner: connected")
        since = self.hub.lines()
        self.spawner.disconnect()
        self.hub.wait_line("spawner: connection ended", since)
        return since

    def kill_hub(self):
        self.hub.kill()
        self.hub.wait_exit()

    def browser(self, name=None):
        browser = Browser(self.socket)
        if name:
            answer = browser.sign_in(name, self.PASSWORD)
            assert answer.status == 200, answer
        return browser

    def close(self):
        try:
            if self.hub.process.poll() is None:
                self.hub.stop()
        finally:
            self.spawner.close()
            if self.proxy:
                self.proxy.close()


# ---- what a user sees of their default server -----------------------------------------------------
def record(browser):
    return browser.get("/hub/api/user").json["servers"].get("")


def wait_state(browser, state):
    def look():
        found = record(browser)
        return (found["cygnet"]["state"] if found else "stopped") == state
    wait_until(look, f"state {state}")


def last_end(browser):
    return browser.get("/hub/api/user").json["cygnet"]["last_end"]


# ---- fixtures, for the files that import them ----
@pytest.fixture
def make_site(tmp_path, daemons):
    """make_site("--option", …): a hub between a spawner and a proxy of the tests; more: see HubSite."""
    sites = []

    def make(*options, **more):
        sites.append(HubSite(tmp_path, daemons, options, **more))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(make_site):
    return make_site("--stop-grace", "1s", "--activity-interval", "200ms")
