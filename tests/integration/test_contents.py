"""The contents API over HTTP, as JupyterLab speaks it."""

import base64
import hashlib
import json
import os
import pathlib
import sqlite3
import stat
import subprocess
import urllib.parse

import pytest
from lib import places, web

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
        if answer.getheader("Content-Type") == "application/json" and answer.data:
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
    assert children["b.txt"]["mimetype"] == "text/plain" and children["n.ipynb"]["mimetype"] is None
    assert server.contents("GET", "", query="?content=0").json["content"] is None


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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_a_full_disk_is_said_and_loses_nothing(daemons, tmp_path):
    (tmp_path / "root").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", tmp_path / "root"], check=True)
    try:
        server = Server(daemons, tmp_path)
        assert server.put_text("t.txt", "precious").status == 201
        full = server.put_text("t.txt", "x" * 400_000)
        assert full.status == 507 and "space" in full.json["message"]
        assert (server.root / "t.txt").read_text() == "precious"
        assert [path.name for path in server.root.iterdir()] == ["t.txt"]
        server.program.stop()
    finally:
        subprocess.run(["umount", tmp_path / "root"], check=True)


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


@pytest.mark.parametrize("body, message", [
    (b"{", "Invalid JSON"), ({"type": "file", "content": "x"}, "Must specify format"),
    ({"type": "file", "format": "base64", "content": "!"}, "Encoding error"), ({"copy_from": "x"}, "Cannot copy with PUT"),
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
