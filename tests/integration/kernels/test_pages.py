"""Pages, settings, workspaces, themes and static files, from a stock installation's prefix."""

import gzip
import hashlib
import html.parser
import json
import os
import re
import subprocess

import pytest
from lib import places, web

BASE = "/user/alice/"
# The members of the configuration in stock's pages (JupyterLab 4.6, Notebook 7.6).
LAB_KEYS = """allow_hidden_files appName appNamespace appSettingsDir appUrl appVersion baseUrl buildAvailable buildCheck
    cacheFiles copyAbsolutePath delete_to_trash devMode disabledExtensions exposeAppInBrowser extensionManager
    extraLabextensionsPath federated_extensions fullAppUrl fullLabextensionsUrl fullLicensesUrl fullListingsUrl
    fullMathjaxUrl fullSettingsUrl fullStaticUrl fullThemesUrl fullTranslationsApiUrl fullTreeUrl fullWorkspacesApiUrl
    ignorePlugins labextensionsPath labextensionsUrl licensesUrl listingsUrl mathjaxConfig mode nbclassic_enabled news
    notebookStartsKernel notebookVersion preferredPath quitButton rootUri schemasDir serverRoot settingsUrl staticDir
    store_id templatesDir terminalsAvailable themesDir themesUrl token translationsApiUrl treePath treeUrl
    untracked_message_types userSettingsDir virtualDocumentsUri workspace workspacesApiUrl workspacesDir wsUrl""".split()
NOTEBOOK_KEYS = [*LAB_KEYS, "frontendUrl", "jupyterConfigDir", "notebookPage"]


class Server:
    def __init__(self, daemons, tmp, prefix, *more):
        self.home = tmp / "home"
        self.home.mkdir()
        self.config = self.home / ".jupyter"
        self.program = daemons.start(["contents_server", BASE, self.home, self.home / ".local/share/jupyter", "-",
                                      prefix, self.home, *more])
        self.address = ("127.0.0.1", int(self.program.wait_line(r"listening (\d+)").group(1)))

    def ask(self, method, path, body=None, headers=None):
        return web.ask_json(self.address, method, BASE + path, body, headers)

    def page_config(self, path):
        page = self.ask("GET", path)
        assert page.status == 200 and page.getheader("Content-Type") == "text/html; charset=UTF-8"
        return json.loads(re.search(rb'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page.data).group(1))

    def write(self, path, text):
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture(scope="module")
def prefix():
    return places.prefix("jupyter")


@pytest.fixture
def server(daemons, tmp_path, prefix):
    return Server(daemons, tmp_path, prefix)


@pytest.fixture
def own_prefix(tmp_path, prefix):
    """The stock prefix as links, for tests that add a site's files to it."""
    own = tmp_path / "prefix"
    (own / "share/jupyter/lab").mkdir(parents=True)
    for name in ("static", "schemas", "themes"):
        os.symlink(prefix / "share/jupyter/lab" / name, own / "share/jupyter/lab" / name)
    (own / "share/jupyter/lab/settings").mkdir()
    (own / "share/jupyter/labextensions").mkdir()
    os.symlink(prefix / "lib", own / "lib")
    return own


def test_pages_carry_the_members_that_stock_emits(server):
    lab, tree = server.page_config("lab"), server.page_config("tree")
    assert sorted(lab) == sorted(LAB_KEYS)
    assert sorted(tree) == sorted(NOTEBOOK_KEYS)
    assert (lab["baseUrl"], lab["fullStaticUrl"], lab["token"]) == (BASE, BASE + "static/lab", "")
    assert (tree["appNamespace"], tree["notebookPage"], tree["frontendUrl"]) == ("notebook", "tree", BASE)
    assert {extension["name"] for extension in lab["federated_extensions"]} >= {"jupyterlab_pygments"}


@pytest.mark.parametrize("path, members", [
    ("lab", {"mode": "multiple-document", "workspace": "default", "treePath": ""}),
    ("lab/tree/sub/a.txt", {"treePath": "sub/a.txt"}),
    ("lab/workspaces/mine/tree/x", {"workspace": "mine", "treePath": "x"}),
    ("doc/tree/x", {"mode": "single-document"}), ("lab/bogus", {"notFoundUrl": BASE + "lab/bogus"}),
    ("tree/sub", {"treePath": "sub", "mode": "single-document"}), ("notebooks/n.ipynb", {"notebookPage": "notebooks"}),
    ("edit/a.txt", {"notebookPage": "edit"}), ("consoles/x", {"notebookPage": "consoles"}),
    ("terminals/1", {"notebookPage": "terminals"})])
def test_the_address_decides_what_a_page_shows(server, path, members):
    server.write("sub/x", "")
    config = server.page_config(path)
    assert {key: config[key] for key in members} == members


@pytest.mark.parametrize("path, to", [
    ("", "lab"), ("?a=b", "lab?a=b"), ("tree/n.ipynb", "notebooks/n.ipynb"), ("tree/a.txt", "files/a.txt"),
    ("notebooks/sub", "tree/sub"), ("nowhere/", "nowhere")])
def test_addresses_that_lead_on(server, path, to):
    server.write("n.ipynb", "{}")
    server.write("a.txt", "")
    server.write("sub/x", "")
    answer = server.ask("GET", path)
    assert (answer.status, answer.getheader("Location")) == (302, BASE + to)


def test_hidden_and_missing_folders_have_no_page(server):
    server.write(".secret/x", "")
    assert [server.ask("GET", path).status for path in ("tree/.secret", "tree/nope", "nope", "api/nope")] == [404] * 4
    assert server.ask("GET", "api/nope").json["message"] == "Not Found"


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.addresses = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value.startswith("/")]


@pytest.mark.parametrize("page", ["lab", "tree", "edit/a.txt"])
def test_all_that_a_page_names_is_there(server, page):
    addresses = Tags(server.ask("GET", page).data.decode()).addresses
    assert addresses
    for address in addresses:
        assert server.ask("GET", address.removeprefix(BASE)).status == 200, address


def test_configuration_cannot_break_out_of_its_script(server):
    page = server.ask("GET", "lab/tree/%3Cscript%3E'%26")
    config = re.search(rb'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page.data).group(1)
    assert json.loads(config)["treePath"] == "<script>'&"
    assert not set(b"<>&'") & set(config)


def test_the_site_and_the_user_can_disable_extensions(daemons, tmp_path, own_prefix):
    (own_prefix / "share/jupyter/lab/settings/page_config.json").write_text(
        '{"disabledExtensions": ["a", "b"], "custom": 1}')
    extension = own_prefix / "share/jupyter/labextensions/@org/ext"
    extension.mkdir(parents=True)
    (extension / "package.json").write_text(json.dumps(
        {"name": "@org/ext", "version": "1", "jupyterlab": {"_build": {"load": "static/r.js"},
                                                            "disabledExtensions": ["c"]}}))
    server = Server(daemons, tmp_path, own_prefix)
    server.write(".jupyter/labconfig/page_config.json", '{"disabledExtensions": {"b": false, "d": true}}')
    config = server.page_config("lab")
    assert sorted(config["disabledExtensions"]) == ["a", "c", "d"] and config["custom"] == 1
    assert config["federated_extensions"] == [{"name": "@org/ext", "load": "static/r.js", "entrypoints": None}]
    assert server.ask("GET", "lab/extensions/@org/ext/package.json").json["name"] == "@org/ext"
    server.write(".jupyter/labconfig/page_config.json", "{broken")
    broken = server.ask("GET", "lab")
    assert broken.status == 500 and "page_config.json" in broken.json["message"]


def test_extensions_of_a_second_folder_are_listed_and_served_and_those_of_the_prefix_win(daemons, tmp_path, own_prefix):
    def extension(folder, name, load):
        (folder / name).mkdir(parents=True)
        (folder / name / "package.json").write_text(json.dumps(
            {"name": name, "version": "1", "jupyterlab": {"_build": {"load": load, "extension": "./extension"}}}))

    more = tmp_path / "more"
    extension(own_prefix / "share/jupyter/labextensions", "twice", "static/prefix.js")
    extension(more, "twice", "static/more.js")
    extension(more, "@org/ours", "static/ours.js")
    server = Server(daemons, tmp_path, own_prefix, more)
    for page in ("lab", "tree"):
        listed = {one["name"]: one["load"] for one in server.page_config(page)["federated_extensions"]}
        assert listed == {"twice": "static/prefix.js", "@org/ours": "static/ours.js"}
    assert server.ask("GET", "lab/extensions/@org/ours/package.json").json["name"] == "@org/ours"


def test_settings_are_listed_with_schema_version_and_text(server, prefix):
    listed = server.ask("GET", "lab/api/settings").json["settings"]
    ids = [one["id"] for one in listed]
    assert ids == sorted(ids, reverse=True) and "@jupyterlab/apputils-extension:themes" in ids
    assert len(ids) == len(list((prefix / "share/jupyter/lab/schemas").rglob("*.json"))) + len(
        list((prefix / "share/jupyter/labextensions").rglob("schemas/**/*.json")))
    assert all(one["raw"] == "{}" and one["schema"]["type"] == "object" for one in listed)
    assert all(re.match(r"\d+\.\d+", one["version"]) for one in listed if one["id"].startswith("@jupyterlab/"))
    bare = server.ask("GET", "lab/api/settings?ids_only=true").json["settings"]
    assert [one["id"] for one in bare] == ids and set(bare[0]) == {"id"}


def test_the_text_of_settings_is_kept_as_it_was_written(server):
    address = "lab/api/settings/@jupyterlab/apputils-extension:themes"
    raw = "{\n  // dark, please\n  theme: 'JupyterLab Dark', /* and */ \"adaptive-theme\": false,\n}"
    assert server.ask("PUT", address, {"raw": raw}).status == 204
    got = server.ask("GET", address).json
    assert (got["raw"], got["settings"]) == (raw, {"theme": "JupyterLab Dark", "adaptive-theme": False})
    file = server.config / "lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    assert file.read_text() == raw
    refused = server.ask("PUT", address, {"raw": "{ theme: }"})
    assert refused.status == 400 and "line 1 column 10" in refused.json["message"] and file.read_text() == raw
    assert server.ask("PUT", "lab/api/settings/no:such", {"raw": "{}"}).status == 404
    assert server.ask("PUT", "lab/api/settings/..%2F..:x", {"raw": "{}"}).status in (400, 404)
    file.write_text("{ broken")
    got = server.ask("GET", address).json
    assert got["settings"] == {} and "Failed loading settings" in got["warning"]


def test_settings_that_lie_elsewhere_stay_there(server):
    place = "lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    server.write("dotfiles/themes", "{}")
    (server.home / "dotfiles/themes").chmod(0o600)
    link = server.config / place
    link.parent.mkdir(parents=True)
    os.symlink(server.home / "dotfiles/themes", link)
    raw = '{"theme": "JupyterLab Dark"}'
    assert server.ask("PUT", "lab/api/settings/@jupyterlab/apputils-extension:themes", {"raw": raw}).status == 204
    assert link.is_symlink() and (server.home / "dotfiles/themes").read_text() == raw
    assert (server.home / "dotfiles/themes").stat().st_mode & 0o777 == 0o600


def test_settings_and_pages_are_sent_compressed(server):
    for path in ("lab/api/settings", "lab", "lab/api/licenses"):
        packed = server.ask("GET", path, headers={"Accept-Encoding": "gzip"})
        assert packed.status == 200 and packed.getheader("Content-Encoding") == "gzip", path
        assert packed.getheader("Vary") == "Accept-Encoding" and gzip.decompress(packed.data)
    plain = server.ask("GET", "lab/api/settings")
    packed = server.ask("GET", "lab/api/settings", headers={"Accept-Encoding": "gzip"})
    assert json.loads(gzip.decompress(packed.data)) == plain.json and len(packed.data) < len(plain.data) / 4


def test_defaults_of_the_site_are_laid_over_schemas(daemons, tmp_path, own_prefix):
    (own_prefix / "share/jupyter/lab/settings/overrides.json").write_text(
        '{"@jupyterlab/apputils-extension:themes": {"theme": "JupyterLab Dark"}}')
    server = Server(daemons, tmp_path, own_prefix)
    got = server.ask("GET", "lab/api/settings/@jupyterlab/apputils-extension:themes").json
    assert got["schema"]["properties"]["theme"]["default"] == "JupyterLab Dark"
    assert got["schema"]["properties"]["theme"]["title"]
    (own_prefix / "share/jupyter/lab/settings/overrides.json").write_text("{\n oops")
    broken = server.ask("GET", "lab/api/settings")
    assert broken.status == 500 and "overrides.json" in broken.json["message"] and "line 2" in broken.json["message"]


def test_workspaces_are_kept_under_the_names_stock_gives_them(server):
    assert server.ask("GET", "lab/api/workspaces/default").json == {"data": {}, "metadata": {"id": "/default"}}
    for name in ("default", "My Space", "auto-x"):
        saved = server.ask("PUT", "lab/api/workspaces/" + name.replace(" ", "%20"),
                           {"data": {"n": name}, "metadata": {"id": name}})
        assert saved.status == 204
    digest = hashlib.sha256(b"My Space").hexdigest()[:4]
    assert (server.config / f"lab/workspaces/my-space-{digest}.jupyterlab-workspace").exists()
    assert (server.config / "lab/workspaces/default-37a8.jupyterlab-workspace").exists()
    listed = server.ask("GET", "lab/api/workspaces").json["workspaces"]
    assert sorted(listed["ids"]) == ["My Space", "auto-x", "default"]
    assert server.ask("GET", "lab/api/workspaces/default").json["data"] == {"n": "default"}
    assert server.ask("PUT", "lab/api/workspaces/x", {"data": {}, "metadata": {"id": "y"}}).status == 400
    assert server.ask("DELETE", "lab/api/workspaces/default").status == 204
    assert server.ask("DELETE", "lab/api/workspaces/default").status == 404


def test_stock_finds_the_workspaces_and_settings_that_were_saved(server, prefix):
    server.ask("PUT", "lab/api/workspaces/my%20own", {"data": {"a": 1}, "metadata": {"id": "my own"}})
    script = ("import sys; from jupyterlab_server.workspaces_handler import WorkspacesManager\n"
              "print(WorkspacesManager(sys.argv[1]).load('my own')['data'])")
    out = subprocess.run([prefix / "bin/python", "-c", script, server.config / "lab/workspaces"], check=True,
                         capture_output=True, text=True).stdout
    assert out == "{'a': 1}\n"


def test_sections_of_client_state_are_merged(server):
    assert server.ask("GET", "api/config/x").json == {}
    assert server.ask("PUT", "api/config/x", {"a": {"b": 1, "c": 2}, "d": 3}).status == 204
    assert server.ask("PATCH", "api/config/x", {"a": {"b": None, "e": 4}, "d": None}).json == {"a": {"c": 2, "e": 4}}
    assert server.ask("GET", "api/config/x").json == {"a": {"c": 2, "e": 4}}
    for method, body in (("PUT", b"[1]"), ("PUT", b"{"), ("PATCH", b"[1]"), ("PATCH", b"")):
        assert server.ask(method, "api/config/x", body).status == 400
    assert server.ask("GET", "api/config/x").json == {"a": {"c": 2, "e": 4}}
    assert server.ask("GET", "api/config/..").status in (400, 404)


def test_bundles_are_cached_for_ever_and_sent_compressed(daemons, tmp_path, own_prefix):
    subprocess.run([places.ROOT / "kernels/pages/precompress.sh", own_prefix], check=True)
    server = Server(daemons, tmp_path, own_prefix)
    main = re.search(r"static/lab/main\.\w+\.js", server.ask("GET", "lab").data.decode()).group()
    plain = server.ask("GET", main)
    packed = server.ask("GET", main, headers={"Accept-Encoding": "gzip, deflate, br"})
    assert gzip.decompress(packed.data) == plain.data and packed.getheader("Content-Encoding") == "gzip"
    assert plain.getheader("Content-Encoding") is None and len(packed.data) < len(plain.data)
    for answer in (plain, packed):
        assert "immutable" in answer.getheader("Cache-Control") and answer.getheader("Vary") == "Accept-Encoding"
        assert answer.getheader("Content-Type") == "application/javascript"
    again = server.ask("GET", main, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.getheader("ETag")})
    assert again.status == 304
    assert server.ask("GET", "static/lab/index.html").status == 404
    assert server.ask("GET", "static/lab/..%2f..%2f..%2fetc%2fpasswd").status in (400, 404)


def test_themes_name_their_files_by_address(server):
    css = server.ask("GET", "lab/api/themes/@jupyterlab/theme-dark-extension/index.css")
    assert css.status == 200 and css.getheader("Content-Type") == "text/css"
    packed = server.ask("GET", "lab/api/themes/@jupyterlab/theme-dark-extension/index.css",
                        headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == css.data and packed.getheader("ETag") == "W/" + css.getheader("ETag")
    for headers in ({"If-None-Match": css.getheader("ETag")}, {"If-None-Match": packed.getheader("ETag")},
                    {"If-Modified-Since": css.getheader("Last-Modified")}):
        again = server.ask("GET", "lab/api/themes/@jupyterlab/theme-dark-extension/index.css", headers=headers)
        assert again.status == 304 and again.data == b"" and again.getheader("Cache-Control") == "no-cache"
    assert server.ask("GET", "lab/api/themes/@jupyterlab/nope/index.css").status == 404


def test_small_answers_are_those_the_front_end_reads(server):
    assert server.ask("GET", "api").json["version"]
    assert set(server.ask("GET", "api/status").json) == {"connections", "kernels", "last_activity", "started"}
    me = server.ask("GET", "api/me?permissions=%7B%22contents%22%3A%5B%22read%22%5D%7D").json
    assert me["identity"]["username"] == "alice" and me["permissions"] == {
        "contents": ["read"], "updatable_fields": []}
    for bad in ("%5B%5D", "%7B", "%7B%22a%22%3A1%7D", "%7B%22a%22%3A%5B1%5D%7D"):
        assert server.ask("GET", "api/me?permissions=" + bad).status == 400
    assert server.ask("GET", "lab/api/build").json["status"] == "stable"
    assert server.ask("GET", "lab/api/translations/default").json["data"] == {}
    assert server.ask("POST", "api/security/csp-report", b"{}").status == 204
    policy = server.ask("GET", "api/me").getheader("Content-Security-Policy")
    assert policy == f"frame-ancestors 'self'; report-uri {BASE}api/security/csp-report; default-src 'none'"
