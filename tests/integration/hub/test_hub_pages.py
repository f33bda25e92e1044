"""The hub alone: the start form, pages, and what documents say of both."""

import concurrent.futures
import re
import subprocess
import threading

import pytest
import yaml

from lib import places
from lib.daemon import wait_until
from lib.hub_rig import SERVER, make_site, record, site  # noqa: F401  make_site, site: fixtures


# ---- the form ----
@pytest.mark.parametrize("field, value", [
    ("profile", "no-such"), ("profile", 1), ("profile", "course"), ("stack", "no-such"), ("stack", "2025b"),
    ("cores", 3), ("cores", "2"), ("cores", -1), ("cores", 1e9), ("memory_mb", 1), ("memory_mb", None),
    ("cluster", "no-such"), ("cluster", ["own"]), ("user_script", "../x"), ("user_script", "/etc/passwd"),
    ("user_script", "a\nb"), ("user_script", True), ("home_packages", "yes")])
def test_each_wrong_answer_is_named(site, field, value):
    alice = site.browser("alice")
    answer = alice.post(SERVER, {"user_options": {field: value}})
    assert answer.status in (400, 403) and answer.json["cygnet"] == {"field": field}, answer
    assert record(alice) is None and not site.spawner.specs


@pytest.mark.parametrize("body", ["{", "[]", '"x"', '{"user_options": []}', '{"user_options": {"mounts": "/"}}',
                                  '{"template": "root"}', '{"user_options": {}, "user_options": {}}'])
def test_a_body_that_is_no_form_is_refused(site, body):
    alice = site.browser("alice")
    answer = alice.ask("POST", SERVER, body, {"Content-Type": "application/json"})
    assert answer.status == 400 and answer.json["message"] and not site.spawner.specs


def test_the_form_remembers_the_last_choice_and_a_bare_start_uses_it(site):
    alice = site.browser("alice")
    form = alice.get("/hub/api/cygnet/form").json
    assert form["last"] is None and form["last_line"] is None
    standard, course = form["profiles"]
    assert standard["default"] and standard["available"]
    assert [s["available"] for s in standard["stacks"]] == [True, False]
    assert standard["stacks"][1]["reason"] == "Needs the group physics or astro."
    assert [a["value"] for a in standard["memory_mb"] if a["default"]] == [2048]
    assert not course["available"] and course["reason"] == "Needs the group teachers."
    options = {"profile": "standard", "stack": "2026a", "cores": 1, "memory_mb": 1024, "cluster": None,
               "user_script": False, "home_packages": False}
    assert alice.post(SERVER, {"user_options": options}).status == 201
    assert alice.delete(SERVER).status == 204
    form = alice.get("/hub/api/cygnet/form").json
    assert form["last"] == options and form["last_line"] == "2026a · Python 3, R · 1 core · 1 GB"
    assert alice.post(SERVER).status == 201
    assert record(alice)["user_options"] == options


def test_the_form_marks_the_cluster_that_a_profile_names_as_usual(make_site):
    site = make_site()
    usual = lambda: [c["default"] for p in site.browser("alice").get("/hub/api/cygnet/form").json["profiles"]
                     for c in p["clusters"]]
    assert usual() == [False]
    site.hub.stop()
    site.profiles.write_text(site.profiles.read_text().replace("# cluster-default: own", "cluster-default: own"))
    site.hub = site.start()
    assert usual() == [True]


# ---- pages ----
def test_pages_and_the_ways_between_them(site):
    nobody, alice = site.browser(), site.browser("alice")
    page = nobody.page("/hub/login")
    assert page.status == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    again = nobody.ask("GET", "/hub/login", headers={"If-None-Match": page.headers["ETag"], "Accept": "text/html"})
    assert again.status == 304 and again.data == b""
    assert nobody.page("/").headers["Location"] == "/hub/"
    assert nobody.page("/hub/home").headers["Location"] == "/hub/login?next=/hub/home"
    assert nobody.page("/user/alice/lab?x=1").headers["Location"] == "/hub/login?next=/user/alice/lab%3Fx%3D1"
    assert alice.page("/hub/login?next=/hub/spawn").headers["Location"] == "/hub/spawn"
    assert alice.page("/hub/login?next=//evil.example").headers["Location"] == "/hub/home"
    assert "home" in alice.page("/hub/").text and "home" in alice.page("/hub/spawn").text
    assert "starting" in alice.page("/hub/spawn-pending/alice").text
    shared = "/hub/user-redirect/lab/tree/my%20plots/%C3%A9.ipynb?factory=Editor&x=%26"
    assert alice.page(shared).headers["Location"] == shared.replace("/hub/user-redirect/", "/user/alice/")
    assert nobody.page("/hub/user-redirect/lab").headers["Location"] == "/hub/login?next=/hub/user-redirect/lab"
    # What JupyterLab's "Log Out" asks for: a page, and nobody is signed out by looking at it.
    assert alice.page("/hub/logout").status == 200 and "home" in alice.page("/hub/logout").text
    assert alice.get("/hub/api/user").status == 200
    assert nobody.page("/hub/logout").headers["Location"] == "/hub/login"
    assert alice.page("/hub/nothing").status == 404 and "error-404" in alice.page("/hub/nothing").text
    assert "error-424" in nobody.page("/hub/error/424?url=/user/x/").text
    static = nobody.get("/hub/static/api.mjs")
    assert static.status == 200 and static.headers["Content-Type"] == "text/javascript; charset=utf-8"
    for name in ("..%2fhome.html", "%2e%2e/home.html", "nothing.css", "../home.html"):
        assert nobody.get(f"/hub/static/{name}").status in (400, 404)
    assert nobody.get("/hub/api/").json == {"version": "6.1.1"}
    assert nobody.get("/hub/api/").headers["X-JupyterHub-Version"] == "6.1.1"
    assert nobody.get("/hub/api/nothing").json == {"status": 404, "message": "Not Found"}
    assert nobody.get("/hub/health").status == 200 and nobody.get("/hub/health?wait=1").status == 200
    assert alice.ask("PATCH", "/hub/api/user").status == 405
    assert alice.get("/hub/api/info").status == 403


def test_the_address_of_a_server_that_does_not_run(site):
    alice = site.browser("alice")
    page = alice.page("/user/alice/lab/tree/a.ipynb")
    assert page.status == 424 and "error-424" in page.text
    for answer in (alice.page("/user/alice/api/kernels"), alice.get("/user/alice/x"), alice.post("/user/alice/x", {})):
        assert answer.status == 424 and "is not running" in answer.json["message"]
    go = threading.Event()
    site.spawner.on_spawn = lambda spawner, spec: threading.Thread(
        target=lambda: (go.wait(), spawner.start_well(spec))).start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(alice.post, SERVER, {})
        wait_until(lambda: record(alice), "the start is known")
        answer = alice.page("/user/alice/lab")
        assert (answer.status, answer.headers["Location"]) == (303, "/hub/spawn-pending/alice?next=/user/alice/lab")
        go.set()
        assert start.result().status == 201


def test_site_and_stat(site):
    alice = site.browser("alice")
    told = alice.get("/hub/api/cygnet/site").json
    assert told["name"] == "Cygnet" and told["development"] is True and told["isolation"] == "process"
    assert told["providers"] == [{"id": "development", "label": "a name", "kind": "password", "url": None,
                                  "down_since": None, "message": None}]
    assert alice.get("/hub/api/cygnet/servers/alice/stat").status == 404
    assert alice.post(SERVER, {}).status == 201
    site.spawner.kernels = [{"id": "k1", "name": "python3", "execution_state": "busy"},
                            {"id": "k2", "name": "ir", "execution_state": "odd"}, {"id": 7}]
    stat = alice.get("/hub/api/cygnet/servers/alice/stat").json
    assert stat["memory"] == {"used": 100 << 20, "limit": 2 << 30} and stat["cpu"]["cores"] == 2
    assert stat["kernels"] == [{"id": "k1", "name": "python3", "path": "python3.ipynb", "state": "busy"},
                               {"id": "k2", "name": "ir", "path": "ir.ipynb", "state": "unknown"}]


# ---- code, samples and documents ----
def test_every_endpoint_is_in_the_openapi_file_and_the_other_way_round():
    # What the file describes and a sign-in brings: the way back from the identity provider.
    ahead = {("get", "/hub/oauth_callback")}
    # Second spellings, and the address of servers, which no row but the proxy's lack of a route brings here.
    same = {("get", "/"), ("get", "/hub"), ("get", "/hub/api"), ("get", "/hub/api/health")}
    described = {(method, path) for path, item in yaml.safe_load((places.ROOT / "docs/api/openapi.yaml").read_text())[
        "paths"].items() for method in item if method != "parameters"} - {("get", "/user/{user}/{path}")}
    # Each wing that has endpoints has a table of its own.
    tables = [table for path in sorted((places.ROOT / "src/hub").glob("*/*.c"))
              for table in re.findall(r"struct http_endpoint (\w+)\[\] = {(.*?)\n};", path.read_text(), re.S)]
    rows = {(method.lower(), ("" if name == "root_endpoints" else "/hub") + path.replace("...}", "}"))
            for name, table in tables for method, path in re.findall(r'{ HTTP_(\w+), "([^"]*)",', table)}
    assert len(rows) > 30
    assert rows - same - described == set()
    assert described - rows - ahead == set()


def test_the_sample_of_options_names_every_option():
    program = places.BIN / "cygnet-hub"
    listed = subprocess.run([program, "--help-options"], capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"^#?([a-z][a-z-]+): ?", listed, re.M))
    sample = set(re.findall(r"^(?:# )?([a-z][a-z-]+): ", (places.ROOT / "config/hub.yaml").read_text(), re.M))
    assert options and options == sample
