"""The class-data archive of a stack: made once after the first session, mapped by the JVMs that start later, and ignored when
it is damaged. On the whole site, with real drivers."""

import os
import pathlib

import pytest
from lib import places
from lib.agent import stream
from lib.spark_site import CHOICE, DRIVER, LINE, MASTER, SUM, WORKER
from lib.spark_site import _nothing_left, alice, site  # noqa: F401  fixtures
from lib.whole_site import until

MAKER = "-Xshare:dump"


@pytest.fixture
def tab(alice):
    one = alice.kernel()
    yield one
    alice.end_kernel(one)
    until(lambda: alice.processes(DRIVER) == {}, "the drivers' end")


def cache(alice):
    return pathlib.Path(f"/proc/{alice.agent()}/root/home/alice/.cache/cygnet/spark")


def archives(alice):
    return sorted(cache(alice).glob("*.jsa"))


def table_of(tab):
    """What a cell prints that has Spark add numbers."""
    messages = tab.until_done(tab.execute(LINE))
    assert SUM in stream(messages), messages
    return stream(messages)


def maps_archive(alice, word):
    """Whether that JVM has the archive in its memory: it uses the classes in it."""
    return ".jsa" in pathlib.Path(f"/proc/{alice.the(word)}/maps").read_text().replace("/lib/server/classes.jsa", "").replace(
        "/lib/server/classes_nocoops.jsa", "")


def test_first_session_has_the_archive_made(alice, tab):
    assert archives(alice) == []
    table_of(tab)
    driver = alice.the(DRIVER)
    assert "-XX:DumpLoadedClassList=" in alice.processes(DRIVER)[driver] and not maps_archive(alice, DRIVER)
    until(lambda: alice.processes(MAKER), "the process that makes it", places.JVM_CEILING)
    for pid in alice.processes(MAKER):
        assert pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text() == "1000\n"
    until(lambda: archives(alice) and not alice.processes(MAKER), "the archive", places.JVM_CEILING)
    assert [one.suffix for one in sorted(cache(alice).iterdir())] == [".jsa", ".lock"]
    assert cache(alice).stat().st_mode & 0o777 == 0o700
    assert alice.the(DRIVER) == driver


def test_later_driver_uses_it_and_nobody_makes_another(alice, tab):
    before = archives(alice)
    clean = table_of(tab)
    assert maps_archive(alice, DRIVER) and "-XX:DumpLoadedClassList=" not in alice.processes(DRIVER)[alice.the(DRIVER)]
    assert clean.startswith("+---") and archives(alice) == before and alice.processes(MAKER) == {}


def test_server_that_starts_later_uses_it_for_master_and_worker(alice):
    alice.stop()
    alice.start(CHOICE)
    tab = alice.kernel()
    table_of(tab)
    assert [maps_archive(alice, word) for word in (MASTER, WORKER, DRIVER)] == [True, True, True]
    alice.end_kernel(tab)
    until(lambda: alice.processes(DRIVER) == {}, "the driver's end")


@pytest.mark.parametrize("how", ["changed", "cut", "empty"])
def test_damaged_archive_is_ignored(alice, tab, how):
    whole = archives(alice)[0]
    data = bytearray(whole.read_bytes())
    damaged = whole.with_name("damaged")
    if how == "changed":
        for place in range(1 << 20, len(data), 1 << 14):
            data[place] ^= 0x5A
    damaged.write_bytes({"changed": data, "cut": data[:len(data) // 2], "empty": b""}[how])
    whole_beside = whole.with_name("whole")
    whole.rename(whole_beside)
    damaged.rename(whole)  # not in its place: the master and the worker have it in their memory
    os.chown(whole, whole_beside.stat().st_uid, whole_beside.stat().st_gid)
    try:
        text = table_of(tab)
        assert f"-XX:SharedArchiveFile=/home/alice/.cache/cygnet/spark/{whole.name}" in alice.processes(DRIVER)[alice.the(DRIVER)]
        assert text.startswith("+---") and not maps_archive(alice, DRIVER)
    finally:
        whole_beside.rename(whole)
