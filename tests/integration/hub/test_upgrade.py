"""A state folder of an earlier version (tests/fixtures/upgrade, made once by make.py there) opens with the hub of today."""

import contextlib
import json
import shutil
import sqlite3

import pytest

from lib import places
from lib.hub_rig import make_site, record  # noqa: F401  a fixture

FIXTURE = places.ROOT / "tests/fixtures/upgrade"


@pytest.fixture
def site(tmp_path, make_site):
    (tmp_path / "state").mkdir()
    shutil.copy(FIXTURE / "hub.db", tmp_path / "state/hub.db")
    return make_site("--stop-grace", "1s")


def rows(db, sql):
    with contextlib.closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as opened:
        return opened.execute(sql).fetchall()


def browsers(site):
    for name, cookie in json.loads((FIXTURE / "facts.json").read_text())["cookies"].items():
        browser = site.browser()
        browser.cookie = cookie
        yield name, browser


def test_the_fixture_is_of_a_version_without_ids():
    assert rows(FIXTURE / "hub.db", "PRAGMA user_version") == [(2,)]
    assert "id" not in {row[1] for row in rows(FIXTURE / "hub.db", "PRAGMA table_info(users)")}


def test_users_sessions_servers_and_choices_are_kept(site):
    for name, browser in browsers(site):
        assert browser.get("/hub/api/user").json["name"] == name
    before, after = FIXTURE / "hub.db", site.state / "hub.db"
    for table, columns in (("users", "name, provider, subject, admin, created"), ("sessions", "*"), ("servers", "*"),
                           ("choices", "*"), ("ends", "*"), ("stage_times", "*"), ("intents", "*")):
        sql = f"SELECT {columns} FROM {table} ORDER BY 1"
        assert rows(after, sql) == rows(before, sql), table
    assert rows(after, "SELECT id, name FROM users ORDER BY id") == [(1, "alice"), (2, "bob")]
    assert rows(after, "PRAGMA integrity_check") == [("ok",)] and rows(after, "PRAGMA foreign_key_check") == []


def test_what_was_upgraded_works_and_opens_again(site):
    (_, alice), (_, bob) = browsers(site)
    assert alice.post("/hub/api/users/alice/server", {}).status == 201
    assert bob.post("/hub/logout").status == 200
    site.browser("carol")
    site.kill_hub()
    site.hub = site.start()
    assert record(alice)["ready"] and bob.get("/hub/api/user").status == 403
    assert rows(site.state / "hub.db", "SELECT id, name FROM users ORDER BY id") == [
        (1, "alice"), (2, "bob"), (3, "carol")]
