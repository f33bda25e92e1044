"""What a deleted user left, uid and home, handed to the one who has the name now: with a real spawner."""

import concurrent.futures
import http.client
import json
import os
import socket
import sqlite3
import subprocess

import pytest
from lib import hub_rig, places
from lib.hub_rig import make_site, site  # noqa: F401  fixtures
from lib.spawn import Site
from lib.spawn_rig import ROOT

ANSWERS = """
import http.server, json, os, socket
class One(http.server.BaseHTTPRequestHandler):
    def say(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.say(dict(version="home"))
    def do_POST(self):
        with open("mine", "w") as file:
            file.write(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.do_PUT()
    def do_PUT(self):
        self.say(dict(uid=os.getuid(), owners=dict((f, os.stat(f).st_uid) for f in os.listdir("."))))
    def address_string(self):
        return ""
    def log_message(self, *_):
        pass
listener = socket.socket(fileno=3)
listener.setblocking(True)
while True:
    One(listener.accept()[0], "", None)
"""
TEMPLATES = f"templates:\n  plain:\n    command: [/usr/bin/python3, -c, {json.dumps(ANSWERS)}]\n"
ADMIN = {"Authorization": "token " + "f" * 64}
FORMER, HAND_OVER = ("/hub/api/cygnet/users/{}/" + what for what in ("former", "hand-over"))


class _AtServer(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("127.0.0.1", timeout=places.CEILING)
        self.unix = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.fspath(self.unix))


class Home:
    """A hub with a real spawner. Its proxy is the tests' own: servers are asked at their sockets."""

    def __init__(self, tmp, daemons):
        self.tmp, self.daemons, self.run = tmp, daemons, tmp / "run"
        (tmp / "spawner").mkdir()
        self.site = Site(tmp / "spawner", TEMPLATES)
        for folder in ("", "hub", "proxy"):
            (self.run / folder).mkdir(mode=0o755)
        for path in (tmp, tmp / "spawner"):
            path.chmod(0o755)
        (tmp / "hub").mkdir()
        (tmp / "profiles.yaml").write_text(
            "stacks: [{id: system}]\nprofiles:\n  - {id: plain, template: plain, stacks: [system], cores: [1], memory: [256M]}\n")
        for name, text in (("password", "pw"), ("token", "f" * 64)):
            (tmp / name).write_text(text)
            (tmp / name).chmod(0o600)
        self.proxy = hub_rig.FakeProxy(self.run)
        self.spawner = self.start_spawner()
        self.hub = self.start_hub()

    def start_spawner(self):
        spawner = self.daemons.start(self.site.argv())
        spawner.wait_line("main: ready")
        return spawner

    def start_hub(self):
        hub = self.daemons.start(
            ["cygnet-hub", "--sign-in", "development", "--public-url", "http://127.0.0.1:8000/", "--run-dir", self.run,
             "--state-dir", self.tmp / "hub", "--web-dir", places.ROOT / "src/web", "--profiles", self.tmp / "profiles.yaml",
             "--dev-password-file", self.tmp / "password", "--admin-token-file", self.tmp / "token", "--stop-grace", "2s",
             "--spawners", self.site.ctl])
        hub.wait_line("hub: ready")
        assert self.browser().get("/hub/health?wait=1").status == 200
        return hub

    def browser(self, name=None):
        browser = hub_rig.Browser(self.run / "hub/http.sock")
        assert name is None or browser.sign_in(name, "pw").status == 200
        return browser

    def admin(self, method, target, body=None):
        return self.browser().ask(method, target, body, ADMIN)

    def start(self, name):
        assert self.admin("POST", f"/hub/api/users/{name}/server", {}).status == 201

    def stop(self, name):
        assert self.admin("DELETE", f"/hub/api/users/{name}/server").status == 204

    def ask(self, method, words=""):
        """What the one server that runs says of itself and its home; POST makes a file there."""
        (path,) = (self.site.run / "s").glob("*.sock")
        conn = _AtServer(path)
        try:
            conn.request(method, "/", words)
            return json.loads(conn.getresponse().read())
        finally:
            conn.close()

    def look(self, name):
        """The same of a server started for it."""
        self.start(name)
        found = self.ask("PUT")
        self.stop(name)
        return found

    def leave_behind(self, name):
        """That user makes a file and is deleted; the name is made again. Who had it, and the uid."""
        self.browser(name)
        self.start(name)
        uid = self.ask("POST", "of the first")["uid"]
        self.stop(name)
        assert self.admin("DELETE", f"/hub/api/users/{name}").status == 204
        self.browser(name)
        (old,) = self.admin("GET", FORMER.format(name)).json["former"]
        return old["id"], uid

    def ctl(self, *words):
        done = subprocess.run(
            [places.BIN / "cygnetctl", "hand-over", "--run-dir", self.run, *words], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def rows(self, sql):
        with sqlite3.connect(f"file:{self.tmp}/hub/hub.db?mode=ro", uri=True) as db:
            return db.execute(sql).fetchall()


@pytest.fixture
def home(tmp_path, daemons):
    home = Home(tmp_path, daemons)
    yield home
    home.hub.stop()
    home.spawner.stop()
    home.proxy.close()


def test_what_was_handed_over_is_the_new_users_and_no_file_changed_its_owner(home):
    old, uid = home.leave_behind("alice")
    first = home.look("alice")
    assert first["owners"] == {} and (first["uid"] != uid) == ROOT, "without it the home is empty"
    answer = home.admin("POST", HAND_OVER.format("alice"), {"from": old})
    assert answer.status == 200, answer
    new = answer.json["to"]
    assert (answer.json["from"], new != old) == (old, True)
    assert f"alice ({new}) has the uid and home of user {old}" in answer.json["message"]
    assert home.look("alice") == {"uid": uid, "owners": {"mine": uid}}
    assert (home.site.state / "homes/alice/mine").read_text() == "of the first"
    (told,) = home.admin("GET", FORMER.format("alice")).json["former"]
    assert (told["id"], told["handed_to"]) == (old, new) and told["deleted"] < told["handed_over"]
    assert home.rows("SELECT actor, action, object, detail FROM audit WHERE action='user.hand-over'") == [
        ("service:administrator", "user.hand-over", "user:alice", json.dumps({"from": old, "to": new}, separators=(",", ":")))]


def test_a_second_hand_over_is_refused(home):
    old, _uid = home.leave_behind("alice")
    assert home.admin("POST", HAND_OVER.format("alice"), {"from": old}).status == 200
    again = home.admin("POST", HAND_OVER.format("alice"), {"from": old})
    assert (again.status, "handed over already" in again.json["message"]) == (409, True), again
    home.hub.stop()
    home.hub = home.start_hub()
    assert home.admin("POST", HAND_OVER.format("alice"), {"from": old}).status == 409


def test_nothing_is_handed_over_while_a_server_runs(home):
    old, uid = home.leave_behind("alice")
    home.start("alice")
    refused = home.admin("POST", HAND_OVER.format("alice"), {"from": old})
    assert (refused.status, "alice's server is running. Stop it" in refused.json["message"]) == (409, True), refused
    home.stop("alice")
    assert home.admin("POST", HAND_OVER.format("alice"), {"from": old}).status == 200
    assert home.look("alice")["uid"] == uid


def test_only_an_administrator_hands_over_or_sees_who_had_a_name(home):
    old, _uid = home.leave_behind("alice")
    for who in (home.browser("alice"), home.browser("bob"), home.browser()):
        assert who.post(HAND_OVER.format("alice"), {"from": old}).status in (403, 404)
        assert who.get(FORMER.format("alice")).status in (403, 404)
    token = home.admin("POST", "/hub/api/users/alice/tokens", {"note": "x"}).json["token"]
    assert home.browser().ask("POST", HAND_OVER.format("alice"), {"from": old},
                              {"Authorization": f"token {token}"}).status in (403, 404)
    assert home.look("alice")["owners"] == {}


@pytest.mark.parametrize("name, body, status, words", [
    ("alice", {"from": 999}, 404, "has never been alice"),
    ("alice", {"from": 0}, 404, "Nothing is kept"),
    ("alice", {"from": -1}, 400, "\"from\" is the id"),
    ("alice", {}, 400, "\"from\" is the id"),
    ("alice", {"from": True}, 400, "\"from\" is the id"),
    ("alice", "[]", 400, "\"from\" is the id"),
    ("bob", "OLD", 404, "has never been bob"),
    ("nobody", "OLD", 404, "No such user: nobody"),
])
def test_what_is_nobodys_is_not_handed_over(home, name, body, status, words):
    old, _uid = home.leave_behind("alice")
    home.browser("bob")
    answer = home.admin("POST", HAND_OVER.format(name), {"from": old} if body == "OLD" else body)
    assert (answer.status, words in answer.json["message"]) == (status, True), answer


def test_a_user_who_never_started_left_nothing(home):
    home.browser("carol")
    assert home.admin("DELETE", "/hub/api/users/carol").status == 204
    home.browser("carol")
    (old,) = home.admin("GET", FORMER.format("carol")).json["former"]
    answer = home.admin("POST", HAND_OVER.format("carol"), {"from": old["id"]})
    assert (answer.status, "Nothing is kept" in answer.json["message"]) == (404, True), answer
    assert home.admin("GET", FORMER.format("nobody")).json["former"] == []


def test_nothing_is_handed_over_while_a_spawner_is_away(home):
    old, uid = home.leave_behind("alice")
    home.spawner.stop()
    home.hub.wait_line("spawner: connection ended")
    answer = home.admin("POST", HAND_OVER.format("alice"), {"from": old})
    assert (answer.status, "spawner" in answer.json["message"]) == (503, True), answer
    home.spawner = home.start_spawner()
    assert home.browser().get("/hub/health?wait=1").status == 200
    assert home.admin("POST", HAND_OVER.format("alice"), {"from": old}).status == 200
    assert home.look("alice")["uid"] == uid


def test_cygnetctl_lists_former_owners_and_hands_over(home):
    old, uid = home.leave_behind("alice")
    code, out, _ = home.ctl("alice")
    assert code == 0 and f"\n{old} " in out and "cygnetctl hand-over alice ID" in out, out
    code, out, _ = home.ctl("alice", str(old))
    assert code == 0 and f"has the uid and home of user {old}" in out, out
    assert home.look("alice") == {"uid": uid, "owners": {"mine": uid}}
    code, out, err = home.ctl("alice", str(old))
    assert code == 1 and out == "" and "handed over already" in err, err
    for wrong in ((), ("alice", "x"), ("alice", "1", "2"), ("",)):
        assert home.ctl(*wrong)[0] == 2, wrong
    code, _, err = home.ctl("nobody", "1")
    assert code == 1 and "No such user: nobody" in err, err
    assert home.rows("SELECT DISTINCT actor FROM audit WHERE action='user.hand-over'") == [("root",)]


# ---- a spawner of the tests, which takes its time ----
@pytest.fixture
def held(site):  # noqa: F811
    """alice was deleted and made again, and the spawner does not respond when it is asked to hand over."""
    site.held = []
    site.spawner.on_hand_over = lambda _spawner, asked: site.held.append(asked)
    site.browser("alice")
    assert site.browser().ask("DELETE", "/hub/api/users/alice", None, ADMIN).status == 204
    site.browser("alice")
    return site


def in_the_background(pool, held):
    future = pool.submit(held.browser().ask, "POST", HAND_OVER.format("alice"), {"from": 1}, ADMIN)
    held.spawner.wait(hub_rig.HAND_OVER)
    return future


def test_the_response_waits_for_the_spawner_and_repeats_its_refusal(held):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = in_the_background(pool, held)
        (asked,) = held.held
        assert (asked.from_id, asked.to_id, asked.from_name, asked.to_name) == (1, 2, "", "alice")
        assert not answer.done()
        held.spawner.reply(asked.request, 8, "server 7 of 'alice' must be stopped")
        assert answer.result().status == 409 and "must be stopped" in answer.result().json["message"]
    assert held.browser().ask("GET", FORMER.format("alice"), None, ADMIN).json["former"][0]["handed_to"] is None


def test_a_spawner_that_is_lost_meanwhile_leaves_it_open_and_it_can_be_tried_again(held):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = in_the_background(pool, held)
        held.spawner.disconnect()
        assert answer.result().status == 503 and "is not known: try again" in answer.result().json["message"]
        held.spawner.listen()
        assert held.browser().get("/hub/health?wait=1").status == 200
        again = in_the_background(pool, held)
        held.spawner.reply(held.held[-1].request)
        assert again.result().status == 200
    assert held.browser().ask("POST", HAND_OVER.format("alice"), {"from": 1}, ADMIN).status == 409


def test_a_client_that_leaves_and_a_hub_that_ends_meanwhile_leave_nothing_behind(held):
    conn = held.browser().connection()
    conn.request("POST", HAND_OVER.format("alice"), '{"from": 1}', {**ADMIN, "Content-Type": "application/json"})
    held.spawner.wait(hub_rig.HAND_OVER)
    conn.close()
    held.spawner.reply(held.held[0].request)
    held.hub.wait_line("has the uid and home of user 1 now")
    held.browser("bob")
    assert held.browser().ask("DELETE", "/hub/api/users/bob", None, ADMIN).status == 204
    held.browser("bob")
    (old,) = held.browser().ask("GET", FORMER.format("bob"), None, ADMIN).json["former"]
    conn = held.browser().connection()
    conn.request("POST", HAND_OVER.format("bob"), json.dumps({"from": old["id"]}), {**ADMIN, "Content-Type": "application/json"})
    held.spawner.wait(hub_rig.HAND_OVER)
    held.hub.stop()
    conn.close()
