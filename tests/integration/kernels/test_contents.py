"""Files by the contents API: models, folders, questions, downloads, events; a disk that hangs."""

import base64
import concurrent.futures
import gzip
import hashlib
import mimetypes
import os
import pathlib
import signal

import pytest

from lib import places, slow_disk
from lib.agent import Agent
from lib.contents_rig import MODEL_KEYS, as_root, notebook, server  # noqa: F401  server: fixture
from lib.daemon import wait_until


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
