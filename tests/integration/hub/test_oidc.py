"""Sign-in by OpenID Connect: it works, attempts, several providers, who may, and the way out."""

import hashlib
import sqlite3
import urllib.parse

import pytest

from lib import places
from lib.hub_rig import Browser
from lib.oidc_rig import (  # noqa: F401  make_site, provider, site: fixtures
    Person, SETTINGS, at_provider, come, error_of, fake, local, make_site, provider, site, user,
)


# ---- it works ----
def test_a_person_signs_in_and_the_proxy_knows_the_session_before_the_answer(site, provider):
    person = Person(site.socket)
    there = person.begin()
    assert there.status == 302 and there.headers["Location"].startswith(f"{provider.issuer}/authorize?")
    assert there.headers["Cache-Control"] == "no-store" and there.headers["Referrer-Policy"] == "no-referrer"
    assert len(person.attempts()) == 1
    back = person.open(local(at_provider(there.headers["Location"])))
    assert (back.status, back.headers["Location"]) == (302, "/hub/spawn")
    assert back.headers["Referrer-Policy"] == "no-referrer"
    assert person.attempts() == []
    sums = {c["sha256"] for c in site.proxy.tables[-1]["credentials"]}
    assert hashlib.sha256(person.cookie.encode()).hexdigest() in sums
    assert user(person).json["name"] == "alice"


def test_next_leads_to_no_other_site(site):
    assert come(site, "//evil.example/")[1].headers["Location"] == "/hub/home"
    assert come(site, "https://evil.example/")[1].headers["Location"] == "/hub/home"


def test_a_provider_with_secrets_in_the_body_only_is_served_so(site, provider):
    provider.twist(discovery=lambda d: d.update(token_endpoint_auth_methods_supported=["client_secret_post"]))
    assert come(site)[1].headers["Location"] == "/hub/spawn"


def test_several_tabs_sign_in_at_the_same_time(site):
    person = Person(site.socket)
    begun = [person.begin(f"/hub/spawn?tab={n}") for n in range(8)]
    assert len(person.attempts()) == 8
    for n, there in enumerate(begun):
        assert person.open(local(at_provider(there.headers["Location"]))).headers["Location"] == f"/hub/spawn?tab={n}"
    assert person.attempts() == []


def test_the_ninth_attempt_of_a_browser_ends_its_oldest(site):
    person = Person(site.socket)
    begun = [person.begin() for _ in range(9)]
    assert len(person.attempts()) == 8
    answers = [person.open(local(at_provider(b.headers["Location"]))) for b in begun]
    assert error_of(answers[0]) == "expired"
    assert [a.headers["Location"] for a in answers[1:]] == ["/hub/spawn"] * 8


def test_an_attempt_survives_a_restart_of_the_hub(site):
    person = Person(site.socket)
    there = person.begin()
    site.kill_hub()
    site.hub = site.start()
    assert person.open(local(at_provider(there.headers["Location"]))).headers["Location"] == "/hub/spawn"


def test_the_id_token_may_be_for_others_too_when_it_was_issued_to_us(site, provider):
    provider.twist(claims=lambda c: c.update(aud=["cygnet hub", "other"], azp="cygnet hub"))
    assert come(site)[1].headers["Location"] == "/hub/spawn"


# ---- attempts ----
def test_an_answer_is_good_once(site, provider):
    person = Person(site.socket)
    address = local(at_provider(person.begin().headers["Location"]))
    cookies = dict(person.jar)
    assert person.open(address).headers["Location"] == "/hub/spawn"
    person.jar = cookies
    calls = provider.count("/realm/token")
    assert error_of(person.open(address)) == "expired"
    assert provider.count("/realm/token") == calls


def test_an_answer_that_failed_is_not_good_again(site, provider):
    person = Person(site.socket)
    address = local(at_provider(person.begin().headers["Location"]))
    cookies = dict(person.jar)
    provider.twist(token_answer=fake.status(500))
    assert error_of(person.open(address)) == "down"
    provider.twist()
    person.jar = cookies
    assert error_of(person.open(address)) == "expired"


def test_another_browser_cannot_use_an_answer(site, provider):
    victim, thief = Person(site.socket), Person(site.socket)
    address = local(at_provider(victim.begin().headers["Location"]))
    thief.begin()
    assert error_of(thief.open(address)) == "expired"
    assert "__Host-cygnet" not in thief.jar and provider.count("/realm/token") == 0


def test_a_cookie_of_another_attempt_does_not_fit(site):
    person = Person(site.socket)
    first, second = (person.begin().headers["Location"] for _ in range(2))
    one, other = person.attempts()
    person.jar[one], person.jar[other] = person.jar[other], person.jar[one]
    assert error_of(person.open(local(at_provider(first)))) == "expired"
    assert error_of(person.open(local(at_provider(second)))) == "expired"


@pytest.mark.parametrize("query", [
    "", "code=a", "state=b", "code=a&state=" + "0" * 64, "code=a&code=b&state=c", "code=a&state=b&state=c",
    "code=%00&state=a", "code=%zz&state=a", "error=access_denied&code=a&state=b", "state=" + "a" * 4000 + "&code=b"])
def test_an_answer_that_nobody_asked_for_is_refused(site, provider, query):
    assert error_of(Person(site.socket).open(f"/hub/oauth_callback?{query}")) == "expired"
    assert provider.count("/realm/token") == 0


def test_an_attempt_ends_by_itself(site):
    person = Person(site.socket)
    there = person.begin()
    site.hub.stop()
    with sqlite3.connect(site.state / "hub.db") as db:
        assert db.execute("UPDATE attempts SET expires = expires - 301000000").rowcount == 1
    db.close()
    site.hub = site.start()
    assert error_of(person.open(local(at_provider(there.headers["Location"])))) == "expired"


def test_head_neither_begins_nor_ends_an_attempt(site):
    person = Person(site.socket)
    assert person.open("/hub/oauth_login?provider=uni", method="HEAD").status == 405
    address = local(at_provider(person.begin().headers["Location"]))
    assert person.open(address, method="HEAD").status == 404
    assert person.open(address).headers["Location"] == "/hub/spawn"


def test_nothing_that_ends_an_attempt_is_on_disk_and_nothing_secret_in_the_log(site, provider):
    person = Person(site.socket)
    there = person.begin().headers["Location"]
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(there).query))
    secrets = [query["state"], query["nonce"], *person.jar.values(), provider.SECRET]
    files = b"".join(path.read_bytes() for path in site.state.iterdir())
    assert query["state"].encode() not in files and hashlib.sha256(query["state"].encode()).hexdigest().encode() in files
    assert not [s for s in secrets if s.encode() in files]
    person.open(local(at_provider(there)))
    secrets += [*provider.issued, person.cookie]
    files = b"".join(path.read_bytes() for path in site.state.iterdir())
    assert not [s for s in secrets if s in site.hub.log or s.encode() in files]
    assert "sign-in: alice by uni" in site.hub.log


# ---- several providers ----
OTHER = """  - id: other
    label: Another Place
    issuer: {issuer}
    client-id: cygnet hub
    client-secret-file: {secret}
    insecure-loopback: true
    allow-everyone: true
"""
NAMELESS = {"discovery": lambda d: d.pop("authorization_response_iss_parameter_supported") and None,
            "authorize": lambda params: [p for p in params if p[0] != "iss"]}


@pytest.fixture
def other():
    with fake.Provider() as op:
        yield op


@pytest.fixture
def two(make_site, provider, other, tmp_path):
    """Two providers, neither of which names itself in its responses."""
    for op in (provider, other):
        op.twist(**NAMELESS)
    return make_site(another=OTHER.format(issuer=other.issuer, secret=tmp_path / "client.secret"))


def sent_back_to(location):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))["redirect_uri"]


def test_of_several_providers_each_has_its_own_callback_address(two, provider, other):
    for name, op in (("uni", provider), ("other", other)):
        op.person = {"sub": name, "preferred_username": f"from-{name}"}
        person = Person(two.socket)
        there = person.begin(provider=name).headers["Location"]
        assert sent_back_to(there) == f"http://127.0.0.1:8000/hub/oauth_callback/{name}"
        assert person.open(local(at_provider(there))).headers["Location"] == "/hub/spawn"
        assert user(person).json["name"] == f"from-{name}"
        two.hub.wait_line(f"sign-in: {name}: its redirect address is http://127.0.0.1:8000/hub/oauth_callback/{name}$")


def test_an_honest_providers_code_never_reaches_a_hostile_one(two, provider, other):
    """Mix-up: the hostile provider sends the user on to the honest one, with the state of its own attempt."""
    person = Person(two.socket)
    honest = urllib.parse.urlsplit(person.begin(provider="other").headers["Location"])
    hostile = urllib.parse.urlsplit(person.begin(provider="uni").headers["Location"])
    mixed = dict(urllib.parse.parse_qsl(honest.query))
    mixed["state"] = dict(urllib.parse.parse_qsl(hostile.query))["state"]
    address = local(at_provider(f"{other.issuer}/authorize?{urllib.parse.urlencode(mixed)}"))
    cookies = dict(person.jar)
    assert error_of(person.open(address)) == "provider"
    assert provider.count("/realm/token") == other.count("/realm/token") == 0
    assert "__Host-cygnet" not in person.jar and other.issued[-1] not in two.hub.log
    # The attempt is over, at its own address too.
    person.jar = cookies
    assert error_of(person.open(address.replace("/oauth_callback/other", "/oauth_callback/uni"))) == "expired"
    assert provider.count("/realm/token") == 0


def test_the_address_that_several_providers_would_share_is_refused_with_what_to_do(two, other):
    person = Person(two.socket)
    address = local(at_provider(person.begin(provider="other").headers["Location"]))
    shared = address.replace("/oauth_callback/other?", "/oauth_callback?")
    assert error_of(person.open(shared)) == "callback"
    told = person.get("/hub/api/cygnet/refusals/callback").json["message"]
    assert "/hub/oauth_callback/PROVIDER" in told
    assert person.open(shared, {"Accept": "application/json"}).json == {"status": 403, "message": told}
    assert other.count("/realm/token") == 0
    assert person.open(address).headers["Location"] == "/hub/spawn"  # nothing of the attempt was touched


def test_a_single_provider_may_be_registered_with_either_address(make_site):
    site = make_site()
    person = Person(site.socket)
    there = person.begin().headers["Location"]
    assert sent_back_to(there) == "http://127.0.0.1:8000/hub/oauth_callback"
    address = local(at_provider(there)).replace("/oauth_callback?", "/oauth_callback/uni?")
    assert person.open(address).headers["Location"] == "/hub/spawn"
    there = person.begin().headers["Location"]
    assert error_of(person.open(local(at_provider(there)).replace("/oauth_callback?", "/oauth_callback/else?"))) == "provider"


def test_a_single_provider_uses_its_own_address_where_the_site_wants_it(make_site):
    site = make_site("allow-everyone: true\nown-callback: true")
    person = Person(site.socket)
    there = person.begin().headers["Location"]
    assert sent_back_to(there) == "http://127.0.0.1:8000/hub/oauth_callback/uni"
    assert person.open(local(at_provider(there))).headers["Location"] == "/hub/spawn"


# ---- out ----
def test_signing_out_goes_on_to_the_provider(site, provider):
    person, _ = come(site)
    site.proxy.wait(lambda t: t["credentials"])
    out = person.open("/hub/logout", {"Accept": "application/json", "Sec-Fetch-Site": "same-origin"}, "POST")
    assert (out.status, out.json) == (200, {"next": "/hub/oauth_logout?provider=uni"})
    assert site.proxy.users() == set() and "__Host-cygnet" not in person.jar
    there = person.open(out.json["next"]).headers["Location"]
    assert there.startswith(f"{provider.issuer}/leave?kind=rp&")
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(there).query))
    assert query == {"kind": "rp", "client_id": "cygnet hub",
                     "post_logout_redirect_uri": "http://127.0.0.1:8000/hub/login"}


def test_signing_out_stays_here_where_the_site_wants_it(make_site):
    site = make_site("allow-everyone: true\nend-session: false")
    person, _ = come(site)
    out = person.open("/hub/logout", {"Accept": "application/json", "Sec-Fetch-Site": "same-origin"}, "POST")
    assert out.json == {"next": "/hub/login"}
    assert Person(site.socket).open("/hub/oauth_logout?provider=nobody").headers["Location"] == "/hub/login"


def test_a_new_sign_in_replaces_the_browsers_session(site, provider):
    person, _ = come(site)
    old = person.cookie
    person, _ = come(site, person=person)
    assert person.cookie != old
    stale = Browser(site.socket)
    stale.cookie = old
    assert stale.get("/hub/api/user").status == 403


# ---- configuration ----
def test_a_provider_that_says_nothing_about_who_may_does_not_start(tmp_path, daemons, provider):
    file = tmp_path / "providers.yaml"
    file.write_text(SETTINGS.format(issuer=provider.issuer, secret="/nowhere", timeout=1, more="", another=""))
    (tmp_path / "state").mkdir()
    (tmp_path / "web/static").mkdir(parents=True)
    hub = daemons.start(["cygnet-hub", "--run-dir", tmp_path, "--state-dir", tmp_path / "state", "--web-dir", tmp_path / "web",
                         "--profiles", places.ROOT / "config/profiles.yaml", "--providers", file])
    hub.wait_line(r"providers.yaml:2:5: who may sign in is said by either allowed-groups or allow-everyone: true")
    assert hub.wait_exit() == 1


@pytest.mark.parametrize("url", ["http://hub.example.org/", "hub.example.org", "https://hub.example.org/lab/", "https:///",
                                 "https://hub.example.org?x"])
def test_an_address_that_browsers_keep_no_session_for_does_not_start(make_site, daemons, url):
    site = make_site()
    site.hub.stop()
    hub = daemons.start([*site.argv(), "--sign-in", "none", "--public-url", url])
    hub.wait_line(r"public-url '.*': with providers it is https://HOST/ without a path")
    assert hub.wait_exit() == 1


def test_the_sample_is_read_as_far_as_its_secret(tmp_path, daemons):
    (tmp_path / "state").mkdir()
    (tmp_path / "web/static").mkdir(parents=True)
    hub = daemons.start(["cygnet-hub", "--run-dir", tmp_path, "--state-dir", tmp_path / "state", "--web-dir", tmp_path / "web",
                         "--profiles", places.ROOT / "config/profiles.yaml",
                         "--providers", places.ROOT / "config/providers.yaml"])
    hub.wait_line(r"client-secret-file of example: .*/etc/cygnet/example.secret")
    assert hub.wait_exit() == 1
