"""Sign-in by OpenID Connect: who gets in, and whose account it is."""

import json
import sqlite3

import pytest

from lib.oidc_rig import (  # noqa: F401  make_site, provider, site: fixtures
    answer, come, error_of, make_site, provider, refused, site, user,
)


def roles(*names):
    return {"resource_access": {"cygnet.hub": {"roles": list(names)}}}


GATE = "allowed-groups: [users, admins]\nadmin-groups: [admins]"


def test_somebody_outside_the_groups_is_refused(make_site, provider):
    site = make_site(GATE)
    for groups in ({}, roles(), roles("Users", "user", "users "), {"resource_access": {"cygnet": {"hub": ["users"]}}}):
        provider.person = {"sub": "1", "preferred_username": "mallory", **groups}
        assert refused(site) == "group"
    provider.person = {"sub": "2", "preferred_username": "alice", **roles("users")}
    person, answer = come(site)
    assert answer.headers["Location"] == "/hub/spawn"
    assert (user(person).json["groups"], user(person).json["admin"]) == (["users"], False)
    assert audit(site, "sign-in.refused")[0][:2] == ("nobody", "")
    assert [json.loads(row[2])["name"] for row in audit(site, "sign-in.refused")] == ["mallory"] * 4


def audit(site, action):
    with sqlite3.connect(f"file:{site.state}/hub.db?mode=ro", uri=True) as db:
        return db.execute("SELECT actor, object, detail FROM audit WHERE action=? ORDER BY id", (action,)).fetchall()


def test_groups_are_replaced_at_each_sign_in(make_site, provider):
    site = make_site(GATE)
    provider.person.update(roles("users", "admins", "teachers"))
    person, _ = come(site)
    assert user(person).json["admin"] and sorted(user(person).json["groups"]) == ["admins", "teachers", "users"]
    provider.person.update(roles("users"))
    person, _ = come(site)
    assert (user(person).json["groups"], user(person).json["admin"]) == (["users"], False)
    (actor, name, _), = audit(site, "user.make")
    assert (actor.split(":")[0], name) == ("provider", "user:alice")
    assert [row[0] for row in audit(site, "user.admin")] == [actor]


def test_groups_decide_what_is_offered(make_site, provider):
    site = make_site()
    provider.person.update(roles("teachers"))
    person, _ = come(site)
    offered = {p["id"]: p for p in person.get("/hub/api/cygnet/form").json["profiles"]}
    assert offered["course"]["available"]
    provider.person = {"sub": "2", "preferred_username": "bob"}
    bob, _ = come(site)
    offered = {p["id"]: p for p in bob.get("/hub/api/cygnet/form").json["profiles"]}
    assert (offered["course"]["available"], offered["course"]["reason"]) == (False, "Needs the group teachers.")
    course = {"profile": "course", "stack": "2026a", "cores": 1, "memory_mb": 1024}
    assert bob.post("/hub/api/users/bob/server", course).status == 403
    assert person.post("/hub/api/users/alice/server", course).status == 201


def test_two_people_never_share_an_account(site, provider):
    come(site)
    for name in ("alice", "Alice", "ALICE"):
        provider.person = {"sub": "another", "preferred_username": name}
        assert error_of(come(site)[1]) == "account"
    assert site.browser("bob").get("/hub/api/user").json["name"] == "bob"
    provider.person = {"sub": "bob", "preferred_username": "bob"}
    assert error_of(come(site)[1]) == "account"


def test_an_account_stays_its_owners_whatever_the_name_becomes(site, provider):
    come(site)
    provider.person["preferred_username"] = "alice-married"
    person, _ = come(site)
    assert user(person).json["name"] == "alice"


@pytest.mark.parametrize("name", [None, "", 7, ["alice"], "a" * 33, "../etc", "a b", "al\u0131ce", "a@b", "-a", "a\n", "root/"])
def test_a_name_that_cannot_be_used_is_refused_not_mended(site, provider, name):
    provider.person = {"sub": "1", "preferred_username": name}
    assert refused(site) == "name"


def test_a_system_accounts_name_from_a_provider_makes_no_account(site, provider):
    provider.person = {"sub": "clever", "preferred_username": "root"}
    assert refused(site) == "reserved"


def test_an_account_is_not_lost_when_its_name_becomes_a_system_accounts(site, provider):
    come(site)
    provider.person = {**provider.person, "preferred_username": "daemon"}
    assert user(come(site)[0]).json["name"] == "alice"


def test_only_known_people_get_in_where_accounts_are_not_made(make_site):
    site = make_site(options=["--create-users", "false"])
    assert refused(site) == "account"
