"""Whose uid and home a server gets: by the user's id, through renames, deletions, crashes and an upgrade."""

import os

from lib import spawn
from lib.spawn_rig import ROOT, ask, needs_root, site_of, spawner  # noqa: F401  spawner: fixture

@needs_root
def test_uid_of_a_user_stays(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    first = {}
    for user in ("alice", "bob"):
        one = run.hub.spawn(user=user)
        first[user] = ask(run.site, one, "os.getuid()")
        ask(run.site, one, "open('kept', 'w').write('x')")
        run.hub.stop(one)
    run.end()
    run.go()
    two = run.hub.spawn(user="bob")
    assert ask(run.site, two, "os.getuid()") == first["bob"]
    assert ask(run.site, two, "open('kept').read()") == "x"
    run.hub.stop(two)
    run.end()


def home_of(site, name):
    return site.state / "homes" / name


def test_rename_keeps_uid_and_home(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn(user="alice", user_id=1)
    uid = ask(run.site, one, "os.getuid()")
    ask(run.site, one, "open('kept', 'w').write('x')")
    run.hub.stop(one)
    two = run.hub.spawn(user="alicia", user_id=1)
    assert ask(run.site, two, "(os.getuid(), os.getcwd(), open('kept').read())") == f"({uid}, '/home/alicia', 'x')"
    assert not home_of(run.site, "alicia").exists()
    run.hub.stop(two)
    run.end()


def test_name_made_again_gets_a_new_uid_and_an_empty_home(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn(user="alice", user_id=1)
    uid = ask(run.site, one, "os.getuid()")
    ask(run.site, one, "open('mine', 'w').write('x')")
    run.hub.stop(one)
    run.end()
    run.go()
    two = run.hub.spawn(user="alice", user_id=2)
    assert ask(run.site, two, "os.listdir('.')") == "[]"
    assert (ask(run.site, two, "os.getuid()") != uid) == ROOT
    assert home_of(run.site, "alice~2").exists() and (home_of(run.site, "alice") / "mine").exists()
    run.hub.stop(two)
    run.end()


def hand_over(run, old, new, name=""):
    return run.hub.ask(spawn.HAND_OVER, old, new, 7, name, "alice")


def test_home_is_handed_over_while_nobody_is_in_it(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    one = run.hub.spawn(user="alice", user_id=1)
    uid = ask(run.site, one, "os.getuid()")
    ask(run.site, one, "open('mine', 'w').write('x')")
    assert "must be stopped" in hand_over(run, 1, 2).message
    run.hub.stop(one)
    two = run.hub.spawn(user="alice", user_id=2)
    assert "must be stopped" in hand_over(run, 1, 2).message
    run.hub.stop(two)
    assert hand_over(run, 1, 2).code == 0
    assert "has no uid and no home" in hand_over(run, 1, 2).message
    run.kill()
    run.go()
    two = run.hub.spawn(user="alice", user_id=2)
    assert ask(run.site, two, "(os.getuid(), open('mine').read())") == f"({uid}, 'x')"
    run.hub.stop(two)
    run.end()


@needs_root
def test_records_by_name_are_taken_over_by_the_accounts_of_that_time(spawner, tmp_path):
    """Also where a name has passed to another account before either started."""
    site = site_of(tmp_path)
    (site.state / "spawner").mkdir(parents=True)
    (site.state / "spawner/uids").write_text("200000 alice\n200001 bob\n200002 carol\n")
    for uid, name in enumerate(("alice", "bob", "carol"), 200000):
        home_of(site, name).mkdir(parents=True, mode=0o700)
        (home_of(site, name) / "of").write_text(name)
        os.chown(home_of(site, name), uid, uid)
    for path in (site.state, site.state / "homes"):
        path.chmod(0o711)
    run = spawner(site)
    for user, user_id, before, uid, words in (("alice", 2, "bob", 200001, "['of']"), ("alicia", 1, "alice", 200000, "['of']"),
                                              ("carol", 9, "", 200003, "[]")):
        one = run.hub.spawn(user=user, user_id=user_id, name_before=before)
        assert ask(site, one, "(os.getuid(), os.listdir('.'))") == f"({uid}, {words})"
        run.hub.stop(one)
    assert hand_over(run, 0, 9, "carol").code == 0
    run.end()


@needs_root
def test_crash_between_record_and_home_gives_the_same_home(spawner, tmp_path):
    site = site_of(tmp_path)
    (site.state / "spawner").mkdir(parents=True)
    (site.state / "spawner/uids").write_text("200005 alice 1 alice 7\n200006 bob 2 b")
    site.state.chmod(0o711)
    run = spawner(site)
    for user, user_id, uid in (("alice", 1, 200005), ("bob", 2, 200006)):
        one = run.hub.spawn(user=user, user_id=user_id)
        assert ask(site, one, "os.getuid()") == str(uid) and home_of(site, user).exists()
        run.hub.stop(one)
    run.end()


def test_id_of_another_database_is_refused(spawner, tmp_path):
    run = spawner(site_of(tmp_path))
    run.hub.stop(run.hub.spawn(user="alice", user_id=1))
    assert "not the one that these homes belong to" in run.hub.spawn(user="bob", user_id=1, user_made=8).message
    run.end()
