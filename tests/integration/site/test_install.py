"""`make install`: a tree whose programs run, with units that systemd takes and folders as `cygnetctl up` makes them."""

import json
import os
import re
import socket
import subprocess

import pytest

from lib import places
from lib.hub_rig import make_site  # noqa: F401  a fixture

SYSTEMD = places.ROOT / "config/systemd"


def install(destdir, prefix):
    subprocess.run([SYSTEMD / "install.sh", places.BIN, os.fspath(destdir), os.fspath(prefix)], check=True)


@pytest.fixture(scope="module")
def tree(file_tmp):
    """An installation at a prefix that is a folder of its own, so that what it names is there."""
    install("", file_tmp / "prefix")
    return file_tmp / "prefix"


def test_destdir_is_put_before_every_path_and_into_none(tmp_path):
    install(tmp_path / "root", "/opt/site")
    assert {p.name for p in (tmp_path / "root").iterdir()} == {"opt"}
    unit = (tmp_path / "root/opt/site/lib/systemd/system/cygnet-hub.service").read_text()
    assert "ExecStart=/opt/site/lib/cygnet/cygnet-hub " in unit and os.fspath(tmp_path) not in unit


def test_every_program_is_there_and_runs(tree):
    for program in [tree / "bin/cygnetctl", *(tree / "lib/cygnet").iterdir()]:
        if program.name == "cygnet-init":
            continue  # has no options: the spawner alone starts it
        told = subprocess.run([program, "--version"], capture_output=True, text=True)
        assert (told.returncode, told.stderr) == (0, "") and program.name in told.stdout
    assert {p.name for p in places.BIN.glob("cygnet*")} == {"cygnetctl", *(p.name for p in (tree / "lib/cygnet").iterdir())}


def test_web_samples_documents_and_python_are_whole(tree):
    for here, there in (("src/web", "share/cygnet/web"), ("config", "share/cygnet/config"), ("docs", "share/doc/cygnet"),
                        ("kernels/python", "share/cygnet/python")):
        ours = {p.relative_to(places.ROOT / here) for p in (places.ROOT / here).rglob("*")
                if p.is_file() and p.suffix != ".sh" and "systemd" not in p.parts and "__pycache__" not in p.parts}
        assert ours <= {p.relative_to(tree / there) for p in (tree / there).rglob("*") if p.is_file()}


def test_the_extension_of_jupyterlab_is_where_jupyter_servers_look(tree):
    package = json.loads((tree / "share/jupyter/labextensions/@cygnet/spark/package.json").read_text())
    assert (tree / "share/jupyter/labextensions/@cygnet/spark" / package["jupyterlab"]["_build"]["load"]).is_file()


def test_folders_are_those_that_cygnetctl_makes():
    text = (places.ROOT / "src/ctl/up_folders.c").read_text()
    who = {"0": "root", "UP_UID_HUB": "cygnet-hub", "UP_UID_PROXY": "cygnet-proxy", "UP_GID_SHARED": "cygnet"}
    base = {"state": "/var/lib/cygnet", "cache": "/var/cache/cygnet", "run": "/run/cygnet"}
    made = set()
    for kind, name, mode, uid, gid in re.findall(r'\{ o->(\w+)_dir, "([^"]*)", ([^,]+), (\w+), (\w+) \}', text):
        mode = {"walk": "0711", "root ? 0755 : 0700": "0755"}.get(mode, mode)
        made.add((f"{base[kind]}/{name}".rstrip("/"), mode, who[uid], who[gid]))
    lines = re.findall(r"^d (\S+) (\S+) (\S+) (\S+)$", (SYSTEMD / "cygnet.tmpfiles.conf").read_text(), re.M)
    assert made and made == set(lines)


def test_users_are_those_that_the_programs_expect():
    text = (SYSTEMD / "cygnet.sysusers.conf").read_text()
    numbers = dict(re.findall(r"(UP_\w+) = (\d+)", (places.ROOT / "src/ctl/up.h").read_text()))
    assert f"g cygnet {numbers['UP_GID_SHARED']}\n" in text
    assert f"u cygnet-hub {numbers['UP_UID_HUB']}:{numbers['UP_GID_SHARED']} " in text
    assert f"u cygnet-proxy {numbers['UP_UID_PROXY']}:{numbers['UP_GID_SHARED']} " in text


def test_systemd_takes_every_unit(tree):
    units = sorted((tree / "lib/systemd/system").iterdir())
    env = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tree}/lib/systemd/system:/lib/systemd/system"}
    told = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, env=env)
    assert told.returncode == 0 and "cygnet" not in told.stderr, told.stderr


def test_the_manager_hears_ready_watchdog_and_stopping(make_site, tmp_path, monkeypatch):
    path = tmp_path / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(os.fspath(path))
        manager.settimeout(places.CEILING)
        monkeypatch.setenv("NOTIFY_SOCKET", os.fspath(path))
        monkeypatch.setenv("WATCHDOG_USEC", "40000")
        site = make_site()
        assert manager.recv(64) == b"READY=1"
        assert [manager.recv(64) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        site.hub.stop()
        while (told := manager.recv(64)) == b"WATCHDOG=1":
            pass
        assert told == b"STOPPING=1"
