"""The proxy's decisions: table, sign-in check, owners, origins, hosts, revocation, the inner listener."""

import json
import socket
import threading
import time

import pytest

from lib import web
from lib.proxyrig import (COOKIE, INNER, OTHER, TOKEN, Backend, Proxy, Reader, credential, ended, in_parallel, reply,
                          route, values, wait_until, websocket_echo)

ALICE, BOB = "0123456789abcdef", "fedcba9876543210"
NAVIGATION = ("Accept: text/html", "Sec-Fetch-Mode: navigate")
AUTH = f"Authorization: token {TOKEN}"
JAR = f"Cookie: x=1; {COOKIE}={TOKEN}; y=2"


@pytest.fixture
def hub(tmp_path):
    one = Backend(tmp_path / "hub.sock")
    yield one
    one.stop()


@pytest.fixture
def lab(tmp_path):
    one = Backend(tmp_path / "lab.sock")
    yield one
    one.stop()


@pytest.fixture
def routes(hub, lab):
    return [route("/", f"unix:{hub.path}"), route("/hub/", f"unix:{hub.path}"),
            route("/user/alice/", f"unix:{lab.path}", "session", "alice", ALICE),
            route("/user/bob/", f"unix:{lab.path}", "session", "bob", BOB)]


CREDENTIALS = [credential(TOKEN, "alice"), credential(OTHER, "bob"), credential(INNER, "alice", server=ALICE)]


@pytest.fixture
def proxy(daemon, tmp_path, routes):
    one = Proxy(daemon, tmp_path)
    one.put(routes, CREDENTIALS)
    return one


# ---- the table ----
def test_without_a_table_it_listens_and_says_that_the_hub_is_starting(daemon, tmp_path):
    proxy = Proxy(daemon, tmp_path)
    status, fields, body = proxy.get("/user/alice/lab", *NAVIGATION)
    assert status == 503 and values(fields, "Retry-After") and b"starting" in body
    assert proxy.status()["table"] is False


@pytest.mark.parametrize(("change", "message"), [
    (lambda t: t["routes"].append(route("/x", "unix:/a")), "routes[4].prefix must begin and end with '/'"),
    (lambda t: t["routes"].append(route("/x/../", "unix:/a")), "routes[4].prefix is not a canonical path"),
    (lambda t: t["routes"].append(route("/x/", "unix:a")), "routes[4].target must name an absolute path"),
    (lambda t: t["routes"].append(route("/x/", "tcp:localhost:1")), "routes[4].target must be a numeric address"),
    (lambda t: t["routes"].append(route("/x/", "http://a")), "routes[4].target must be unix:PATH or tcp:"),
    (lambda t: t["routes"].append(route("/x/", "unix:/a", "maybe")), "routes[4].auth must be session, user or none"),
    (lambda t: t["routes"].append(route("/x/", "unix:/a", "session")), "routes[4].owner is needed"),
    (lambda t: t["routes"].append(t["routes"][2]), "routes[4].prefix is there twice"),
    (lambda t: t["routes"].append({"extra": 1}), "routes[4].extra is no key"),
    (lambda t: t["routes"].append(7), "routes[4] is not an object"),
    (lambda t: t["routes"].append(route("/x/", "unix:/a", "session", "a\nb")), "routes[4].owner holds control"),
    (lambda t: t["credentials"].append({"sha256": "ab", "user": "x"}), "credentials[3].sha256 must be 64"),
    (lambda t: t["credentials"].append(t["credentials"][0]), "credentials[3].sha256 is there twice"),
    (lambda t: t["credentials"].append({"sha256": "0" * 64}), "credentials[3].user is missing"),
    (lambda t: t["credentials"].append(credential("z", "x", -1)), "credentials[3].expires must be seconds"),
    (lambda t: t.update(routes=None), "routes must be a list"), (lambda t: t.update(more=1), "only generation"),
    (lambda t: t.update(generation="1"), "generation must be a whole number")])
def test_a_bad_table_is_refused_whole_and_the_old_one_stays(proxy, routes, change, message):
    table = json.loads(json.dumps({"generation": 99, "routes": routes, "credentials": CREDENTIALS}))
    change(table)
    answer = web.request(proxy.control, "PUT", "/table", json.dumps(table))
    assert answer.status == 400 and message in json.loads(answer.data)["message"]
    assert proxy.status()["generation"] == proxy.generation
    assert proxy.get("/user/alice/", AUTH)[0] == 200


def test_json_that_is_none_is_refused_with_its_place(proxy):
    answer = web.request(proxy.control, "PUT", "/table", '{"routes":\n [}')
    assert answer.status == 400 and "line 2" in json.loads(answer.data)["message"]


def test_a_static_table_is_read_again_on_hangup(daemon, tmp_path, hub):
    table = {"generation": 1, "routes": [route("/a/", f"unix:{hub.path}")]}
    proxy = Proxy(daemon, tmp_path, table=table)
    assert (proxy.get("/a/")[0], proxy.get("/b/")[0]) == (200, 404)
    proxy.file.write_text("{")
    proxy.daemon.kill(1).wait_line("old one stays")
    assert proxy.get("/a/")[0] == 200
    proxy.file.write_text(json.dumps({"generation": 2, "routes": [route("/b/", f"unix:{hub.path}")]}))
    proxy.daemon.kill(1).wait_line("generation 2 in force")
    assert (proxy.get("/a/")[0], proxy.get("/b/")[0]) == (404, 200)


def test_a_bad_static_table_ends_the_start_with_its_name(daemon, tmp_path):
    (tmp_path / "t.json").write_text('{"routes": 1}')
    one = daemon(["cygnet-proxy", "--listen", "127.0.0.1:0", "--table", tmp_path / "t.json"])
    assert one.wait_exit() == 1
    assert "t.json: table: routes must be a list" in one.log


# ---- routing ----
@pytest.mark.parametrize(("path", "where"), [
    ("/user/alice/", "lab"), ("/user/alice/lab?x=//..", "lab"), ("/user/%61lice/x", "lab"), ("/user/alicex/", "hub"),
    ("/user/", "hub"), ("/hub/home", "hub"), ("/", "hub"), ("/user/ALICE/", "hub"), ("/User/alice/", "hub")])
def test_the_longest_prefix_of_the_decoded_path_decides(proxy, hub, lab, path, where):
    assert proxy.get(path, AUTH)[0] == 200
    assert {"hub": hub, "lab": lab}[where].targets() == [path]


@pytest.mark.parametrize("path", ["/user/alice/../bob/", "/user/alice/%2e%2e/bob/", "/user/alice/..%2fbob/",
                                  "//user/alice/", "/user//alice/", "/user/alice/%00", "/user/alice/%zz",
                                  "/user/alice\\..\\bob/", "/user/alice/%5c../bob/", "/user/alice/./x",
                                  "/user/alice/%c0%af/", "/user/alice/%"])
def test_paths_with_two_readings_are_refused(proxy, hub, lab, path):
    assert proxy.get(path, AUTH)[0] == 400
    assert hub.seen == lab.seen == []


def test_the_closing_slash_is_added(proxy, lab):
    status, fields, _ = proxy.get("/user/alice?a=b", *NAVIGATION, JAR)
    assert (status, values(fields, "Location")) == (302, ["/user/alice/?a=b"])
    assert proxy.get("/user/alice", AUTH, method="POST")[0] == 404
    assert lab.seen == []


def test_routes_of_a_host_go_before_those_of_all(proxy, hub, lab):
    proxy.put([route("/", f"unix:{hub.path}"), route("/", f"unix:{lab.path}", host="Alice.localhost")])
    with proxy.dial() as sock:
        sock.sendall(b"GET /x HTTP/1.1\r\nHost: alice.LOCALHOST:%d\r\n\r\n" % proxy.port)
        assert Reader(sock).response()[0] == 200
    assert proxy.get("/y")[0] == 200
    assert (lab.targets(), hub.targets()) == (["/x"], ["/y"])


# ---- who ----
def test_the_owner_passes_by_cookie_and_by_token_and_neither_is_passed_on(proxy, lab):
    for field in (JAR, AUTH, f"Authorization: Bearer {TOKEN}"):
        assert proxy.get("/user/alice/", field)[0] == 200
    first, second, third = lab.seen
    assert first.values("Cookie") == ["x=1; y=2"]
    for request in lab.seen:
        assert request.values("X-Cygnet-User") == ["alice"]
        assert TOKEN not in str(request.fields)
    assert second.values("Authorization") == third.values("Authorization") == []


def test_the_hub_gets_its_cookie_and_nobodys_word_for_who_it_is(proxy, hub):
    assert proxy.get("/hub/home", JAR, "X-Cygnet-User: root")[0] == 200
    assert hub.seen[0].values("Cookie") == [f"x=1; {COOKIE}={TOKEN}; y=2"]
    assert hub.seen[0].values("X-Cygnet-User") == []


@pytest.mark.parametrize("fields", [(), ("Authorization: token " + "d" * 64,), (f"Cookie: {COOKIE}=" + "d" * 64,),
                                    (f"Cookie: {COOKIE}={TOKEN}; {COOKIE}={OTHER}",), (f"Authorization: Basic {TOKEN}",),
                                    (f"Cookie: cygnet={TOKEN}",), (f"Authorization: token {INNER}",),
                                    (f"Cookie: {COOKIE}={INNER}",)])
def test_nobody_gets_403_or_the_sign_in(proxy, lab, fields):
    status, answer, body = proxy.get("/user/alice/api", *fields)
    assert (status, json.loads(body)["status"]) == (403, 403)
    status, answer, _ = proxy.get("/user/alice/lab/tree/a b?x=1&y".replace(" ", "%20"), *fields, *NAVIGATION)
    assert status == 302
    assert values(answer, "Location") == ["/hub/login?next=/user/alice/lab/tree/a%2520b%3Fx%3D1%26y"]
    assert lab.seen == []


def test_a_fetch_that_takes_html_is_not_sent_to_the_sign_in(proxy):
    assert proxy.get("/user/alice/", "Accept: text/html", "Sec-Fetch-Mode: cors")[0] == 403


def answered(proxy, request):
    with proxy.dial() as sock:
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        return ended(sock)


def test_a_stranger_cannot_tell_whether_somebodys_server_runs(proxy, hub, lab, routes):
    """bob's server has a route, the one of carol has not: who is neither gets the same bytes from the same target."""
    proxy.put([*routes, route("/user/", f"unix:{hub.path}", "user")], CREDENTIALS)
    websocket = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    origin = f"Origin: {proxy.origin}"
    for fields in ((), NAVIGATION, (JAR,), (AUTH,), (JAR, *NAVIGATION), (JAR, origin), (JAR, origin, *websocket),
                   (JAR, *websocket), (AUTH, *websocket), websocket):
        for method, path in (("GET", ""), ("GET", "/"), ("HEAD", "/"), ("GET", "/api/x?y"), ("POST", "/api/x"), ("DELETE", "")):
            # Names of one length: pages that lead back hold them.
            one, two = (answered(proxy, proxy.head(method, f"/user/{name}{path}", fields)) for name in ("bob", "eve"))
            assert one.replace(b"/bob", b"/eve") == two, (method, path, fields)
    assert lab.seen == []
    seen = [request for request in hub.seen if request.target == "/user/bob/"]
    assert seen and {tuple(request.values("X-Cygnet-User")) for request in seen} == {("alice",)}
    # The hub looks after the rest: it gets what it needs for that.
    assert any(f"{COOKIE}={TOKEN}" in "".join(request.values("Cookie")) for request in seen)
    assert any(request.values("Authorization") for request in seen)


def test_without_a_route_for_all_users_a_stranger_finds_nothing(proxy, lab, routes):
    proxy.put(routes[2:], CREDENTIALS)
    for name in ("bob", "eve"):
        status, _, body = proxy.get(f"/user/{name}/", JAR, *NAVIGATION)
        assert status == 404 and b"nothing at this address" in body
    assert lab.seen == []


def test_a_credential_ends_at_its_time_and_its_websockets_with_it(proxy, lab, routes):
    lab.answers["/user/alice/ws"] = websocket_echo
    proxy.put(routes, [credential(TOKEN, "alice", int(time.time()) - 1)])
    assert proxy.get("/user/alice/", AUTH)[0] == 403
    proxy.put(routes, [credential(TOKEN, "alice", int(time.time()) + 4)])
    sock, reader, status = proxy.websocket("/user/alice/ws", AUTH)
    with sock:
        assert status == 101 and reader.rest() == b""
    assert proxy.get("/user/alice/", AUTH)[0] == 403


# ---- changes in place ----
def test_a_change_comes_into_force_and_leaves_the_rest_alone(proxy, lab, routes):
    lab.answers["/user/alice/ws"] = websocket_echo
    alice, reader, status = proxy.websocket("/user/alice/ws", AUTH)
    with alice:
        assert status == 101
        carol = "e" * 64
        route_of_carol = route("/user/carol/", f"unix:{lab.path}", "session", "carol", "00" * 8)
        assert proxy.get("/user/carol/", f"Authorization: token {carol}")[0] == 200 and lab.targets() == ["/user/alice/ws"]
        assert proxy.patch(routes=[route_of_carol], credentials=[credential(carol, "carol")]) == {"generation": proxy.generation}
        assert proxy.get("/user/carol/", f"Authorization: token {carol}")[0] == 200 and lab.targets()[1:] == ["/user/carol/"]
        proxy.patch(drop_routes=["/user/carol/", "/user/bob/"], drop_credentials=[carol])
        status = proxy.status()
        assert (status["routes"], status["credentials"], status["generation"]) == (3, 3, proxy.generation)
        alice.sendall(b"still here")
        assert reader.exactly(10) == b"still here"


def test_a_change_of_another_generation_is_refused_and_changes_nothing(proxy, daemon, tmp_path):
    for start in (proxy.generation - 1, 0):
        assert "builds on generation" in proxy.patch(409, start, drop_credentials=[TOKEN])["message"]
    assert proxy.get("/user/alice/", AUTH)[0] == 200
    assert proxy.status()["generation"] == proxy.generation
    assert "must be 64" in proxy.patch(400, credentials=[{"sha256": "", "user": "x"}], drop_credentials=[TOKEN])["message"]
    assert proxy.get("/user/alice/", AUTH)[0] == 200
    (tmp_path / "new").mkdir()
    assert "none yet" in Proxy(daemon, tmp_path / "new").patch(409, 1)["message"]


@pytest.mark.parametrize("change", [
    {"drop_credentials": [TOKEN]}, {"drop_routes": ["/user/alice/"]}, {"credentials": [credential(TOKEN, "mallory")]},
    {"credentials": [credential(TOKEN, "alice", server=ALICE)]}, {"credentials": [credential(TOKEN, "alice", host="a.localhost")]},
    {"routes": [route("/user/alice/", "unix:/nowhere", "session", "alice", ALICE)]},
    {"routes": [route("/user/alice/", "unix:/nowhere", "session", "bob", ALICE)]}])
def test_a_dropped_or_changed_row_cuts_its_websockets_at_once(proxy, lab, change):
    lab.answers |= {"/user/alice/ws": websocket_echo, "/user/bob/ws": websocket_echo}
    alice, reader, one = proxy.websocket("/user/alice/ws", AUTH)
    bob, bob_reader, two = proxy.websocket("/user/bob/ws", f"Authorization: token {OTHER}")
    with alice, bob:
        assert (one, two) == (101, 101)
        proxy.patch(**change)
        assert reader.rest() == b""
        bob.sendall(b"still here")
        assert bob_reader.exactly(10) == b"still here"
    assert proxy.status()["generation"] == proxy.generation


def test_a_credential_that_lasts_longer_keeps_its_websockets(proxy, lab):
    lab.answers["/user/alice/ws"] = websocket_echo
    alice, reader, _ = proxy.websocket("/user/alice/ws", AUTH)
    with alice:
        proxy.patch(credentials=[credential(TOKEN, "alice", int(time.time()) + 1000, access=["bob"])])
        alice.sendall(b"still here")
        assert reader.exactly(10) == b"still here"
        proxy.patch(drop_credentials=[TOKEN])
        assert reader.rest() == b""


def test_whoever_is_let_in_by_row_passes_as_themselves_until_they_are_not(proxy, lab):
    assert proxy.get("/user/bob/", AUTH)[0] == 200 and lab.seen == []  # the hub's
    for entry in ("bob", "bob/", "*"):
        lab.seen.clear()
        lab.answers["/user/bob/ws"] = websocket_echo
        proxy.patch(credentials=[credential(TOKEN, "alice", access=["carol", entry])])
        assert proxy.get("/user/bob/x", AUTH)[0] == 200
        assert [request.values("X-Cygnet-User") for request in lab.seen] == [["alice"]]
        sock, reader, status = proxy.websocket("/user/bob/ws", AUTH)
        own, own_reader, _ = proxy.websocket("/user/bob/ws", f"Authorization: token {OTHER}")
        with sock, own:
            assert status == 101
            proxy.patch(credentials=[credential(TOKEN, "alice", access=["bob/lab"])])
            assert reader.rest() == b""
            own.sendall(b"still here")
            assert own_reader.exactly(10) == b"still here"


def test_a_credential_of_one_host_is_good_there_alone(proxy, lab):
    proxy.patch(credentials=[credential(TOKEN, "alice", host="Alice.localhost")])
    assert proxy.get("/user/alice/", AUTH)[0] == 403
    with proxy.dial() as sock:
        sock.sendall(b"GET /user/alice/ HTTP/1.1\r\nHost: alice.LOCALHOST:%d\r\n%s\r\n\r\n" % (proxy.port, AUTH.encode()))
        assert Reader(sock).response()[0] == 200
    assert lab.targets() == ["/user/alice/"]


# ---- revocation ----
def test_revocation_cuts_websockets_and_requests_in_flight_at_once(proxy, lab, routes):
    started, release = threading.Event(), threading.Event()

    def slow(_backend, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
        started.set()
        assert release.wait(120)
        return False

    lab.answers |= {"/user/alice/ws": websocket_echo, "/user/bob/ws": websocket_echo, "/user/alice/slow": slow}
    alice, alice_reader, one = proxy.websocket("/user/alice/ws", JAR)
    bob, bob_reader, two = proxy.websocket("/user/bob/ws", f"Cookie: {COOKIE}={OTHER}")
    assert (one, two) == (101, 101)
    with alice, bob, proxy.dial() as flying:
        flying.sendall(proxy.head("GET", "/user/alice/slow", (JAR,)))
        assert started.wait(120)
        proxy.put(routes, CREDENTIALS[1:])
        # Dropped, without a close frame: that would look like the server's own word.
        assert alice_reader.rest() == b""
        assert ended(flying).endswith(b"some")
        release.set()
        bob.sendall(b"still here")
        assert bob_reader.exactly(10) == b"still here"
        assert proxy.status()["connections"]["websocket"] == 1
    assert proxy.get("/user/alice/", JAR)[0] == 403


def test_a_revoked_answer_without_a_length_is_reset_not_ended(proxy, lab, routes):
    started, release = threading.Event(), threading.Event()

    def slow(_backend, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n")
        started.set()
        assert release.wait(120)
        return False

    lab.answers["/user/alice/slow"] = slow
    with proxy.dial() as old:
        old.sendall(proxy.head("GET", "/user/alice/slow", (JAR,), version="1.0"))
        assert started.wait(120)
        reader = Reader(old)
        reader.head()
        assert reader.exactly(4) == b"some"
        proxy.put(routes, CREDENTIALS[1:])
        # HTTP/1.0 takes an end for the end of the response: a part would be taken for the whole.
        with pytest.raises(ConnectionResetError):
            reader.rest()
        release.set()


def test_a_route_that_goes_away_takes_its_connections_along(proxy, lab, routes):
    lab.answers["/user/alice/ws"] = websocket_echo
    sock, reader, status = proxy.websocket("/user/alice/ws", JAR)
    with sock:
        assert status == 101
        moved = [{**one, "owner": "bob"} if one["prefix"] == "/user/alice/" else one for one in routes]
        proxy.put(moved, CREDENTIALS)
        assert reader.rest() == b""
    seen = lab.targets()
    assert proxy.get("/user/alice/", JAR)[0] == 200 and lab.targets() == seen  # the hub's, as without a sign-in


def test_the_same_table_again_disturbs_nothing_while_requests_fly(proxy, lab, routes):
    lab.answers["/user/alice/ws"] = websocket_echo
    sock, reader, status = proxy.websocket("/user/alice/ws", JAR)
    assert status == 101
    stop = threading.Event()

    def work(number):
        if number == 0:
            for _ in range(200):
                proxy.put(routes, CREDENTIALS)
            stop.set()
            return
        with proxy.dial() as one:
            while not stop.is_set():
                assert proxy.get("/user/alice/x", JAR, sock=one)[0] == 200

    with sock:
        in_parallel(8, work)
        sock.sendall(b"alive")
        assert reader.exactly(5) == b"alive"


# ---- origins and hosts ----
@pytest.mark.parametrize(("fields", "status"), [
    (("Origin: {origin}",), 200), (("Sec-Fetch-Site: same-origin",), 200),
    (("Origin: {origin}", "Sec-Fetch-Site: same-origin"), 200), ((), 403), (("Origin: null",), 403),
    (("Origin: http://evil.example",), 403), (("Origin: https://{host}",), 403), (("Origin: http://localhost",), 403),
    (("Origin: http://{host}.evil.example",), 403), (("Sec-Fetch-Site: cross-site",), 403),
    (("Sec-Fetch-Site: same-site",), 403), (("Sec-Fetch-Site: none",), 403),
    (("Origin: {origin}", "Sec-Fetch-Site: cross-site"), 403),
    (("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"), 403)])
@pytest.mark.parametrize("path", ["/user/alice/api", "/hub/api/x"])
def test_what_changes_something_must_come_from_here(proxy, hub, lab, fields, status, path):
    fields = tuple(one.format(origin=proxy.origin, host=proxy.host) for one in fields)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert proxy.get(path, JAR, *fields, method=method)[0] == status
    assert proxy.get(path, JAR, *fields)[0] == 200
    lab.answers["/user/alice/ws"] = websocket_echo
    with proxy.dial() as sock:
        sock.sendall(proxy.head("GET", "/user/alice/ws", (
            JAR, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *fields)))
        assert int(Reader(sock).head()[0].split()[1]) == {200: 101}.get(status, status)


def test_two_origins_are_no_request(proxy, lab):
    assert proxy.get("/user/alice/api", JAR, f"Origin: {proxy.origin}", "Origin: http://evil.example")[0] == 400
    assert lab.seen == []


def test_a_token_stands_for_a_client_that_is_no_browser(proxy):
    assert proxy.get("/user/alice/api", AUTH, method="POST")[0] == 200
    assert proxy.get("/user/alice/api", AUTH, "Origin: http://evil.example", method="POST")[0] == 403
    # A token that is in no row does not excuse a cookie's request.
    assert proxy.get("/user/alice/api", JAR, "Authorization: token x", method="POST")[0] == 403


@pytest.mark.parametrize(("host", "status"), [
    ("localhost", 200), ("LOCALHOST:80", 200), ("a.b.localhost:9", 200), ("127.0.0.1:1", 200), ("[::1]:7", 200),
    ("evil.example", 421), ("localhost.evil.example", 421), ("xlocalhost", 421), ("127.0.0.2", 421),
    ("127.0.0.1.nip.io", 421), ("localhost.", 421), ("[::2]", 421), ("0.0.0.0", 421), (".localhost", 421)])
def test_foreign_names_that_lead_here_are_refused(proxy, hub, host, status):
    with proxy.dial() as sock:
        sock.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert Reader(sock).response()[0] == status
    assert len(hub.seen) == (status == 200)


def test_off_loopback_names_must_be_given(daemon):
    one = daemon(["cygnet-proxy", "--listen", "0.0.0.0:0"])
    assert one.wait_exit() == 1
    assert "option hosts must name" in one.log


# ---- the inner listener ----
def inner(proxy, path, *fields, method="GET"):
    with web.dial(proxy.inner) as sock:
        sock.sendall(proxy.head(method, path, fields))
        return Reader(sock).response(method)


def test_the_inner_door_leads_a_server_to_the_hubs_api_only(proxy, hub):
    mine = f"Authorization: token {INNER}"
    assert inner(proxy, "/hub/api/users/alice/activity", mine, "X-Cygnet-Server: " + BOB, "Cookie: a=1",
                 method="POST")[0] == 200
    request = hub.seen[0]
    assert request.values("X-Cygnet-Server") == [ALICE] and request.values("X-Cygnet-User") == ["alice"]
    assert request.values("Cookie") == [] and request.values("X-Forwarded-For") == []
    for path in ("/", "/hub/", "/hub/home", "/hub/apix", "/user/alice/"):
        assert inner(proxy, path, mine)[0] == 404, path
    assert inner(proxy, "/hub/api/../home", mine)[0] == 400
    for field in ((), (AUTH,), (f"Authorization: token {'e' * 64}",), (f"Cookie: {COOKIE}={INNER}",)):
        assert inner(proxy, "/hub/api/", *field)[0] == 403
    assert len(hub.seen) == 1


# ---- what is known ----
def test_activity_and_counts_are_told(proxy, lab):
    lab.answers["/user/alice/ws"] = websocket_echo
    lab.answers["/user/bob/x"] = reply(b"", "500 Internal Server Error")
    sock, reader, _ = proxy.websocket("/user/alice/ws", AUTH)
    with sock:
        wait_until(lambda: activity(proxy)[BOB]["last_ms_ago"] > 300, "a moment without bob")
        sock.sendall(b"x")
        assert reader.exactly(1) == b"x"
        seen = activity(proxy)
        assert seen[ALICE]["last_ms_ago"] < seen[BOB]["last_ms_ago"]
        assert set(seen) == {ALICE, BOB}
    assert proxy.get("/user/bob/x", f"Authorization: token {OTHER}")[0] == 500
    assert activity(proxy)[BOB]["last_ms_ago"] < 300_000
    counts = proxy.status()
    assert counts["answers"]["5xx"] == 1 and counts["routes"] == 4 and counts["credentials"] == 3


def activity(proxy):
    return json.loads(web.request(proxy.control, "GET", "/activity").data)["servers"]


def test_no_secret_is_in_the_log(proxy, lab):
    proxy.get("/user/alice/x?token=" + "f" * 64, AUTH)
    proxy.get("/user/alice/x", JAR)
    log = proxy.daemon.log
    assert "GET /user/alice/x 200" in log and "user alice" in log
    for secret in (TOKEN, OTHER, INNER, "f" * 64):
        assert secret not in log
