"""A whole site at its base path: pages, scripts, API and a server below it. BASE_PATH says which the programs were
built with (make BASE_PATH=/jupyter); `make deep` runs this file for one that is not empty."""

import os
import re

import pytest
from lib.whole_site import Person, WholeSite

BASE = os.environ.get("BASE_PATH", "")
HTML = {"Accept": "text/html"}


class Below(Person):
    def ask(self, method, target, *more, **named):
        return super().ask(method, BASE + target.removeprefix(BASE), *more, **named)


@pytest.fixture(scope="module")
def alice(file_tmp, file_daemons):
    site = WholeSite(file_tmp, file_daemons, 8018)
    yield Below(site, "alice")
    site.stop()


def test_pages_name_only_what_is_below_the_base(alice):
    for path in "/hub/home", "/hub/spark", "/hub/error/503":
        page = alice.ask("GET", path, headers=HTML)
        names = [name.decode() for name in re.findall(rb'(?:src|href|action)="([^"]+)"', page.data)]
        assert page.status == 200 and len(names) == 3
        for name in names:
            assert name.startswith(f"{BASE}/hub/static/")
            assert alice.ask("GET", name).status == 200


def test_ways_lead_below_the_base(alice):
    assert alice.ask("GET", "/", headers=HTML).headers["Location"] == f"{BASE}/hub/"
    assert alice.ask("GET", "/hub/user-redirect/lab", headers=HTML).headers["Location"] == f"{BASE}/user/alice/lab"
    lost = alice.ask("GET", "/user/alice/lab", headers=HTML)
    assert lost.status == 424 and f"{BASE}/hub/static/".encode() in lost.data


def test_a_server_answers_below_the_base(alice):
    alice.start({})
    assert alice.server()["url"] == f"{BASE}/user/alice/"
    assert alice.get("api/status")["kernels"] == 0
    lab = alice.ask("GET", alice.base + "lab", headers=HTML)
    assert lab.status == 200
    assert f'"baseUrl":"{BASE}/user/alice/"'.encode() in lab.data
    assert f'"hubPrefix":"{BASE}/hub/"'.encode() in lab.data
    assert alice.ask("GET", alice.base + "logout", headers=HTML).headers["Location"] == f"{BASE}/hub/logout"
    alice.stop()
