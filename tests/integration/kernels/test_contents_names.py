"""New names, copies, renames, deletes and the trash, checkpoints."""

import json
import os
import pathlib
import stat
import subprocess

import pytest

from lib.contents_rig import (  # noqa: F401  server: fixture
    BASE, Server, as_root, file_system, notebook, server, side_by_side,
)


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
