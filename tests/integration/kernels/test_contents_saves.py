"""Saves: what is written and kept, full disks, permissions, groups; trust in notebooks."""

import contextlib
import json
import os
import sqlite3
import stat
import subprocess

import pytest

from lib import places
from lib.contents_rig import (  # noqa: F401  server: fixture
    MODEL_KEYS, Server, as_root, file_system, notebook, server, side_by_side,
)


def code(source, outputs=(), **metadata):
    return {"cell_type": "code", "id": "c1", "metadata": metadata, "source": source, "outputs": list(outputs),
            "execution_count": None}


RICH = {"output_type": "display_data", "data": {"text/html": "<b>x</b>"}, "metadata": {}}


def test_notebooks_are_joined_marked_and_saved_as_nbformat_writes_them(server):
    file = server.write("n.ipynb", json.dumps(notebook(code(["a\n", "b"], [RICH]))).encode())
    model = server.contents("GET", "n.ipynb").json
    cell = model["content"]["cells"][0]
    assert (cell["source"], cell["metadata"], model["format"]) == ("a\nb", {"trusted": False}, "json")
    saved = server.contents("PUT", "n.ipynb", {"type": "notebook", "format": "json", "content": model["content"]})
    assert saved.status == 200 and set(saved.json) == MODEL_KEYS and saved.json["content"] is None
    wanted = notebook(code(["a\n", "b"], [{**RICH, "data": {"text/html": ["<b>x</b>"]}}]))
    assert file.read_text() == json.dumps(wanted, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert (server.root / ".ipynb_checkpoints/n-checkpoint.ipynb").read_bytes() == file.read_bytes()


def test_what_is_no_notebook_opens_as_an_error_and_is_never_written_over(server):
    file = server.write("bad.ipynb", b'{"cells": [\n  {"source": oops}\n]}')
    opened = server.contents("GET", "bad.ipynb")
    assert opened.status == 400 and "line 2 column 14" in opened.json["message"]
    saved = server.contents("PUT", "bad.ipynb", {"type": "notebook", "content": notebook()})
    assert saved.status == 409 and "line 2 column 14" in saved.json["message"]
    assert file.read_bytes() == b'{"cells": [\n  {"source": oops}\n]}'


def test_an_invalid_notebook_is_saved_and_the_message_says_what_is_wrong(server):
    broken = notebook({**code("x"), "extra": 1})
    saved = server.contents("PUT", "n.ipynb", {"type": "notebook", "content": broken})
    assert saved.status == 201 and "validation failed" in saved.json["message"] and "extra" in saved.json["message"]
    assert "validation failed" in server.contents("GET", "n.ipynb").json["message"]


def test_saving_keeps_mode_links_and_hard_links(server):
    file = server.write("t.sh", b"old")
    file.chmod(0o750)
    os.symlink("t.sh", server.root / "link.sh")
    assert server.put_text("link.sh", "new").status == 200
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o750)
    assert (server.root / "link.sh").is_symlink()
    os.link(file, server.root / "second.sh")
    assert server.put_text("t.sh", "newer").status == 200
    assert (server.root / "second.sh").read_text() == "newer"
    assert sorted(path.name for path in server.root.iterdir()) == ["link.sh", "second.sh", "t.sh"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who is refused")
def test_permissions_are_answered_with_403_and_shown_as_writable(daemons, tmp_path):
    server = Server(daemons, tmp_path, as_uid=65534)
    file = server.write("mine.txt", b"root's")
    assert server.contents("GET", "mine.txt").json["writable"] is False
    refused = server.put_text("mine.txt", "new")
    assert (refused.status, refused.json["message"]) == (403, "Permission denied: mine.txt")
    file.chmod(0o600)
    assert server.contents("GET", "mine.txt").status == 403
    os.chmod(server.root, 0o555)
    assert server.put_text("new.txt", "x").status == 403
    assert server.contents("DELETE", "mine.txt").status == 403
    assert file.read_bytes() == b"root's"


@as_root("mount a small file system")
def test_a_full_disk_is_said_and_loses_nothing(daemons, tmp_path):
    with file_system(tmp_path / "root", "256k"):
        server = Server(daemons, tmp_path)
        assert server.put_text("t.txt", "precious").status == 201
        os.link(server.root / "t.txt", server.root / "second.txt")
        for path in ("t.txt", "new.txt"):
            full = server.put_text(path, "x" * 400_000)
            assert full.status == 507 and "space" in full.json["message"] and "Nothing was changed" in full.json["message"]
        assert (server.root / "second.txt").read_text() == "precious"
        assert sorted(path.name for path in server.root.iterdir()) == ["second.txt", "t.txt"]
        server.program.stop()


@as_root("mount a small file system and become somebody else")
def test_a_full_disk_loses_nothing_where_no_copy_can_be_made(daemons, tmp_path):
    with file_system(tmp_path / "root", "256k"):
        server = Server(daemons, tmp_path, as_uid=65534)
        file = server.write("t.txt", b"precious" * 1000)
        file.chmod(0o666)
        os.chown(server.root, 0, 0)
        server.root.chmod(0o755)
        assert server.put_text("t.txt", "shorter").status == 200
        full = server.put_text("t.txt", "x" * 400_000)
        assert full.status == 507 and file.read_text() == "shorter"
        server.program.stop()


@as_root("mount a small file system")
def test_a_full_disk_has_no_room_for_the_trash(daemons, tmp_path):
    with file_system(tmp_path / "home", "64k"):
        (tmp_path / "home/root").mkdir()
        os.symlink("home/root", tmp_path / "root")
        server = Server(daemons, tmp_path)
        server.write("t.txt", b"x")
        server.trash.mkdir(parents=True)
        (server.trash / "files").mkdir()
        (server.trash / "info").mkdir()
        with contextlib.suppress(OSError), open(server.home / "fill", "wb", buffering=0) as fill:
            while True:
                fill.write(b"x" * 4096)
        refused = server.contents("DELETE", "t.txt")
        assert refused.status == 507 and f"rm -rf {server.trash}/*" in refused.json["message"]
        assert (server.root / "t.txt").exists() and os.listdir(server.trash / "info") == []
        server.program.stop()


def test_saves_at_the_same_time_do_not_get_mixed(server):
    texts = [f"{i} " * (1000 + i * 20_000) for i in range(8)]
    file = server.write("t.txt", b"old")
    os.link(file, server.root / "second.txt")
    for _ in range(5):
        assert {answer.status for answer in side_by_side(lambda text: server.put_text("t.txt", text), texts)} == {200}
        assert (server.root / "second.txt").read_text() in texts
    assert sorted(path.name for path in server.root.iterdir()) == ["second.txt", "t.txt"]


def test_what_an_earlier_death_left_of_a_file_is_not_written_over(server):
    file = server.write("t.txt", b"half")
    os.link(file, server.root / "second.txt")
    server.write(".~t.txt", b"whole")
    assert server.put_text("t.txt", "new").status == 200
    assert (server.root / "second.txt").read_text() == "new" and (server.root / ".~t.txt").read_text() == "whole"
    assert sorted(path.name for path in server.root.iterdir()) == [".~t.txt", "second.txt", "t.txt"]


@as_root("give files to groups")
def test_saving_keeps_the_group_in_a_folder_that_gives_its_own(server):
    server.root.chmod(0o2755)
    os.chown(server.root, -1, 4321)
    file = server.write("t.txt", b"old")
    os.chown(file, -1, 0)
    file.chmod(0o660)
    assert server.put_text("t.txt", "new").status == 200
    assert (file.read_text(), file.stat().st_gid, stat.S_IMODE(file.stat().st_mode)) == ("new", 0, 0o660)


@as_root("give files to groups")
def test_saving_keeps_a_group_that_the_user_may_not_give(daemons, tmp_path):
    server = Server(daemons, tmp_path, as_uid=65534)
    file = server.write("t.txt", b"old")
    os.chown(file, 65534, 4321)
    file.chmod(0o660)
    assert server.put_text("t.txt", "new").status == 200
    assert (file.read_text(), file.stat().st_gid, stat.S_IMODE(file.stat().st_mode)) == ("new", 4321, 0o660)
    assert [path.name for path in server.root.iterdir()] == ["t.txt"]


def test_links_in_a_circle_are_refused_and_stay(server):
    os.symlink("b", server.root / "a")
    os.symlink("a", server.root / "b")
    refused = server.put_text("a", "x")
    assert refused.status == 400 and "circle" in refused.json["message"]
    assert (server.root / "a").is_symlink() and (server.root / "b").is_symlink()


def test_trust_is_shared_with_nbformat(server):
    server.contents("PUT", "n.ipynb", {"type": "notebook", "content": notebook(code("x", [RICH], trusted=True))})
    assert server.contents("GET", "n.ipynb").json["content"]["cells"][0]["metadata"]["trusted"] is True
    script = ("import nbformat, sys; from nbformat.sign import NotebookNotary\n"
              "n = NotebookNotary(data_dir=sys.argv[1]); b = nbformat.read(sys.argv[2], 4)\n"
              "print(n.check_signature(b)); b.cells[0].source = 'y'; nbformat.write(b, sys.argv[3]); n.sign(b)\n")
    out = subprocess.run([places.prefix("jupyter") / "bin/python", "-c", script, server.data, server.root / "n.ipynb",
                          server.root / "m.ipynb"], check=True, capture_output=True, text=True,
                         env={**os.environ, "HOME": str(server.home)}).stdout
    assert out == "True\n"
    assert server.contents("GET", "m.ipynb").json["content"]["cells"][0]["metadata"]["trusted"] is True
    assert stat.S_IMODE((server.data / "notebook_secret").stat().st_mode) == 0o600


def test_an_untrusted_notebook_becomes_trusted_by_asking(server):
    server.write("n.ipynb", json.dumps(notebook(code("x", [RICH]))).encode())
    assert server.contents("GET", "n.ipynb").json["content"]["cells"][0]["metadata"]["trusted"] is False
    assert server.contents("POST", "n.ipynb/trust").status == 201
    assert server.contents("GET", "n.ipynb").json["content"]["cells"][0]["metadata"]["trusted"] is True


def test_a_broken_trust_database_costs_no_save(server):
    server.data.mkdir(parents=True)
    (server.data / "nbsignatures.db").write_bytes(b"this is no database" * 100)
    saved = server.contents("PUT", "n.ipynb", {"type": "notebook", "content": notebook(code("x"))})
    assert saved.status == 201 and (server.data / "nbsignatures.db.bak").exists()
    with sqlite3.connect(server.data / "nbsignatures.db") as db:
        assert db.execute("SELECT count(*) FROM nbsignatures").fetchone() == (1,)


def test_a_trust_database_that_is_in_use_stays(server):
    server.data.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(server.data / "nbsignatures.db", isolation_level=None)) as db:
        db.execute("CREATE TABLE other (x)")
        db.execute("BEGIN EXCLUSIVE")
        saved = server.contents("PUT", "n.ipynb", {"type": "notebook", "content": notebook(code("x"))})
        assert saved.status == 201 and not (server.data / "nbsignatures.db.bak").exists()
