"""Who may what at the hub: tokens' lives, scopes at each endpoint, users made, renamed and deleted."""

import hashlib
import re
import sqlite3

import pytest

from lib import hub_rig, places
from lib.daemon import wait_until
from lib.hub_rig import make_site, record, site, wait_state  # noqa: F401

SERVER = "/hub/api/users/alice/server"
ADMIN = "f" * 64  # the rig's administrator's token
NOT_HELD = re.compile(r"^Action is not authorized with current scopes; requires any of \[(.*)\]$")


class Client:
    """Asks with a token, as a script does."""

    def __init__(self, site, token):
        self.browser, self.token = site.browser(), token

    def ask(self, method, target, body=None):
        return self.browser.ask(method, target, body, {"Authorization": f"token {self.token}"}, cookie=False)


def make_token(who, name="alice", **body):
    answer = who.ask("POST", f"/hub/api/users/{name}/tokens", body)
    assert answer.status == 201, answer
    return answer.json


def rows(site, sql, *values):
    with sqlite3.connect(f"file:{site.state}/hub.db?mode=ro", uri=True) as db:
        return db.execute(sql, values).fetchall()


def sums(site):
    return {c["sha256"] for c in site.proxy.tables[-1]["credentials"]}


def sum_of(token):
    return hashlib.sha256(token.encode()).hexdigest()


# ---- tokens ----
def test_a_token_lives_from_its_making_to_its_end(site):  # noqa: F811
    alice = site.browser("alice")
    assert alice.get("/hub/api/users/alice/tokens").json == {"api_tokens": []}
    made = make_token(alice, note="for a script")
    token = Client(site, made.pop("token"))
    assert made["id"] == "a1" and made["kind"] == "api_token" and made["user"] == "alice" and made["roles"] == []
    assert made["note"] == "for a script" and made["expires_at"] is None and made["last_activity"] is None
    assert "access:servers!user=alice" in made["scopes"] and made["oauth_client"] == "JupyterHub"
    who = token.ask("GET", "/hub/api/user").json
    assert (who["name"], who["token_id"], who["session_id"]) == ("alice", "a1", None)
    assert sorted(who["scopes"]) == sorted(made["scopes"])
    assert token.ask("POST", SERVER, {}).status == 201
    listed = alice.get("/hub/api/users/alice/tokens").json["api_tokens"]
    assert len(listed) == 1 and "token" not in listed[0] and listed[0]["last_activity"] is not None
    assert alice.get("/hub/api/users/alice/tokens/a1").json == listed[0]
    assert sum_of(token.token) in sums(site), "a token that reaches its user's servers is good at the edge"
    assert token.token not in str(rows(site, "SELECT * FROM tokens")), "only the sum is kept"
    assert alice.delete("/hub/api/users/alice/tokens/a1").status == 204
    assert sum_of(token.token) not in sums(site), "it is gone from the proxy when the answer comes"
    assert token.ask("GET", "/hub/api/user").status == 403
    gone = alice.get("/hub/api/users/alice/tokens/a1")
    assert (gone.status, gone.json["message"]) == (404, "No such token a1 for user alice")
    assert alice.delete("/hub/api/users/alice/tokens/a1").status == 404


def test_a_token_survives_the_hub_and_a_deleted_one_does_not(site):  # noqa: F811
    alice = site.browser("alice")
    kept, ended = make_token(alice)["token"], make_token(alice)
    assert alice.delete(f"/hub/api/users/alice/tokens/{ended['id']}").status == 204
    site.kill_hub()
    site.hub = site.start()
    assert Client(site, kept).ask("GET", "/hub/api/user").status == 200
    assert Client(site, ended["token"]).ask("GET", "/hub/api/user").status == 403
    assert make_token(alice)["id"] == "a3", "an id is never given twice"


def test_a_token_may_end_itself(site):  # noqa: F811
    token = Client(site, make_token(site.browser("alice"))["token"])
    assert token.ask("DELETE", "/hub/api/users/alice/tokens/a1").status == 204
    assert token.ask("GET", "/hub/api/user").status == 403


def test_an_expired_token_is_nobodys(site):  # noqa: F811
    alice = site.browser("alice")
    made = make_token(alice, expires_in=1)
    token = Client(site, made["token"])
    assert made["expires_at"] > made["created"]
    wait_until(lambda: token.ask("GET", "/hub/api/user").status == 403, "its time is over")
    assert alice.get("/hub/api/users/alice/tokens").json == {"api_tokens": []}


@pytest.mark.parametrize("body, message", [
    ("{", "Invalid JSON in body of request"),
    ("[]", "Body must be a JSON dict or empty"),
    ({"scopes": "self"}, "token scopes must be null or a list of strings"),
    ({"scopes": [1]}, "token scopes must be null or a list of strings"),
    ({"roles": {}}, "token roles must be null or a list of strings"),
    ({"roles": ["nothing"]}, "No such role: nothing"),
    ({"roles": ["user"], "scopes": ["self"]}, "Can only assign one of scopes or roles when creating tokens."),
    ({"expires_in": "1"}, "token expires_in must be null or integer"),
    ({"expires_in": 0}, "expires_in must be a positive integer or null, not 0"),
    ({"expires_in": -5}, "expires_in must be a positive integer or null, not -5"),
    ({"scopes": ["write:everything"]}, "Scope 'write:everything' does not exist"),
    ({"scopes": ["read:users!name=x"]}, "there is no filter !name"),
    ({"scopes": ["read:hub"]}, "Not assigning requested scopes read:hub not held by User alice"),
    ({"scopes": ["servers!user=bob"]}, "Not assigning requested scopes delete:servers!user=bob not held by User alice"),
    ({"roles": ["admin"]}, "Not assigning requested scopes access:servers not held by User alice"),
    ({"note": "x" * 1024}, "The note is too long."),
])
def test_a_token_that_asks_for_too_much_or_for_nonsense_is_refused(site, body, message):  # noqa: F811
    alice = site.browser("alice")
    answer = alice.ask("POST", "/hub/api/users/alice/tokens", body, {"Content-Type": "application/json"})
    assert (answer.status, answer.json["message"]) == (400, message)
    assert alice.get("/hub/api/users/alice/tokens").json == {"api_tokens": []}


def test_a_narrow_token_makes_no_wider_one(site):  # noqa: F811
    alice = site.browser("alice")
    narrow = Client(site, make_token(alice, scopes=["tokens!user", "read:servers!user"])["token"])
    assert narrow.ask("POST", "/hub/api/users/alice/tokens", {}).status == 400
    assert narrow.ask("POST", "/hub/api/users/alice/tokens", {"scopes": ["servers!user"]}).status == 400
    made = make_token(narrow, scopes=["read:servers!user"])
    told = Client(site, made["token"]).ask("GET", "/hub/api/user").json
    assert "read:servers!user=alice" in told["scopes"] and "tokens!user=alice" not in told["scopes"]


def test_a_token_for_somebody_else_is_made_by_an_administrator_alone(site):  # noqa: F811
    alice, bob, admin = site.browser("alice"), site.browser("bob"), Client(site, ADMIN)
    refused = alice.post("/hub/api/users/bob/tokens", {})
    assert (refused.status, refused.json["message"]) == (403, "User bob not found or no permissions to generate tokens")
    assert alice.get("/hub/api/users/bob/tokens").status == 404
    nobody = admin.ask("POST", "/hub/api/users/carol/tokens", {})
    assert (nobody.status, nobody.json["message"]) == (
        403, "Service carol not found or no permissions to generate tokens")
    made = make_token(admin, "bob")
    assert made["user"] == "bob" and made["note"] == "Requested via api by service administrator"
    assert Client(site, made["token"]).ask("GET", "/hub/api/user").json["name"] == "bob"
    assert bob.delete(f"/hub/api/users/bob/tokens/{made['id']}").status == 204


def test_a_token_that_may_not_reach_servers_is_not_told_to_the_proxy(site):  # noqa: F811
    alice = site.browser("alice")
    wide, narrow = make_token(alice)["token"], make_token(alice, scopes=["read:users!user"])["token"]
    one = make_token(alice, scopes=["access:servers!server=alice/gpu"])["token"]
    assert sum_of(wide) in sums(site)
    assert sum_of(narrow) not in sums(site) and sum_of(one) not in sums(site)


def test_a_user_has_no_more_tokens_than_the_maximum(site):  # noqa: F811
    alice = site.browser("alice")
    for _ in range(200):
        make_token(alice)
    answer = alice.post("/hub/api/users/alice/tokens", {})
    assert answer.status == 400 and "200 tokens already" in answer.json["message"]
    assert alice.delete("/hub/api/users/alice/tokens/a7").status == 204
    assert make_token(alice)["id"] == "a201"


# ---- scopes ----
# What a token with just these scopes of alice may not be asked for is 403, and of bob 404, whether he is there or not.
SCOPED = [
    ("GET", "/hub/api/users/{}", "read:users:name", "tokens"),
    ("GET", "/hub/api/cygnet/users/{}/former", "admin:users", "read:users"),
    ("POST", "/hub/api/cygnet/users/{}/hand-over", "admin:users", "read:users"),
    ("PATCH", "/hub/api/users/{}", "admin:users", "servers"),
    ("DELETE", "/hub/api/users/{}", "delete:users", "servers"),
    ("GET", "/hub/api/users/{}/server/progress", "read:servers", "tokens"),
    ("GET", "/hub/api/users/{}/server", "read:servers", "tokens"),
    ("POST", "/hub/api/users/{}/server", "start:servers", "read:servers"),
    ("DELETE", "/hub/api/users/{}/server", "delete:servers", "start:servers"),
    ("GET", "/hub/api/users/{}/servers/x", "read:servers", "tokens"),
    ("POST", "/hub/api/users/{}/servers/x", "start:servers", "read:servers"),
    ("DELETE", "/hub/api/users/{}/servers/x", "delete:servers", "start:servers"),
    ("GET", "/hub/api/users/{}/servers/x/progress", "read:servers", "tokens"),
    ("POST", "/hub/api/users/{}/activity", "users:activity", "read:users:activity"),
    ("GET", "/hub/api/users/{}/tokens", "read:tokens", "servers"),
    ("GET", "/hub/api/users/{}/tokens/a1", "read:tokens", "servers"),
    ("DELETE", "/hub/api/users/{}/tokens/a9", "tokens", "read:tokens"),
    ("GET", "/hub/api/cygnet/servers/{}/stat", "read:servers", "tokens"),
    ("GET", "/hub/api/cygnet/servers/{}/x/stat", "read:servers", "tokens"),
    ("GET", "/hub/api/cygnet/servers/{}/spark", "read:servers", "tokens"),
    ("GET", "/hub/api/cygnet/servers/{}/x/spark", "read:servers", "tokens"),
]
# Asked for without a user in the path: the scope that lets, or None where no token of a user does.
PLAIN = [
    ("GET", "/hub/api/info", None),
    ("POST", "/hub/api/shutdown", None),
    ("GET", "/hub/api/cygnet/form", "start:servers"),
    ("POST", "/hub/api/cygnet/last-end/dismiss", "start:servers"),
    ("POST", "/hub/api/cygnet/spark/connect", None),
    ("POST", "/hub/api/cygnet/spark/report", None),
    ("POST", "/hub/api/cygnet/spark/preview", None),
    ("GET", "/hub/api/cygnet/spark/catalogue", None),
]


def test_each_endpoint_wants_its_scope(site):  # noqa: F811
    alice = site.browser("alice")
    site.browser("bob")
    for method, path, scope, other in SCOPED:
        if scope in ("admin:users", "delete:users"):  # no user holds them, not even of themselves
            lacks = Client(site, make_token(alice, scopes=[f"{other}!user"])["token"])
            answer = lacks.ask(method, path.format("alice"))
            assert answer.status == 403 and scope in NOT_HELD.match(answer.json["message"]).group(1), (method, path)
            continue
        held = Client(site, make_token(alice, scopes=[f"{scope}!user"])["token"])
        lacks = Client(site, make_token(alice, scopes=[f"{other}!user"])["token"])
        answer = held.ask(method, path.format("alice"))
        assert answer.status != 403, (method, path, answer)
        for name in ("bob", "nobody"):
            answer = held.ask(method, path.format(name))
            assert (answer.status, answer.json["message"]) == (
                404, "No access to resources or resources not found"), (method, path, name)
        if (method, path) == ("GET", "/hub/api/users/{}"):
            continue  # every token may tell whose it is
        answer = lacks.ask(method, path.format("alice"))
        assert answer.status == 403 and scope in NOT_HELD.match(answer.json["message"]).group(1), (method, path)
    for method, path, scope in PLAIN:
        lacks = Client(site, make_token(alice, scopes=["read:users!user"])["token"])
        assert lacks.ask(method, path).status == 403, (method, path)
        if scope:
            held = Client(site, make_token(alice, scopes=[f"{scope}!user"])["token"])
            assert held.ask(method, path).status in (200, 204), (method, path)


def test_the_table_of_scopes_names_every_endpoint(site):  # noqa: F811
    source = (places.ROOT / "src/hub/api/api.c").read_text()
    source = source.replace("READ_USER,", '"read:users:name",')
    found = {(method, "/hub" + path) for method, path, words in re.findall(r'{ HTTP_(\w+), "(/api/[^"]+)",\s*"([^"]+)"', source)
             if "anyone" not in words and "whoami" not in words}
    named = {(method, path.replace("{}", "{user}").replace("/x", "/{server}").replace("/a1", "/{token}").replace(
        "/a9", "/{token}")) for method, path, *_ in SCOPED + PLAIN}
    # In other words, or of users who are none yet: tests of their own.
    own = {("POST", "/hub/api/users/{user}/tokens"), ("POST", "/hub/api/users/{user}")}
    assert found - own == named


def test_a_model_shows_what_the_scopes_allow(site):  # noqa: F811
    alice = site.browser("alice")
    assert alice.post(SERVER, {}).status == 201
    keys = {
        "read:users:name": {"kind", "name", "admin", "groups"},
        "read:users:activity": {"kind", "name", "admin", "groups", "last_activity"},
        "read:servers": {"kind", "name", "admin", "groups", "servers", "cygnet"},
        "read:users": {"kind", "name", "admin", "roles", "groups", "server", "pending", "created", "last_activity"},
    }
    for scope, expected in keys.items():
        token = Client(site, make_token(alice, scopes=[f"{scope}!user"])["token"])
        assert set(token.ask("GET", "/hub/api/users/alice").json) == expected, scope
        assert set(token.ask("GET", "/hub/api/user").json) == expected | {"token_id", "session_id", "scopes"}


def test_the_administrator_acts_on_the_user_of_the_path(site):  # noqa: F811
    alice, admin = site.browser("alice"), Client(site, ADMIN)
    told = admin.ask("GET", "/hub/api/user").json
    assert (told["kind"], told["name"], told["admin"]) == ("service", "administrator", True)
    assert "admin:users" in told["scopes"] and "shutdown" in told["scopes"]
    assert admin.ask("POST", SERVER, {}).status == 201
    assert record(alice)["ready"] and [s["user"] for s in site.spawner.servers.values()] == ["alice"]
    stamp = "2999-01-01T00:00:00Z"
    late = admin.ask("POST", "/hub/api/users/alice/activity", {"last_activity": stamp})
    assert (late.status, late.json["message"]) == (400, "The date is too far in the future")
    assert admin.ask("GET", "/hub/api/users/alice").json["servers"][""]["ready"]
    assert admin.ask("DELETE", SERVER).status == 204
    wait_state(alice, "stopped")
    missing = admin.ask("GET", "/hub/api/users/carol")
    assert (missing.status, missing.json["message"]) == (404, "No such user: carol")
    for method, path in (("GET", "/hub/home"), ("GET", "/hub/api/cygnet/form")):
        assert admin.ask(method, path).status == 403, "these are a user's"


def test_a_servers_credential_has_the_role_server(site):  # noqa: F811
    alice = site.browser("alice")
    site.browser("bob")
    assert alice.post(SERVER, {}).status == 201
    spec = next(iter(site.spawner.servers.values()))
    fields = {"X-Cygnet-Server": spec["id"], "X-Cygnet-User": "alice"}
    inner = site.browser()
    told = inner.ask("GET", "/hub/api/user", None, fields).json
    assert told["name"] == "alice" and "servers" not in told
    assert told["scopes"] == ["access:servers!server=alice/", "read:users:activity!user=alice",
                              "read:users:groups!user=alice", "read:users:name!user=alice",
                              "users:activity!user=alice"]
    stamp = {"last_activity": "2020-01-01T00:00:00Z"}
    assert inner.ask("POST", "/hub/api/users/alice/activity", stamp, fields).status == 200
    assert inner.ask("POST", "/hub/api/users/bob/activity", stamp, fields).status == 404
    for method, path in (("GET", SERVER), ("POST", SERVER), ("DELETE", SERVER), ("GET", "/hub/api/users/alice/tokens"),
                         ("POST", "/hub/api/users/alice/tokens"), ("GET", "/hub/api/cygnet/form"), ("GET", "/hub/home")):
        assert inner.ask(method, path, None, fields).status == 403, (method, path)


# ---- users ----
def tables_of(site, name):
    """Every row that says the name, by table."""
    found = {}
    with sqlite3.connect(f"file:{site.state}/hub.db?mode=ro", uri=True) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type='table'").fetchall():
            rows = [row for row in db.execute(f"SELECT * FROM {table}") if name in row]
            if rows:
                found[table] = rows
    return found


def user_id(site, name):
    return rows(site, "SELECT id FROM users WHERE name=?", name)[0][0]


def test_the_delete_of_a_user_with_a_running_server_leaves_nothing(site):  # noqa: F811
    alice, admin = site.browser("alice"), Client(site, ADMIN)
    other = site.browser("alice")
    token = Client(site, make_token(alice)["token"])
    assert alice.post(SERVER, {}).status == 201
    spec = next(iter(site.spawner.servers.values()))
    site.spawner.gone(spec, hub_rig.SIGNALLED, 9, "The server was killed by signal 9.")  # an end to keep
    wait_state(alice, "stopped")
    assert alice.post(SERVER, {"user_options": record_options(site)}).status == 201
    assert {"users", "sessions", "servers", "tokens", "choices", "ends"} <= set(tables_of(site, "alice"))
    assert site.proxy.users() == {"alice"} and "/user/alice/" in site.proxy.prefixes()
    assert admin.ask("DELETE", "/hub/api/users/alice").status == 204
    assert not site.spawner.servers, "the server is stopped and gone"
    assert site.proxy.users() == set() and site.proxy.prefixes() == {"/", "/user/"}
    assert not [c for c in site.proxy.tables[-1]["credentials"] if c["user"] == "alice"]
    assert tables_of(site, "alice").keys() == {"formers"}, "that there was such a user, and nothing of theirs"
    for gone in (alice, other):
        assert gone.get("/hub/api/user").status == 403
    assert token.ask("GET", "/hub/api/user").status == 403
    assert admin.ask("DELETE", "/hub/api/users/alice").status == 404
    assert site.hub.process.poll() is None


def record_options(site):  # noqa: F811
    """Any choice of the sample: what is told of the default."""
    form = site.browser("bob").get("/hub/api/cygnet/form").json
    Client(site, ADMIN).ask("DELETE", "/hub/api/users/bob")
    profile = form["profiles"][0]
    return {"profile": profile["id"], "stack": profile["stacks"][0]["id"]}


def test_a_delete_that_takes_long_goes_on_and_can_be_joined(make_site):  # noqa: F811
    site = make_site("--stop-grace", "1s", "--slow-stop", "200ms")
    alice, admin = site.browser("alice"), Client(site, ADMIN)
    assert alice.post(SERVER, {}).status == 201
    held = []
    site.spawner.on_stop = lambda spawner, request, name, _: (spawner.reply(request), held.append(name))
    assert admin.ask("DELETE", "/hub/api/users/alice").status == 202
    assert alice.get("/hub/api/user").status == 403, "sessions end first"
    assert alice.sign_in("alice", site.PASSWORD).status == 403, "nobody signs in to what is going"
    start = admin.ask("POST", SERVER, {})
    assert start.status == 400
    renamed = admin.ask("PATCH", "/hub/api/users/alice", {"name": "anna"})
    assert (renamed.status, renamed.json["message"]) == (400, "alice is being deleted.")
    wait_until(lambda: held, "the spawner is asked")
    for spec in list(site.spawner.servers.values()):
        site.spawner.gone(spec, hub_rig.STOPPED)
    wait_until(lambda: admin.ask("GET", "/hub/api/users/alice").status == 404, "the user is gone")
    assert tables_of(site, "alice").keys() == {"formers"}, "that there was such a user, and nothing of theirs"


def test_a_name_made_again_is_another_user(site):  # noqa: F811
    site.browser("alice")
    admin = Client(site, ADMIN)
    first = user_id(site, "alice")
    assert admin.ask("DELETE", "/hub/api/users/alice").status == 204
    again = admin.ask("POST", "/hub/api/users/alice", {})
    assert again.status == 201 and again.json["name"] == "alice" and again.json["servers"] == {}
    second = user_id(site, "alice")
    assert second > first
    site.browser("alice")  # the first sign-in takes the account
    assert user_id(site, "alice") == second
    assert admin.ask("DELETE", "/hub/api/users/alice").status == 204
    site.kill_hub()
    site.hub = site.start()
    site.browser("alice")
    assert user_id(site, "alice") > second, "not even after a restart"


def test_a_rename_keeps_the_id_and_what_hangs_on_it(site):  # noqa: F811
    alice, admin = site.browser("alice"), Client(site, ADMIN)
    token = Client(site, make_token(alice)["token"])
    before = user_id(site, "alice")
    assert alice.post(SERVER, {}).status == 201
    assert [s["user_id"] for s in site.spawner.servers.values()] == [before], "SPAWN carries it"
    running = admin.ask("PATCH", "/hub/api/users/alice", {"name": "anna"})
    assert (running.status, running.json["message"]) == (
        400, "alice's server is running. Stop it, then rename the user.")
    assert alice.delete(SERVER).status == 204
    answer = admin.ask("PATCH", "/hub/api/users/alice", {"name": "anna"})
    assert answer.status == 200 and answer.json["name"] == "anna"
    assert site.proxy.users() == {"anna"}, "sessions and tokens have the new name before the answer"
    assert user_id(site, "anna") == before and tables_of(site, "alice").keys() <= {"users"}  # her subject there
    for who in (alice.get("/hub/api/user").json, token.ask("GET", "/hub/api/user").json):
        assert who["name"] == "anna"
    assert alice.get("/hub/api/users/alice").status == 404
    assert alice.post("/hub/api/users/anna/server", {}).status == 201
    assert [(s["user"], s["user_id"]) for s in site.spawner.servers.values()] == [("anna", before)]
    site.kill_hub()
    site.hub = site.start()
    assert alice.get("/hub/api/user").json["name"] == "anna" and token.ask("GET", "/hub/api/user").status == 200
    assert site.browser("alice").get("/hub/api/user").json["name"] == "anna", "her provider knows her as before"


@pytest.mark.parametrize("method, name, body, status, message", [
    ("POST", "bob", {}, 409, "User bob already exists"),
    ("POST", "carol", {"what": 1}, 400, "Invalid JSON keys: what"),
    ("POST", "carol", {"admin": "yes"}, 400, "user.admin must be a boolean"),
    ("POST", "carol", "[]", 400, "Invalid JSON in body of request"),
    ("POST", "root", {}, 400, "Failed to create user: root is the name of a system account, or reserved"),
    ("PATCH", "bob", {"name": 1}, 400, "user.name must be a string"),
    ("PATCH", "bob", {"name": "alice"}, 400, "User alice already exists, username must be unique"),
    ("PATCH", "bob", {"name": "root"}, 400, "Invalid username: root"),
    ("PATCH", "nobody", {"name": "x"}, 404, "No such user: nobody"),
    ("DELETE", "nobody", None, 404, "No such user: nobody"),
])
def test_what_cannot_be_done_to_a_user_is_refused_in_jupyterhubs_words(site, method, name, body, status, message):  # noqa: F811
    site.browser("alice")
    site.browser("bob")
    answer = Client(site, ADMIN).ask(method, f"/hub/api/users/{name}", body)
    assert (answer.status, answer.json["message"]) == (status, message)


def test_an_administrator_by_hand_stays_one_and_deletes_others_but_not_themselves(site):  # noqa: F811
    admin, alice = Client(site, ADMIN), site.browser("alice")
    site.browser("bob")
    assert alice.delete("/hub/api/users/bob").status == 403
    assert admin.ask("PATCH", "/hub/api/users/alice", {"admin": True}).json["admin"] is True
    alice = site.browser("alice")  # the provider says nothing about it
    told = alice.get("/hub/api/user").json
    assert told["admin"] is True and told["roles"] == ["admin", "user"] and "admin:users" in told["scopes"]
    assert alice.get("/hub/api/info").status == 200
    assert alice.post("/hub/api/users/bob/server", {}).status == 201
    assert [s["user"] for s in site.spawner.servers.values()] == ["bob"]
    itself = alice.delete("/hub/api/users/alice")
    assert (itself.status, itself.json["message"]) == (400, "Cannot delete yourself!")
    assert alice.delete("/hub/api/users/bob").status == 204 and not site.spawner.servers
    assert admin.ask("PATCH", "/hub/api/users/alice", {"admin": False}).json["admin"] is False
    assert alice.delete("/hub/api/users/carol").status == 403
