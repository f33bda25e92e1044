"""Who did what: a row of each kind, in the turn of what it tells, and `cygnetctl audit` that reads them."""

import contextlib
import json
import os
import sqlite3
import subprocess

import pytest

from lib import hub_rig, places
from lib.bad_disk import Lock
from lib.daemon import wait_until
from lib.hub_rig import make_site, site, wait_state  # noqa: F401  two are fixtures

SERVER = "/hub/api/users/{}/server"
ADMIN = {"Authorization": "token " + "f" * 64}
BY_ADMIN = "service:administrator"


def audit(site, *words, uid=None):
    command = [places.BIN / "cygnetctl", "audit", "--run-dir", site.run, *words]
    if uid is not None:
        command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *command]
    return subprocess.run(command, capture_output=True, text=True)


def rows(site, *words):
    """Oldest first: (actor, action, object, detail)."""
    told = audit(site, *words)
    assert told.returncode == 0, told.stderr
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert [line["id"] for line in lines] == sorted((line["id"] for line in lines), reverse=True)
    return [(line["actor"], line["action"], line["object"], line["detail"]) for line in reversed(lines)]


def brief(site, *words):
    return [row[:3] for row in rows(site, *words)]


def of(site, action):
    return [row for row in rows(site) if row[1] == action]


def admin_asks(site, method, target, body=None):
    return site.browser().ask(method, target, body, ADMIN, cookie=False)


# ---- signing in and out ----
def test_a_first_sign_in_makes_a_user_and_a_session(site):
    alice = site.browser("alice")
    (_, _, _, made), (_, _, _, signed_in) = rows(site)
    assert brief(site) == [("provider:development", "user.make", "user:alice"), ("user:alice", "sign-in", "user:alice")]
    assert made == {"admin": False, "id": 1}
    assert signed_in["provider"] == "development" and signed_in["address"] == "127.0.0.1"
    with contextlib.closing(sqlite3.connect(f"file:{site.state}/hub.db?mode=ro", uri=True)) as db:
        (key,), = db.execute("SELECT sha256 FROM sessions").fetchall()
    assert len(signed_in["session"]) == 12 and key.startswith(signed_in["session"])
    assert alice.cookie not in audit(site).stdout and key not in audit(site).stdout


def test_a_sign_out_and_a_second_sign_in_end_the_session_before(site):
    alice = site.browser("alice")
    assert alice.sign_in("alice", site.PASSWORD).status == 200
    assert alice.post("/hub/logout").status == 200
    told = [(action, detail.get("why")) for _, action, _, detail in rows(site)[1:]]
    assert told == [("sign-in", None), ("sign-out", "signed in again"), ("sign-in", None), ("sign-out", "asked")]
    first, ended, second, out = (row[3]["session"] for row in rows(site)[1:])
    assert first == ended != second == out


def test_a_refused_sign_in_is_told_with_its_cause_and_no_password(site):
    site.browser("alice")
    site.browser().sign_in("alice", "wrong")
    site.browser().sign_in("my secret word", "wrong")  # typed into the wrong field
    site.browser().sign_in("Alice", site.PASSWORD)
    site.browser().sign_in("root", site.PASSWORD)
    told = of(site, "sign-in.refused")
    assert {row[0] for row in told} == {"nobody"}
    assert [(row[2], row[3]["why"], row[3].get("name")) for row in told] == [
        ("user:alice", "password", "alice"), ("", "password", None), ("", "spelling", "Alice"), ("", "reserved", "root")]
    assert {(row[3]["provider"], row[3]["address"]) for row in told} == {("development", "127.0.0.1")}
    assert "wrong" not in audit(site).stdout and site.PASSWORD not in audit(site).stdout


def test_what_anybody_can_send_at_any_rate_writes_no_row(site):
    assert site.browser().sign_in("", "x").status in (400, 403)
    assert site.browser().get("/hub/oauth_callback?state=x").status in (403, 404)
    for _ in range(12):
        site.browser().sign_in("alice", "wrong")
    assert len(of(site, "sign-in.refused")) == 11  # an empty name, and ten before the limit


def test_an_address_is_shown_as_text(site):
    odd = site.browser().ask("POST", "/hub/login", f"username=alice&password={site.PASSWORD.replace(' ', '+')}",
                             {"Content-Type": "application/x-www-form-urlencoded",
                              "X-Forwarded-For": 'x"\\' + "a" * 400})
    assert odd.status == 200
    (_, _, _, signed_in), = of(site, "sign-in")
    assert signed_in["address"] == ('x"\\' + "a" * 400)[:200]


# ---- tokens ----
def test_a_token_is_told_by_its_id_and_by_whom(site):
    alice = site.browser("alice")
    made = alice.post("/hub/api/users/alice/tokens", {"expires_in": 3600}).json
    other = admin_asks(site, "POST", "/hub/api/users/alice/tokens").json
    with_token = {"Authorization": f"token {made['token']}"}
    assert site.browser().ask("DELETE", "/hub/api/users/alice/tokens/a2", None, with_token, cookie=False).status == 204
    assert site.browser().ask("DELETE", "/hub/api/users/alice/tokens/a1", None, with_token, cookie=False).status == 204
    told = [row for row in rows(site) if row[1].startswith("token.")]
    assert told == [
        ("user:alice", "token.make", "token:a1", {"expires": made["expires_at"], "user": "alice"}),
        (BY_ADMIN, "token.make", "token:a2", {"expires": None, "user": "alice"}),
        ("user:alice", "token.delete", "token:a2", {"user": "alice", "with_token": "a1"}),
        ("user:alice", "token.delete", "token:a1", {"user": "alice", "with_token": "a1"})]
    for token in (made, other):
        assert token["token"] not in audit(site).stdout


# ---- users ----
def test_a_user_is_made_changed_renamed_and_deleted_by_somebody(site):
    assert admin_asks(site, "POST", "/hub/api/users/carol").status == 201
    assert admin_asks(site, "PATCH", "/hub/api/users/carol", {"admin": True}).status == 200
    assert admin_asks(site, "PATCH", "/hub/api/users/carol", {"admin": True}).status == 200  # changes nothing
    assert admin_asks(site, "PATCH", "/hub/api/users/carol", {"name": "caro"}).status == 200
    assert admin_asks(site, "DELETE", "/hub/api/users/caro").status == 204
    assert rows(site) == [
        (BY_ADMIN, "user.make", "user:carol", {"admin": False, "id": 1}),
        (BY_ADMIN, "user.admin", "user:carol", {"admin": True, "id": 1}),
        (BY_ADMIN, "user.rename", "user:caro", {"from": "carol", "id": 1}),
        (BY_ADMIN, "user.delete", "user:caro", {"id": 1})]


def test_what_is_refused_writes_no_row(site):
    bob = site.browser("bob")
    before = len(rows(site))
    assert bob.ask("POST", "/hub/api/users/carol", {}).status == 403
    assert admin_asks(site, "POST", "/hub/api/users/bob").status == 409
    assert admin_asks(site, "PATCH", "/hub/api/users/bob", {"name": "A b"}).status == 400
    assert bob.post("/hub/api/users/bob/tokens", {"scopes": ["admin:users"]}).status == 400
    assert len(rows(site)) == before


def test_a_deletion_tells_of_all_that_it_ends(site):
    bob = site.browser("bob")
    assert bob.post("/hub/api/users/bob/tokens", {}).status == 201
    assert bob.post(SERVER.format("bob"), {}).status == 201
    assert admin_asks(site, "DELETE", "/hub/api/users/bob").status == 204
    assert brief(site)[-4:] == [
        (BY_ADMIN, "sign-out", "user:bob"), (BY_ADMIN, "token.delete", "token:a1"),
        (BY_ADMIN, "server.stop", "server:bob/"), (BY_ADMIN, "user.delete", "user:bob")]


# ---- servers ----
def test_a_server_is_started_and_stopped_by_somebody(site):
    alice = site.browser("alice")
    assert alice.post(SERVER.format("alice"), {}).status == 201
    assert admin_asks(site, "DELETE", SERVER.format("alice")).status == 204
    start, stop = (row for row in rows(site) if row[1].startswith("server."))
    spec, = site.spawner.specs.values()
    assert start[:3] == ("user:alice", "server.start", "server:alice/")
    assert start[3] == {"id": spec["id"], "profile": "standard", "template": spec["template"], "stack": spec["stack"]}
    assert stop == (BY_ADMIN, "server.stop", "server:alice/",
                    {"id": spec["id"], "was": "running", "why": "stopped", "message": "Stopped as asked."})


def test_an_end_that_nobody_asked_for_is_the_hubs(site):
    alice = site.browser("alice")
    site.spawner.on_spawn = lambda spawner, spec: spawner.gone(spec, hub_rig.SETUP, message="no\x1b[31m\xe9")
    assert alice.post(SERVER.format("alice"), {}).status == 500
    wait_state(alice, "stopped")
    actor, _, name, detail = of(site, "server.stop")[0]
    assert (actor, name, detail["was"], detail["why"]) == ("hub", "server:alice/", "starting", "start_failed")
    assert detail["message"] == "no?[31m??"


def test_an_end_of_the_service_tells_who_stopped_the_servers(site):
    alice = site.browser("alice")
    assert alice.post(SERVER.format("alice"), {}).status == 201
    assert admin_asks(site, "POST", "/hub/api/shutdown", {"servers": True}).status == 202
    assert site.hub.wait_exit() == 0
    site.hub = site.start()
    assert [row[0] for row in of(site, "server.stop")] == [BY_ADMIN]


# ---- the turn ----
def test_a_turn_that_fails_leaves_no_row_and_loses_none_of_what_happened(make_site, tmp_path):
    disk = Lock()
    disk.prepare(tmp_path / "state")
    site = make_site("--stop-grace", "1s")
    alice = site.browser("alice")
    assert alice.post(SERVER.format("alice"), {}).status == 201
    before = len(rows(site))
    disk.begin()
    try:
        assert site.browser().sign_in("bob", site.PASSWORD).status == 503
        assert alice.post("/hub/api/users/alice/tokens", {}).status == 503
        assert admin_asks(site, "POST", "/hub/api/users/carol").status == 503
        assert site.browser().sign_in("alice", "wrong").status == 403
        assert alice.delete(SERVER.format("alice")).status == 204
        assert len(rows(site)) == before
    finally:
        disk.end()
    site.hub.wait_line("store: can be written again")
    assert alice.post("/hub/api/users/alice/tokens", {}).status == 201
    wait_until(lambda: len(rows(site)) == before + 3, "what happened is written")
    assert sorted(brief(site)[before:]) == [
        ("nobody", "sign-in.refused", "user:alice"), ("user:alice", "server.stop", "server:alice/"),
        ("user:alice", "token.make", "token:a1")]


# ---- reading ----
def test_the_audit_is_read_by_user_and_by_time(site):
    alice, _ = site.browser("alice"), site.browser("bob")
    assert alice.post("/hub/api/users/alice/tokens", {}).status == 201
    assert alice.post(SERVER.format("alice"), {}).status == 201
    assert admin_asks(site, "POST", "/hub/api/users/al").status == 201
    assert admin_asks(site, "PATCH", "/hub/api/users/al", {"name": "alan"}).status == 200
    assert [row[1] for row in rows(site, "--user", "alice")] == ["user.make", "sign-in", "token.make", "server.start"]
    assert [row[1] for row in rows(site, "--user", "bob")] == ["user.make", "sign-in"]
    assert [row[1] for row in rows(site, "--user", "al")] == ["user.make", "user.rename"]
    assert rows(site, "--user", "nobody") == []
    assert rows(site, "--since", "24h") == rows(site)


def test_many_rows_are_read_page_by_page_and_old_ones_not_at_all(site):
    site.browser("alice")
    day = 24 * 3600 * 1000 * 1000
    with contextlib.closing(sqlite3.connect(site.state / "hub.db", timeout=60)) as db:
        (now,), = db.execute("SELECT max(at) FROM audit").fetchall()
        db.executemany("INSERT INTO audit (at, actor, action, object, detail) VALUES (?, 'user:bob', 'x', '', ?)",
                       [(now - 2 * day, json.dumps({"text": "y" * 1000}))] * 1200)
        db.commit()
    assert len(rows(site)) == 1202
    assert len(rows(site, "--since", "72h")) == 1202
    site.browser("alice")
    assert [row[1] for row in rows(site, "--since", "24h")] == ["sign-in"]  # ends with a page that is older


def test_old_rows_go_when_the_site_says_so(make_site):
    site = make_site()
    site.browser("alice")
    day = 24 * 3600 * 1000 * 1000
    with contextlib.closing(sqlite3.connect(site.state / "hub.db", timeout=60)) as db:
        (now,), = db.execute("SELECT max(at) FROM audit").fetchall()
        db.executemany("INSERT INTO audit (at, actor, action, object, detail) VALUES (?, 'hub', ?, '', '{}')",
                       [(now - 40 * day, "old"), (now - 20 * day, "young")])
        db.commit()
    kept = [row[1] for row in rows(site)]
    site.browser("alice")
    for options, expected in (([], kept), (["--audit-keep", "1h"], [action for action in kept if action != "old"])):
        site.hub.stop()
        site.options[:] = options
        site.hub = site.start()
        wait_until(lambda: [row[1] for row in rows(site)][:-1] == expected, "what is old is gone")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another uid")
def test_another_uid_may_not_read_it(site):
    path = site.run / "hub/control.sock"
    for folder in (site.run, site.run / "hub"):
        folder.chmod(0o755)
    path.chmod(0o666)
    refused = audit(site, uid=65534)
    assert refused.returncode == 1 and "403" in refused.stderr and refused.stdout == ""


def test_a_page_that_is_no_number_is_refused(site):
    control = hub_rig.Browser(site.run / "hub/control.sock")
    for before in ("0", "-1", "x", "99999999999999999999"):
        assert control.get(f"/audit?before={before}", cookie=False).status == 400, before
    assert control.get("/audit?before=1", cookie=False).text == ""
