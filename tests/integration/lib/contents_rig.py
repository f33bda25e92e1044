"""The contents API on a program of its own (support/contents_server.c) for tests, and file systems that are small."""

import concurrent.futures
import contextlib
import os
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
        return web.ask_json(self.address, method, BASE + path, body, headers)

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
