"""Uploads in pieces: side by side, broken, through links."""

import base64
import os
import stat
import time

import pytest

from lib.contents_rig import Server, as_root, server, side_by_side  # noqa: F401  server: fixture


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
    ({"type": "file", "format": "text", "content": "a\ud800"}, "after 1 bytes"),
    ({"type": "notebook", "content": {"cells": 5}}, "metadata"), ({"type": "notebook", "content": []}, "JSON object"),
    ({"type": "file", "format": "text", "content": "x", "chunk": 0}, "piece")])
def test_a_bad_body_is_refused_and_makes_no_file(server, body, message):
    answer = server.contents("PUT", "x", body)
    assert answer.status == 400 and message in answer.json["message"]
    assert list(server.root.iterdir()) == []
