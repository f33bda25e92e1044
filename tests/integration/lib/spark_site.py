"""A whole site with Spark for one test file, and cells of its notebooks. A file imports what it uses; site, alice and _nothing_left
are fixtures."""

import os
import textwrap

import pytest

from lib.agent import stream
from lib.whole_site import WholeSite

SUM = "49999995000000"
CHOICE = {"profile": "spark", "stack": "2026a", "cluster": "own", "cores": 2, "memory_mb": 4096}
LINE = 'spark.range(10**7).selectExpr("sum(id)").show()'  # prints SUM
MASTER, WORKER, DRIVER, EXECUTOR = ("deploy.master.Master", "deploy.worker.Worker", "deploy.SparkSubmit",
                                    "CoarseGrainedExecutorBackend")
PORT = 8017


@pytest.fixture(scope="module")
def site(file_tmp, file_daemons):
    if os.geteuid() != 0:
        pytest.skip("NOT RUN: the sandbox of this test needs root")
    one = WholeSite(file_tmp, file_daemons, PORT)
    yield one
    one.stop()


@pytest.fixture(autouse=True)
def _nothing_left():
    """Instead of the check after each test: the server lives through the file, and some tests make it start
    other processes. What the whole file leaves is still counted."""


@pytest.fixture(scope="module")
def alice(site):
    person = site.person("alice")
    person.start(CHOICE)
    yield person


def reply_of(messages):
    return next(m["content"] for m in messages if m["header"]["msg_type"] == "execute_reply")


def cell(tab, code):
    """(what it printed, what it said on standard error, the error's "name: text" or None)"""
    messages = tab.until_done(tab.execute(textwrap.dedent(code)))
    reply = reply_of(messages)
    error = None if reply["status"] == "ok" else f"{reply['ename']}: {reply['evalue']}"
    return stream(messages), stream(messages, "stderr"), error


def good(tab, code):
    text, said, error = cell(tab, code)
    assert error is None, (error, said)
    return text
