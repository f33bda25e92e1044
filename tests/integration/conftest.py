"""What every integration test gets: programs of the flavour under test, daemons that are waited for by
events, folders that other uids can walk, and a check after each test that nothing of ours is left.

A test file runs in namespaces of its own (tests/support/netns.sh); run by hand, pytest moves there itself.
"""

import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from lib import leftovers, places  # noqa: E402
from lib.daemon import Daemons  # noqa: E402


def pytest_configure(config):
    if os.environ.get("CYGNET_NETNS") != "1":
        os.chdir(config.invocation_params.dir)
        script = os.path.join(places.ROOT, "tests/support/netns.sh")
        os.execv(script, [script, sys.executable, "-m", "pytest", *config.invocation_params.args])
    os.umask(0o022)
    leftovers.adopt_orphans()


@pytest.fixture(scope="session")
def bin_dir():
    """The folder of the programs under test: build/FLAVOUR/bin (FLAVOUR=asan unless set)."""
    return places.BIN


@pytest.fixture(scope="session")
def fakes_dir():
    """The folder of the test programs (fakes, fault engine): build/FLAVOUR/test."""
    return places.TEST_BIN


@pytest.fixture
def tmp_path(request):
    """A folder with a short path (socket addresses end at 108 bytes) that every uid can walk; emptied after."""
    path = places.make_tmp()
    yield path
    reports = places.sanitizer_reports(path)
    if reports or leftovers.failed(request.node):
        places.keep(path, request.node)
    shutil.rmtree(path)
    assert not reports, f"a sanitizer speaks in {reports}, copied to {places.log_dir(request.node)}"


@pytest.fixture
def daemons(request, tmp_path):
    """Starts programs and stops what is left of them; see lib/daemon.py."""
    group = Daemons(places.log_dir(request.node), tmp_path)
    yield group
    group.stop_all()


@pytest.fixture
def daemon(daemons):
    """daemon(["cygnet-proxy", "--listen", …]) starts one program; a name without a slash is one of ours."""
    return daemons.start


@pytest.fixture(scope="module")
def file_tmp(request):
    """As tmp_path, for all tests of a file."""
    path = places.make_tmp()
    yield path
    reports = places.sanitizer_reports(path)
    if reports:
        places.keep(path, request.node)
    shutil.rmtree(path)
    assert not reports, f"a sanitizer speaks in {reports}, copied to {places.log_dir(request.node)}"


@pytest.fixture(scope="module")
def file_daemons(request, file_tmp):
    """As daemons, for what all tests of a file share because it starts slowly: file_daemons.start([...])."""
    group = Daemons(places.log_dir(request.node), file_tmp)
    yield group
    group.stop_all()


def _check_nothing_left():
    before = leftovers.snapshot()
    yield
    found = leftovers.since(before)
    if found:
        pytest.fail("left behind:\n  " + "\n  ".join(found), pytrace=False)


@pytest.fixture(autouse=True)
def _nothing_left():
    """The first fixture set up is the last torn down: what a test and its fixtures leave fails that test."""
    yield from _check_nothing_left()


@pytest.fixture(autouse=True, scope="module")
def _nothing_left_of_file():
    """The same for a whole file; the last test of it is told."""
    yield from _check_nothing_left()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    setattr(item, "report_" + report.when, report)
