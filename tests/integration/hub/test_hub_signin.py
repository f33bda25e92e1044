"""The hub alone: signing in and out with a password."""

import hashlib

import pytest

from lib.hub_rig import SERVER, make_site, site  # noqa: F401  make_site, site: fixtures


def test_the_right_password_makes_a_session_that_the_proxy_knows_before_the_answer(site):
    browser = site.browser()
    answer = browser.sign_in("alice", site.PASSWORD, next="/hub/spawn")
    assert (answer.status, answer.json) == (200, {"next": "/hub/spawn"})
    cookie = answer.headers["Set-Cookie"]
    assert "; Secure" in cookie and "; HttpOnly" in cookie and "; SameSite=Lax" in cookie and "; Path=/" in cookie
    sums = {c["sha256"] for c in site.proxy.tables[-1]["credentials"]}
    assert hashlib.sha256(browser.cookie.encode()).hexdigest() in sums
    user = browser.get("/hub/api/user").json
    assert (user["name"], user["kind"], user["servers"], user["cygnet"]) == ("alice", "user", {}, {"last_end": None})


def test_a_wrong_password_gets_nothing(site):
    browser = site.browser()
    answer = browser.sign_in("alice", "wrong")
    assert (answer.status, answer.json["message"]) == (403, "Invalid username or password")
    assert "Set-Cookie" not in answer.headers
    assert browser.get("/hub/api/user").json == {"status": 403, "message": "Missing or invalid credentials."}


@pytest.mark.parametrize("name", ["", "../x", "-x", "a" * 64, "a b", "a/b", "a\0b"])
def test_an_odd_name_gets_nothing_even_with_the_password(site, name):
    assert site.browser().sign_in(name, site.PASSWORD).status in (400, 403)


def test_a_name_that_is_spelt_wrong_is_told_to_who_has_the_password(site):
    refused = site.browser().sign_in("Alice", site.PASSWORD)
    assert refused.status == 400 and "made of lower-case letters" in refused.json["message"]
    assert "Set-Cookie" not in refused.headers
    assert site.browser().sign_in("Alice", "wrong").json["message"] == "Invalid username or password"


def test_a_system_accounts_name_makes_no_account(site):
    for name in ("root", "nobody", "daemon", "www-data"):
        answer = site.browser().sign_in(name, site.PASSWORD)
        assert answer.status == 403 and "system account" in answer.json["message"], (name, answer)
        assert "Set-Cookie" not in answer.headers
    assert site.browser().sign_in("roots", site.PASSWORD).status == 200


def test_a_site_reserves_more_names_and_whoever_has_one_keeps_it(make_site):
    site = make_site()
    assert site.browser("www").get("/hub/api/user").json["name"] == "www"
    site.hub.stop()
    site.options += ["--reserved-names", "www, admin"]
    site.hub = site.start()
    assert site.browser("www").get("/hub/api/user").json["name"] == "www"
    assert site.browser().sign_in("admin", site.PASSWORD).status == 403


def test_a_reserved_name_that_is_none_keeps_the_hub_from_starting(make_site, daemons):
    site = make_site()
    site.hub.stop()
    hub = daemons.start([*site.argv(), "--reserved-names", "admin,Big Boss"])
    hub.wait_line("reserved-names: ")
    assert hub.wait_exit() == 1


def test_too_many_failures_of_one_name_are_told_to_wait(site):
    browser = site.browser()
    answers = [browser.sign_in("alice", "wrong").status for _ in range(11)]
    assert answers == [403] * 10 + [429]
    refused = browser.sign_in("alice", site.PASSWORD)
    assert refused.status == 429 and int(refused.headers["Retry-After"]) > 0
    assert browser.sign_in("bob", site.PASSWORD).status == 200


def test_a_form_of_another_site_is_refused(site):
    browser = site.browser()
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                    {"Sec-Fetch-Site": "same-site"}):
        form = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        body = f"username=alice&password={site.PASSWORD.replace(' ', '+')}"
        assert browser.ask("POST", "/hub/login", body, form).status == 403, headers
    alice = site.browser("alice")
    assert alice.ask("POST", SERVER, {}, {"Origin": "http://evil.example"}).status == 403
    assert alice.ask("POST", SERVER, "{}", {"Content-Type": "text/plain"}).status == 403
    assert alice.ask("POST", "/hub/logout", headers={"Origin": "http://127.0.0.1:8000"}).status == 200


def test_an_origin_is_compared_as_at_the_edge(site):
    alice = site.browser("alice")
    ours, forwarded = "127.0.0.1:8000", {"X-Forwarded-Proto": "http"}
    for origin, status in ((f"HTTP://{ours}", 400), (f"https://{ours}", 403), ("http://127.0.0.1", 403)):
        assert alice.ask("POST", SERVER, [], {"Origin": origin, **forwarded}).status == status, origin


def test_a_token_of_nobody_leaves_the_word_to_the_cookie(site):
    alice, strange = site.browser("alice"), {"Authorization": "token " + "d" * 64}
    assert alice.ask("GET", "/hub/api/user", headers=strange).status == 200
    assert site.browser().ask("GET", "/hub/api/user", headers=strange).status == 403
    assert alice.ask("POST", SERVER, [], {"Origin": "http://evil.example", **strange}).status == 403


def test_sign_out_removes_the_session_everywhere(site):
    browser = site.browser("alice")
    answer = browser.post("/hub/logout")
    assert answer.json == {"next": "/hub/login"} and "Max-Age=0" in answer.headers["Set-Cookie"]
    assert site.proxy.users() == set()
    assert browser.get("/hub/api/user").status == 403


def test_next_never_leaves_this_origin(site):
    for evil in ("//evil.example", "/\\evil.example", "https://evil.example", "/x\nSet-Cookie: a=b", ""):
        assert site.browser().sign_in("alice", site.PASSWORD, next=evil).json == {"next": "/hub/home"}


def test_the_development_sign_in_does_not_exist_off_loopback(tmp_path, make_site, daemons):
    site = make_site()
    site.hub.stop()
    hub = daemons.start([*site.argv(), "--public-url", "https://hub.example.org/"])
    hub.wait_line("development exists on loopback only")
    assert hub.wait_exit() == 1
