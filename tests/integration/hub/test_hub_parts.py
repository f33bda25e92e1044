"""Hub, proxy and spawner together, all real; the spawner's engine is the one whose servers go wrong on purpose."""

import concurrent.futures
import socket

import pytest

from lib import hub_rig, places
from lib.daemon import wait_until
from lib.hub_rig import Person
from lib.spawn import Site

FAULTS = ("ok", "slow", "never", "dies", "dies-later", "bad-port", "mute", "container-fails", "setup-fails",
          "setup-hangs", "refused")
SERVER = "/hub/api/users/alice/server"


class Parts:
    def __init__(self, tmp, daemons):
        names = "".join(f"  {name}:\n    command: [\"/bin/true\"]\n    environment: {{ seconds: \"2\" }}\n" for name in FAULTS)
        self.site, self.daemons = Site(tmp, f"templates:\n{names}"), daemons
        run = self.run = self.site.run
        for folder in (run, run / "hub", run / "proxy", run / "proxy/0", run / "inner", tmp / "hub", self.site.state):
            folder.mkdir(mode=0o755, exist_ok=True)
        profiles = "".join(
            f"  - {{id: {name}, template: {name}, stacks: [system], cores: [1], memory: [256M], start-timeout-s: "
            f"{60 if name in ('ok', 'slow', 'dies-later', 'setup-hangs') else 3}}}\n" for name in FAULTS)
        self.profiles, self.password, self.state = tmp / "profiles.yaml", tmp / "password", tmp / "hub"
        self.profiles.write_text(f"stacks: [{{id: system}}]\nprofiles:\n{profiles}")
        self.password.write_text("pw")
        self.password.chmod(0o600)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.spawner, self.proxy, self.hub = self.start_spawner(), self.start_proxy(), self.start_hub()
        assert hub_rig.Browser(run / "hub/http.sock").get("/hub/health?wait=1").status == 200

    def start_spawner(self):
        return self.daemons.start(
            ["cygnet-spawner-fault", "--run-dir", self.run, "--state-dir", self.site.state, "--templates",
             self.site.templates, "--stacks", self.site.stacks])

    def start_proxy(self):
        return self.daemons.start(
            ["cygnet-proxy", "--listen", f"127.0.0.1:{self.port}", "--control", self.run / "proxy/0/control.sock",
             "--inner", self.run / "inner/hub.sock"])

    def start_hub(self):
        hub = self.daemons.start(
            ["cygnet-hub", "--sign-in", "development", "--public-url", f"http://127.0.0.1:{self.port}/", "--run-dir",
             self.run, "--state-dir", self.state, "--web-dir", places.ROOT / "src/web", "--profiles", self.profiles,
             "--dev-password-file", self.password, "--stop-grace", "2s", "--start-concurrency", "100"])
        hub.wait_line("hub: ready")
        return hub

    def person(self, name="alice"):
        person = Person(self.port)
        assert person.sign_in(name, "pw").status == 200
        return person


@pytest.fixture
def parts(tmp_path, daemons):
    return Parts(tmp_path, daemons)


def last_end(person):
    return person.get("/hub/api/user").json["cygnet"]["last_end"]


def test_a_server_is_reached_through_the_proxy_by_its_owner_alone(parts):
    alice, bob, nobody = parts.person(), parts.person("bob"), Person(parts.port)
    assert alice.get("/user/alice/api").status == 424
    assert alice.post(SERVER, {"user_options": {"profile": "ok"}}).status == 201
    assert alice.get("/user/alice/api").json == {"version": "fault"}
    assert bob.get("/user/alice/api").status == 404 and nobody.get("/user/alice/api").status == 403
    assert nobody.page("/user/alice/lab").status == 302
    assert "<!doctype html>" in alice.page("/hub/home").text
    stat = alice.get("/hub/api/cygnet/servers/alice/stat")
    assert stat.status == 200 and stat.json["kernels"] is None
    assert alice.delete(SERVER).status == 204
    assert alice.get("/user/alice/api").status == 424
    assert parts.site.leftovers() == []
    assert alice.post("/hub/logout").status == 200
    assert alice.get("/hub/api/user").status == 403


def test_a_stranger_cannot_tell_whether_somebodys_server_runs(parts):
    """Running, stopped, starting or no such user: status, body and fields are the same, through proxy and hub."""
    def seen(person, method, name, rest, headers):
        answer = person.ask(method, f"/user/{name}{rest}", headers=headers)
        fields = sorted((k.lower(), v.replace(name, "NAME")) for k, v in answer.headers.items() if k.lower() != "date")
        return answer.status, fields, answer.text.replace(name, "NAME")

    people = {name: parts.person(name) for name in ("qqruns", "qqidle", "qqmute")}
    assert people["qqruns"].post("/hub/api/users/qqruns/server", {"user_options": {"profile": "ok"}}).status == 201
    with concurrent.futures.ThreadPoolExecutor() as pool:
        start = pool.submit(people["qqmute"].post, "/hub/api/users/qqmute/server", {"user_options": {"profile": "setup-hangs"}})
        wait_until(lambda: hub_rig.record(people["qqmute"]), "the start is known")
        page = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
        for stranger, expected in ((parts.person("eve0"), {404}), (Person(parts.port), {302, 403})):
            for method, rest, headers in (("GET", "/", page), ("GET", "", page), ("GET", "/api/kernels", {}),
                                          ("GET", "/lab?x=1", page), ("HEAD", "/lab", page), ("POST", "/api/contents", {}),
                                          ("GET", "/", {"Accept": "application/json"}), ("DELETE", "/", {})):
                one, *others = [seen(stranger, method, name, rest, headers) for name in ("qqruns", "qqidle", "qqmute", "qqnone")]
                assert others == [one] * 3, (method, rest)
                assert one[0] in expected, (method, rest, one)
        assert people["qqmute"].delete("/hub/api/users/qqmute/server").status == 204
        assert start.result().status in (201, 202, 500)
    assert people["qqruns"].get("/user/qqruns/api").json == {"version": "fault"}
    assert people["qqruns"].delete("/hub/api/users/qqruns/server").status == 204


def test_a_token_that_is_not_ours_beside_a_cookie_is_the_same_at_hub_and_edge(parts):
    alice = parts.person()
    assert alice.post(SERVER, {"user_options": {"profile": "ok"}}).status == 201
    foreign = {"Authorization": "token of-something-behind"}
    assert {alice.get(path, headers=foreign).status for path in ("/hub/api/user", "/user/alice/api")} == {200}
    nobody = Person(parts.port)
    assert {nobody.get(path, headers=foreign).status for path in ("/hub/api/user", "/user/alice/api")} == {403}
    assert alice.delete(SERVER).status == 204


def test_a_token_is_good_at_the_edge_until_it_is_deleted(parts):
    alice, script, eve = parts.person(), Person(parts.port), parts.person("eve0")
    assert alice.post(SERVER, {"user_options": {"profile": "ok"}}).status == 201
    made, narrow = (alice.post("/hub/api/users/alice/tokens", body).json
                    for body in ({}, {"scopes": ["read:servers!user"]}))
    token, other = ({"Authorization": f"token {t['token']}"} for t in (made, narrow))
    assert script.get("/user/alice/api", headers=token).json == {"version": "fault"}
    assert script.get(SERVER, headers=other).status == 200
    assert script.get("/user/alice/api", headers=other).status == 403, "it does not reach servers"
    theirs = {"Authorization": f"token {eve.post('/hub/api/users/eve0/tokens', {}).json['token']}"}
    assert script.get("/user/alice/api", headers=theirs).status == 404, "another's token reaches the other's servers alone"
    parts.hub.kill()
    parts.hub.wait_exit()
    assert script.get("/user/alice/api", headers=token).status == 200, "the edge needs no hub for it"
    parts.hub = parts.start_hub()
    assert alice.delete(f"/hub/api/users/alice/tokens/{made['id']}").status == 204
    assert script.get("/user/alice/api", headers=token).status == 403
    assert alice.delete(SERVER).status == 204


def test_a_servers_credential_opens_the_inner_door_for_itself(parts):
    alice = parts.person()
    assert alice.post(SERVER, {"user_options": {"profile": "ok"}}).status == 201
    secret = next((parts.run / "servers").glob("*/secrets/credential")).read_text().strip()
    agent = hub_rig.Browser(parts.run / "inner/hub.sock")
    token = {"Authorization": f"token {secret}"}
    assert agent.ask("GET", "/hub/api/user", headers=token).json["name"] == "alice"
    stamp = {"servers": {"": {"last_activity": "2026-01-01T00:00:00Z"}}}
    assert agent.ask("POST", "/hub/api/users/alice/activity", stamp, token).status == 200
    assert agent.ask("DELETE", SERVER, headers=token).status == 403
    assert agent.ask("GET", "/hub/api/user").status == 403
    assert Person(parts.port).ask("GET", "/hub/api/user", headers=token).status == 403
    forged = {"X-Cygnet-Server": "0" * 16, "X-Cygnet-User": "alice"}
    assert Person(parts.port).ask("GET", "/hub/api/user", headers=forged).status == 403
    assert alice.delete(SERVER).status == 204
    assert agent.ask("GET", "/hub/api/user", headers=token).status == 403


@pytest.mark.parametrize("fault, words", [
    ("never", "did not answer in the time"), ("bad-port", "did not answer in the time"), ("dies", ""),
    ("container-fails", ""), ("setup-fails", ""), ("setup-hangs", ""), ("refused", "no room for another server")])
def test_a_start_that_goes_wrong_ends_with_its_cause_and_leaves_nothing(parts, fault, words):
    alice = parts.person()
    answer = alice.post(SERVER, {"user_options": {"profile": fault}})
    assert answer.status == 500 and words in answer.json["message"], answer
    end = last_end(alice)
    assert end["cause"] == "start_failed" and end["message"] == answer.json["message"]
    if fault == "setup-fails":
        assert "setup.sh: line 3: no such release" in end["lines"]
    assert alice.get("/hub/api/user").json["servers"] == {}
    assert parts.site.leftovers() == []
    assert alice.post(SERVER, {"user_options": {"profile": "ok"}}).status == 201
    assert alice.delete(SERVER).status == 204


def test_a_server_that_dies_later_is_told(parts):
    alice = parts.person()
    assert alice.post(SERVER, {"user_options": {"profile": "dies-later"}}).status == 201
    wait_until(lambda: last_end(alice), "the end is told")
    assert last_end(alice)["cause"] == "signal"
    assert alice.get("/user/alice/api").status == 424


@pytest.mark.parametrize("victim", ["hub", "proxy", "spawner"])
def test_a_killed_daemon_ends_no_server(parts, victim):
    alice = parts.person()
    assert alice.post(SERVER, {"user_options": {"profile": "ok"}}).status == 201
    killed = getattr(parts, victim)
    killed.kill()
    killed.wait_exit()
    if victim == "hub":
        assert alice.get("/user/alice/api").json == {"version": "fault"}
    setattr(parts, victim, getattr(parts, f"start_{victim}")())
    door = hub_rig.Browser(parts.run / "hub/http.sock")
    wait_until(lambda: door.get("/hub/health?wait=1").status == 200, "ready again")

    def reached():
        try:
            return alice.get("/user/alice/api").status == 200
        except (ConnectionError, OSError):
            return False

    wait_until(reached, "the server is reached again")
    assert alice.get("/hub/api/user").json["servers"][""]["ready"]
    wait_until(lambda: alice.delete(SERVER).status == 204, "it is stopped")
    wait_until(lambda: parts.site.leftovers() == [], "nothing is left")


def test_many_people_start_at_once(parts):
    names = [f"user{number}" for number in range(40)]
    people = [parts.person(name) for name in names]
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        starts = list(pool.map(
            lambda pair: pair[1].post(f"/hub/api/users/{pair[0]}/server", {"user_options": {"profile": "ok"}}).status,
            zip(names, people)))
        assert starts == [201] * 40
        assert all(pool.map(lambda pair: pair[1].get(f"/user/{pair[0]}/api").status == 200, zip(names, people)))
        stops = list(pool.map(
            lambda pair: pair[1].delete(f"/hub/api/users/{pair[0]}/server").status, zip(names, people)))
    assert set(stops) <= {204, 202}
    wait_until(lambda: parts.site.leftovers() == [], "nothing is left")
