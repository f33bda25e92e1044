"""The contents API over HTTP, as JupyterLab uses it."""

import base64
import concurrent.futures
import contextlib
import gzip
import hashlib
import json
import mimetypes
import os
import pathlib
import signal
import sqlite3
import stat
import subprocess
import time
import urllib.parse

import pytest
from lib import places, slow_disk, web
from lib.agent import Agent
from lib.daemon import wait_until

BASE = "/user/alice/"
MODEL_KEYS = {"name", "path", "type", "created", "last_modified", "mimetype", "content", "format", "size",
              "writable", "hash", "hash_algorithm"}


class Server:
    def __init__(self, daemons, tmp, trash=True, as_uid=None):
        self.root, self.home = tmp / "root", tmp / "home"
        for folder in (self.root, self.home):
            folder.mkdir(exist_ok=True)
            if as_uid is not None:
                os.chown(folder, as_uid, as_uid)
        self.data = self.home / ".local/share/jupyter"
        self.trash = self.home / ".local/share/Trash"
        self.program = daemons.start(["contents_server", BASE, self.root, self.data, self.trash if trash else "-",
                                      places.prefix("jupyter"), self.home], as_uid=as_uid)
        self.address = ("127.0.0.1", int(self.program.wait_line(r"listening (\d+)").group(1)))

    def ask(self, method, path, body=None, headers=None):
        data = json.dumps(body) if isinstance(body, (dict, list)) else body
        answer = web.request(self.address, method, BASE + path, data, headers)
        answer.json = None
        is_json = answer.getheader("Content-Type") == "application/json"
        if is_json and answer.data and not answer.getheader("Content-Encoding"):
            answer.json = json.loads(answer.data)
        return answer

    def contents(self, method, path, body=None, query=""):
        return self.ask(method, "api/contents/" + urllib.parse.quote(path) + query, body)

    def put_text(self, path, text):
        return self.contents("PUT", path, {"type": "file", "format": "text", "content": text})

    def write(self, path, data):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file


@pytest.fixture
def server(daemons, tmp_path):
    return Server(daemons, tmp_path)


def notebook(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def code(source, outputs=(), **metadata):
    return {"cell_type": "code", "id": "c1", "metadata": metadata, "source": source, "outputs": list(outputs),
            "execution_count": None}


def as_root(why):
    return pytest.mark.skipif(os.geteuid() != 0, reason=f"only root can {why}")


@contextlib.contextmanager
def file_system(folder, size="16m"):
    """A small file system of its own; what is in it must be closed when it goes."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def side_by_side(work, items):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(work, items))


RICH = {"output_type": "display_data", "data": {"text/html": "<b>x</b>"}, "metadata": {}}


def test_models_have_all_keys_and_folders_list_their_children(server):
    server.write("b.txt", b"text")
    server.write("sub/x", b"")
    server.write("n.ipynb", b"{}")
    server.write(".hidden", b"")
    server.write("__pycache__/x.pyc", b"")
    os.symlink("/nowhere", server.root / "broken")
    os.mkfifo(server.root / "fifo")
    model = server.contents("GET", "").json
    assert set(model) == MODEL_KEYS and (model["type"], model["format"], model["size"]) == ("directory", "json", None)
    children = {child["name"]: child for child in model["content"]}
    assert set(children) == {"b.txt", "sub", "n.ipynb", "broken"}
    assert all(set(child) == MODEL_KEYS and child["content"] is None for child in children.values())
    assert [children[name]["type"] for name in ("b.txt", "sub", "n.ipynb")] == ["file", "directory", "notebook"]
    assert [child["name"] for child in children.values() if not child["writable"]] == ["broken"]
    assert children["b.txt"]["mimetype"] == "text/plain" and children["n.ipynb"]["mimetype"] is None
    assert server.contents("GET", "", query="?content=0").json["content"] is None


def test_types_are_those_that_python_tells(server):
    known = mimetypes.MimeTypes(filenames=()).types_map[1]
    for ext in known:
        server.write("x" + ext, b"")
    told = {child["name"][1:]: child["mimetype"] for child in server.contents("GET", "").json["content"]}
    assert {ext: told[ext] for ext in told if told[ext] != known[ext]} == {".js": "text/javascript",
                                                                         ".mjs": "text/javascript"}
    assert set(known) - set(told) <= {".pyc", ".pyo"}


def test_files_come_as_text_or_base64(server):
    server.write("t.txt", "héllo\n".encode())
    server.write("b.bin", bytes(range(256)))
    text = server.contents("GET", "t.txt").json
    assert (text["format"], text["content"]) == ("text", "héllo\n")
    binary = server.contents("GET", "b.bin").json
    assert (binary["format"], binary["mimetype"]) == ("base64", "application/octet-stream")
    assert binary["content"] == base64.encodebytes(bytes(range(256))).decode()
    refused = server.contents("GET", "b.bin", query="?format=text")
    assert (refused.status, refused.json["reason"]) == (400, "bad format")


@pytest.mark.parametrize("encode", [base64.b64encode, base64.encodebytes])
def test_base64_is_taken_with_and_without_line_breaks(server, encode):
    data = bytes(i * 7 % 256 for i in range(1000))
    saved = server.contents("PUT", "b.bin", {"type": "file", "format": "base64", "content": encode(data).decode()})
    assert saved.status == 201
    assert (server.root / "b.bin").read_bytes() == data


def test_hash_is_of_the_bytes_and_follows_changes(server):
    file = server.write("t.txt", b"one")
    first = server.contents("GET", "t.txt", query="?content=0&hash=1").json
    assert (first["hash"], first["hash_algorithm"]) == (hashlib.sha256(b"one").hexdigest(), "sha256")
    file.write_bytes(b"two")
    second = server.contents("GET", "t.txt", query="?content=0&hash=1").json
    assert second["hash"] == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize("path, query, status, reason", [
    ("t.txt", "?content=2", 400, None), ("t.txt", "?hash=x", 400, None), ("t.txt", "?format=json", 400, None),
    ("t.txt", "?type=directory", 400, "bad type"), ("sub", "?type=file", 400, "bad type"), ("nope", "", 404, None),
    (".hidden", "", 404, None), ("sub/.git/x", "", 404, None), ("t.txt", "?type=whatever", 200, None),
    ("t.txt", "?1795337206103&contentProviderId=undefined", 200, None)])
def test_questions_are_checked_as_stock_checks_them(server, path, query, status, reason):
    server.write("t.txt", b"text")
    server.write("sub/.git/x", b"")
    server.write(".hidden", b"")
    answer = server.contents("GET", path, query=query)
    assert answer.status == status
    if status != 200:
        assert set(answer.json) == {"message", "reason"} and answer.json["reason"] == reason


def test_no_path_leaves_the_root(server, tmp_path):
    (tmp_path / "secret").write_text("secret")
    for path in ("../secret", "%2e%2e/secret", "sub/../../secret", "..%2fsecret"):
        for address in ("api/contents/", "files/"):
            answer = server.ask("GET", address + path)
            assert answer.status in (400, 404) and b"secret\"" not in answer.data
    renamed = server.contents("PUT", "a.txt", {"type": "file", "format": "text", "content": ""})
    assert renamed.status == 201
    assert server.contents("PATCH", "a.txt", {"path": "../out.txt"}).status in (400, 404)
    assert server.contents("POST", "", {"copy_from": "../secret"}).status in (400, 404)
    assert server.contents("POST", "", {"type": "file", "ext": "/../../x"}).status == 400
    assert not (tmp_path / "out.txt").exists()


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


def test_untitled_names_count_up(server):
    names = [server.contents("POST", "", body).json["name"] for body in (
        {"type": "notebook"}, {"type": "notebook"}, {"type": "directory"}, {"type": "directory"},
        {"type": "file", "ext": ".txt"}, {"type": "file", "ext": ".txt"}, {"type": "file"}, None)]
    assert names == ["Untitled.ipynb", "Untitled1.ipynb", "Untitled Folder", "Untitled Folder 1", "untitled.txt",
                     "untitled1.txt", "untitled", "untitled1"]
    answer = server.contents("POST", "Untitled Folder", {"type": "notebook"})
    assert (answer.status, answer.json["path"]) == (201, "Untitled Folder/Untitled.ipynb")
    assert answer.getheader("Location") == BASE + "api/contents/Untitled%20Folder/Untitled.ipynb"
    assert json.loads((server.root / "Untitled.ipynb").read_text()) == notebook()


def test_copies_are_named_as_stock_names_them(server):
    server.write("a.tar.gz", b"data")
    server.write("n.v1.ipynb", b"not even JSON")
    server.write("dir/below/x", b"x")
    names = [server.contents("POST", "", {"copy_from": path}).json["name"] for path in (
        "a.tar.gz", "a-Copy1.tar.gz", "n.v1.ipynb", "dir")]
    assert names == ["a-Copy1.tar.gz", "a-Copy2.tar.gz", "n.v1-Copy1.ipynb", "dir-Copy1"]
    assert (server.root / "n.v1-Copy1.ipynb").read_bytes() == b"not even JSON"
    assert (server.root / "dir-Copy1/below/x").read_bytes() == b"x"
    assert server.contents("POST", "a.tar.gz", {"copy_from": "dir"}).status == 400
    assert server.contents("POST", "", {"copy_from": "nope"}).status == 404


def test_copies_made_at_the_same_time_get_names_of_their_own(server):
    server.write("a.txt", b"data")
    server.write("dir/x", b"x")
    for source in ("a.txt", "dir"):
        made = side_by_side(lambda _: server.contents("POST", "", {"copy_from": source}), range(8))
        assert {answer.status for answer in made} == {201}
        assert len({answer.json["name"] for answer in made}) == 8


def test_a_copy_keeps_the_mode_but_can_be_written(server):
    server.write("run.sh", b"x").chmod(0o550)
    server.write("private.txt", b"x").chmod(0o600)
    made = [server.root / server.contents("POST", "", {"copy_from": name}).json["name"]
            for name in ("run.sh", "private.txt")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o750, 0o600]


@as_root("mount another file system")
def test_renaming_leads_to_another_file_system(server):
    with file_system(server.root / "other"):
        server.write("dir/below/x.sh", b"x").chmod(0o750)
        os.symlink("below/x.sh", server.root / "dir/link")
        os.symlink("/nowhere", server.root / "broken")
        server.write("t.txt", b"private").chmod(0o600)
        os.utime(server.root / "t.txt", (1e9, 1e9))
        for name in ("dir", "broken", "t.txt"):
            assert server.contents("PATCH", name, {"path": "other/" + name}).status == 200, name
            assert not os.path.lexists(server.root / name)
        moved = server.root / "other"
        assert (moved / "dir/link").read_bytes() == b"x" and (moved / "dir/link").is_symlink()
        assert os.readlink(moved / "broken") == "/nowhere"
        assert [stat.S_IMODE((moved / path).stat().st_mode) for path in ("dir/below/x.sh", "t.txt")] == [0o750, 0o600]
        assert (moved / "t.txt").stat().st_mtime == 1e9
        server.program.stop()


def test_rename_takes_the_checkpoint_along_and_never_replaces(server):
    server.contents("PUT", "a.ipynb", {"type": "notebook", "content": notebook()})
    server.put_text("taken.txt", "keep")
    conflict = server.contents("PATCH", "a.ipynb", {"path": "taken.txt"})
    assert (conflict.status, conflict.json["message"]) == (409, "File already exists: taken.txt")
    assert (server.root / "taken.txt").read_text() == "keep"
    renamed = server.contents("PATCH", "a.ipynb", {"path": "b.ipynb"})
    assert (renamed.status, renamed.json["path"]) == (200, "b.ipynb")
    assert len(server.contents("GET", "b.ipynb/checkpoints").json) == 1
    assert server.contents("GET", "a.ipynb/checkpoints").json == []
    assert server.contents("PATCH", "nope", {"path": "x"}).status == 404
    assert server.contents("PATCH", "b.ipynb", {"path": ".hidden"}).status == 400


def test_delete_moves_to_the_trash(server):
    server.write("dir/x.txt", b"x")
    assert server.contents("DELETE", "dir").status == 204
    assert (server.trash / "files/dir/x.txt").read_bytes() == b"x"
    assert "DeletionDate=" in (server.trash / "info/dir.trashinfo").read_text()
    server.write("dir", b"a second one")
    assert server.contents("DELETE", "dir").status == 204
    assert (server.trash / "files/dir 2").read_bytes() == b"a second one"
    assert (server.contents("DELETE", "nope").status, server.contents("DELETE", "").status) == (404, 400)


@as_root("mount another file system")
def test_what_lies_on_another_file_system_goes_to_its_trash(server, tmp_path):
    with file_system(tmp_path / "other"):
        (tmp_path / "other/sub").mkdir()
        (tmp_path / "other/sub/x.txt").write_text("x")
        os.symlink(tmp_path / "other/sub", server.root / "link")
        assert server.contents("DELETE", "link/x.txt").status == 204
        assert (tmp_path / f"other/.Trash-{os.getuid()}/files/x.txt").read_text() == "x"
        server.program.stop()


def test_names_of_any_length_can_be_deleted(server):
    for _ in range(2):
        assert server.put_text("x" * 255, "data").status == 201
        assert server.contents("DELETE", "x" * 255).status == 204
    assert len(os.listdir(server.trash / "files")) == len(os.listdir(server.trash / "info")) == 2


def test_delete_for_good_refuses_folders_with_content(daemons, tmp_path):
    server = Server(daemons, tmp_path, trash=False)
    server.write("dir/x.txt", b"x")
    server.write("empty/.ipynb_checkpoints/y", b"")
    refused = server.contents("DELETE", "dir")
    assert (refused.status, refused.json["message"]) == (400, "Directory dir not empty")
    assert server.contents("DELETE", "empty").status == 204
    assert server.contents("DELETE", "dir/x.txt").status == 204
    assert server.contents("DELETE", "dir").status == 204


def test_checkpoints_are_made_restored_and_deleted(server):
    server.put_text("t.txt", "one")
    made = server.contents("POST", "t.txt/checkpoints")
    assert (made.status, made.json["id"]) == (201, "checkpoint")
    assert made.getheader("Location") == BASE + "api/contents/t.txt/checkpoints/checkpoint"
    server.put_text("t.txt", "two")
    assert server.contents("POST", "t.txt/checkpoints/checkpoint").status == 204
    assert (server.root / "t.txt").read_text() == "one"
    assert server.contents("DELETE", "t.txt/checkpoints/checkpoint").status == 204
    missing = server.contents("POST", "t.txt/checkpoints/checkpoint")
    assert (missing.status, missing.json["message"]) == (404, "Checkpoint does not exist: t.txt@checkpoint")
    assert server.contents("POST", "nope/checkpoints").status == 404


def test_a_checkpoint_is_as_private_as_its_file(server):
    file = server.write("t.txt", b"secret")
    for mode in (0o600, 0o444, 0o640):
        file.chmod(mode)
        assert server.contents("POST", "t.txt/checkpoints").status == 201
        checkpoint = server.root / ".ipynb_checkpoints/t-checkpoint.txt"
        assert stat.S_IMODE(checkpoint.stat().st_mode) == mode | 0o600


@as_root("become somebody else")
def test_checkpoints_of_a_folder_that_is_not_writable_go_to_no_stranger(daemons, tmp_path):
    base = pathlib.Path("/tmp/jupyter_checkpoints-65534")
    assert not base.exists()
    server = Server(daemons, tmp_path, as_uid=65534)
    server.write("t.txt", b"secret").chmod(0o644)
    os.chmod(server.root, 0o555)
    try:
        base.mkdir(mode=0o777)
        refused = server.contents("POST", "t.txt/checkpoints")
        assert refused.status == 409 and str(base) in refused.json["message"] and list(base.iterdir()) == []
        base.rmdir()
        assert server.contents("POST", "t.txt/checkpoints").status == 201
        assert stat.S_IMODE(base.stat().st_mode) == 0o700
        assert (base / "t-checkpoint.txt").read_bytes() == b"secret"
    finally:
        subprocess.run(["rm", "-rf", base], check=True)


@pytest.mark.parametrize("name", ["checkpoints", "trust"])
def test_folders_may_have_the_names_of_questions(server, name):
    server.write(f"{name}/model", b"x")
    server.write(f"sub/{name}/model.bin", b"x")
    for folder, file in ((name, "model"), (f"sub/{name}", "model.bin")):
        listed = server.contents("GET", folder).json
        assert (listed["type"], [child["name"] for child in listed["content"]]) == ("directory", [file])
        assert server.contents("GET", f"{folder}/{file}").json["content"] == "x"
        assert server.contents("GET", f"{folder}/{file}/checkpoints").json == []
        assert server.contents("POST", folder, {"type": "file"}).json["path"] == f"{folder}/untitled"
        assert server.contents("PATCH", f"{folder}/{file}", {"path": f"{folder}/new"}).status == 200
        assert server.contents("DELETE", f"{folder}/new").status == 204


def piece(server, number, data, path="up.bin"):
    return server.contents("PUT", path, {"type": "file", "format": "base64", "chunk": number,
                                         "content": base64.b64encode(data).decode()})


def test_an_upload_appears_with_its_last_piece_and_takes_repeats(server):
    parts = [os.urandom(100_000), os.urandom(70_001), os.urandom(5)]
    assert piece(server, 1, parts[0]).json["size"] == 100_000
    assert not (server.root / "up.bin").exists() and server.contents("GET", "").json["content"] == []
    assert piece(server, 2, parts[1]).status == 201
    assert piece(server, 2, parts[1]).status == 201
    assert piece(server, 4, b"x").status == 400
    assert piece(server, -1, parts[2]).json["size"] == 170_006
    assert (server.root / "up.bin").read_bytes() == b"".join(parts)
    assert [path.name for path in server.root.iterdir()] == ["up.bin"]
    assert piece(server, 2, b"x", "other.bin").status == 400


def test_an_upload_does_not_go_on_when_its_server_is_another(daemons, tmp_path):
    first = Server(daemons, tmp_path)
    assert piece(first, 1, b"one").status == 201
    first.program.stop()
    second = Server(daemons, tmp_path)
    for number in (2, -1):
        refused = piece(second, number, b"two")
        assert refused.status == 400 and "start the upload again" in refused.json["message"]
    assert not (second.root / "up.bin").exists()
    assert piece(second, 1, b"one").status == 201 and piece(second, -1, b"two").status == 201
    assert (second.root / "up.bin").read_bytes() == b"onetwo"


def test_many_uploads_go_side_by_side(server):
    names = [f"{i:03}.bin" for i in range(40)] + ["x" * 250 + ".bin", "x" * 250 + ".dat"]
    for number in (1, 2, -1):
        answers = side_by_side(lambda name: piece(server, number, f"{name} {number};".encode(), name), names)
        assert {answer.status for answer in answers} == {201}
    assert all((server.root / name).read_text() == f"{name} 1;{name} 2;{name} -1;" for name in names)


def test_an_upload_goes_through_links_and_keeps_names_and_mode(server):
    file = server.write("sub/t.bin", b"old")
    file.chmod(0o640)
    os.symlink("sub/t.bin", server.root / "link.bin")
    assert piece(server, 1, b"new ", "link.bin").status == 200 and piece(server, -1, b"one", "link.bin").status == 200
    assert (server.root / "link.bin").is_symlink() and file.read_bytes() == b"new one"
    os.link(file, server.root / "second.bin")
    assert piece(server, 1, b"n", "second.bin").status == 200 and piece(server, -1, b"2", "second.bin").status == 200
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"n2", 0o640)
    assert sorted(path.name for path in server.root.iterdir()) == ["link.bin", "second.bin", "sub"]


@as_root("become somebody who is refused")
def test_an_upload_does_not_replace_a_read_only_file(daemons, tmp_path):
    server = Server(daemons, tmp_path, as_uid=65534)
    file = server.write("up.bin", b"old")
    file.chmod(0o444)
    assert piece(server, 1, b"x").status == 403
    file.chmod(0o644)
    os.chown(file, 65534, 65534)
    assert piece(server, 1, b"x").status == 200
    file.chmod(0o444)
    assert piece(server, -1, b"y").status == 403 and file.read_bytes() == b"old"
    file.chmod(0o644)
    assert piece(server, -1, b"y").status == 200 and file.read_bytes() == b"xy"
    (server.root / "dir").mkdir()
    assert piece(server, 1, b"x", "dir").status == 400


def test_what_broken_uploads_leave_goes_a_day_later(server):
    kept = [server.write(name, b"x").name for name in (".~upload-new", ".~other", "upload")]
    old = [server.write(name, b"x") for name in (".~upload-old", ".~cygnet-0123456789abcdef")]
    for path in [*old, server.root / ".~other", server.root / "upload"]:
        os.utime(path, (time.time() - 90_000,) * 2)
    assert piece(server, 1, b"x").status == 201 and piece(server, -1, b"x").status == 201
    assert sorted(path.name for path in server.root.iterdir()) == sorted([*kept, "up.bin"])


@pytest.mark.parametrize("body, message", [
    (b"{", "Invalid JSON"), (b"[1]", "not a JSON object"), (b'"x"', "not a JSON object"), ({"type": "file", "content": "x"}, "Must specify format"),
    ({"type": "file", "format": "base64", "content": "!"}, "Encoding error"), ({"copy_from": "x"}, "Cannot copy with PUT"),
    ({"type": "file", "format": "text", "content": "a\ud800"}, "behind 1 bytes"),
    ({"type": "notebook", "content": {"cells": 5}}, "metadata"), ({"type": "notebook", "content": []}, "JSON object"),
    ({"type": "file", "format": "text", "content": "x", "chunk": 0}, "piece")])
def test_a_bad_body_is_refused_and_makes_no_file(server, body, message):
    answer = server.contents("PUT", "x", body)
    assert answer.status == 400 and message in answer.json["message"]
    assert list(server.root.iterdir()) == []


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


def test_large_answers_are_sent_compressed(server):
    text = "line of text\n" * 10_000
    server.put_text("t.txt", text)
    plain = server.contents("GET", "t.txt")
    packed = server.ask("GET", "api/contents/t.txt", headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
    assert packed.getheader("Content-Encoding") == "gzip" and len(packed.data) < len(plain.data) / 20
    assert gzip.decompress(packed.data) == plain.data and plain.json["content"] == text
    assert plain.getheader("Content-Encoding") is None
    assert plain.getheader("Vary") == packed.getheader("Vary") == "Accept-Encoding"


def test_downloads_have_ranges_conditions_and_a_sandbox(server):
    server.write("page.html", b"<script>alert(1)</script>")
    whole = server.ask("GET", "files/page.html")
    assert (whole.data, whole.getheader("Content-Type")) == (b"<script>alert(1)</script>", "text/html")
    assert whole.getheader("Content-Security-Policy").endswith("; sandbox allow-scripts")
    assert whole.getheader("X-Content-Type-Options") == "nosniff"
    for headers in ({"If-None-Match": whole.getheader("ETag")}, {"If-Modified-Since": whole.getheader("Last-Modified")}):
        assert server.ask("GET", "files/page.html", headers=headers).status == 304
    for spec, status, data in (("bytes=1-6", 206, b"script"), ("bytes=-9", 206, b"</script>"),
                               ("bytes=8-", 206, b"alert(1)</script>"), ("bytes=99-", 416, None), ("lines=1", 200, None)):
        part = server.ask("GET", "files/page.html", headers={"Range": spec})
        assert part.status == status and (data is None or part.data == data)
    for version, status in ((whole.getheader("ETag"), 206), ('"another"', 200), (whole.getheader("Last-Modified"), 200)):
        assert server.ask("GET", "files/page.html", headers={"Range": "bytes=1-6", "If-Range": version}).status == status
    named = server.ask("GET", "files/page.html?download=1").getheader("Content-Disposition")
    assert named == "attachment; filename*=utf-8''page.html"
    assert server.ask("HEAD", "files/page.html").getheader("Content-Length") == "25"
    assert server.ask("GET", "files/nope").status == 404


def test_successes_are_told_as_events(server):
    server.put_text("a.txt", "x")
    server.contents("PATCH", "a.txt", {"path": "b.txt"})
    server.contents("POST", "", {"copy_from": "b.txt"})
    server.contents("DELETE", "b.txt")
    server.contents("GET", "nope")
    server.program.wait_line("event delete b.txt")
    told = [line for line in server.program.log.splitlines() if line.startswith("event")]
    assert told == ["event save a.txt -", "event rename b.txt a.txt", "event copy b-Copy1.txt b.txt",
                    "event delete b.txt -"]


def test_a_folder_of_ten_thousand_files_is_listed_whole(server):
    for i in range(10_000):
        os.close(os.open(server.root / f"f{i:05}", os.O_CREAT, 0o644))
    listed = server.contents("GET", "").json["content"]
    assert {child["name"] for child in listed} == {f"f{i:05}" for i in range(10_000)}


def test_names_of_any_kind_pass(server):
    for name in ("übung.txt", "a b&c#d%.txt", "quote\"'.txt", "日本.ipynb", "x" * 255):
        kind = "notebook" if name.endswith(".ipynb") else "file"
        body = {"type": kind, "format": "text", "content": notebook() if kind == "notebook" else "x"}
        saved = server.contents("PUT", name, body)
        assert (saved.status, saved.json["name"]) == (201, name)
        assert server.contents("GET", name).json["path"] == name
    assert server.put_text("x" * 256, "").status == 400
    assert pathlib.Path(server.root / "übung.txt").read_text() == "x"


@as_root("mount a file system")
@pytest.mark.parametrize("question", ["files/disk/slow.bin", "api/contents/disk/slow.bin?content=0&hash=1",
                                      "api/contents/disk/slow.bin?format=base64"])
@pytest.mark.parametrize("size", [100_000, 3_000_000])
def test_a_disk_that_hangs_holds_up_nothing_else(server, question, size):
    data = os.urandom(size)
    with slow_disk.SlowDisk(server.root / "disk", data) as disk, concurrent.futures.ThreadPoolExecutor(8) as pool:
        slow = [pool.submit(server.ask, "GET", question) for _ in range(5)]
        assert disk.asked.wait(places.CEILING)
        server.write("t.txt", b"x")
        assert server.contents("GET", "t.txt").json["content"] == "x" and not any(one.done() for one in slow)
        disk.go()
        for answer in (one.result(places.CEILING) for one in slow):
            assert answer.status == 200
            if question.startswith("files/"):
                assert answer.data == data
            elif "hash" in question:
                assert answer.json["hash"] == hashlib.sha256(data).hexdigest()
            else:
                assert base64.b64decode(answer.json["content"]) == data
        server.program.stop()


@as_root("mount a file system")
def test_a_server_that_ends_waits_for_its_work_on_files(daemons, tmp_path):
    agent = Agent(daemons.start, tmp_path)
    with slow_disk.SlowDisk(agent.home / "disk", b"x") as disk, concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(agent.request, "GET", "api/contents/disk/slow.bin?content=0&hash=1")
        assert disk.asked.wait(places.CEILING)
        pid = agent.agent_pid()
        os.kill(pid, signal.SIGTERM)
        with pytest.raises(OSError):
            slow.result(places.CEILING)
        disk.go()
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the agent's end")
