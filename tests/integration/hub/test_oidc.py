"""Sign-in by OpenID Connect: the real hub, a provider of the tests that behaves or misbehaves as told."""

import hashlib
import http.client
import json
import sqlite3
import sys
import urllib.parse

import pytest

from lib import places
from lib.daemon import wait_until
from lib.hub_rig import Browser, HubSite

sys.path.insert(0, str(places.ROOT / "tests/fakes"))
import op as fake  # noqa: E402

ATTEMPT = "__Host-cygnet-oidc-"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "cross-site"}


class Person(Browser):
    """A browser with all its cookies."""

    def __init__(self, path):
        super().__init__(path)
        self.jar = {}

    def open(self, target, headers=None, method="GET", body=None):
        cookies = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        answer = self.ask(method, target, body, {**PAGE, **(headers or {}), **({"Cookie": cookies} if cookies else {})},
                          cookie=False)
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, rest = line.partition("=")
            value, *attributes = rest.split("; ")
            assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(attributes), line
            if "Max-Age=0" in attributes:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        self.cookie = self.jar.get("__Host-cygnet")
        return answer

    def begin(self, goal="/hub/spawn", provider="uni"):
        return self.open(f"/hub/oauth_login?provider={provider}&next={urllib.parse.quote(goal, safe='')}")

    def attempts(self):
        return [name for name in self.jar if name.startswith(ATTEMPT)]


def at_provider(location):
    """The user's browser at the provider; gives the address it is sent back to."""
    url = urllib.parse.urlsplit(location)
    conn = http.client.HTTPConnection(url.hostname, url.port, timeout=places.CEILING)
    try:
        conn.request("GET", f"{url.path}?{url.query}")
        return conn.getresponse().headers["Location"]
    finally:
        conn.close()


def local(location):
    url = urllib.parse.urlsplit(location)
    return f"{url.path}?{url.query}"


@pytest.fixture
def provider():
    with fake.Provider() as op:
        yield op


SETTINGS = """providers:
  - id: uni
    label: Example University
    issuer: {issuer}
    client-id: cygnet hub
    client-secret-file: {secret}
    scopes: openid profile groups
    groups-claim: resource_access.cygnet\\.hub.roles
    insecure-loopback: true
    timeout-ms: {timeout}
    {more}
{another}"""


@pytest.fixture
def make_site(tmp_path, daemons, provider):
    sites = []

    def make(more="allow-everyone: true", timeout=2000, another="", **changes):
        secret = tmp_path / "client.secret"
        secret.write_text(provider.SECRET + "\n")
        secret.chmod(0o600)
        file = tmp_path / "providers.yaml"
        file.write_text(SETTINGS.format(issuer=provider.issuer, secret=secret, timeout=timeout,
                                        more=more.replace("\n", "\n    "), another=another))
        sites.append(HubSite(tmp_path, daemons, ["--providers", str(file), *changes.pop("options", ())], **changes))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(make_site):
    return make_site("allow-everyone: true\nkeys-interval-ms: 3600000")


def come(site, goal="/hub/spawn", person=None):
    """Signs in as far as possible; gives the user and the hub's response to the provider's response."""
    person = person or Person(site.socket)
    there = person.begin(goal)
    assert there.status == 302, there
    return person, person.open(local(at_provider(there.headers["Location"])))


def error_of(answer):
    assert answer.status == 302, answer
    assert answer.headers["Location"].startswith("/hub/login?error="), answer.headers["Location"]
    return answer.headers["Location"].partition("=")[2]


def refused(site, person=None):
    who, answer = come(site, person=person)
    assert "__Host-cygnet" not in who.jar and who.attempts() == []
    assert site.proxy.tables == [] or site.proxy.users() == set()
    return error_of(answer)


def user(person):
    return person.get("/hub/api/user")


def roles(*names):
    return {"resource_access": {"cygnet.hub": {"roles": list(names)}}}


def provider_row(site):
    return next(p for p in Person(site.socket).get("/hub/api/cygnet/site").json["providers"] if p["id"] == "uni")


# ---- it works -------------------------------------------------------------------------------------
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


# ---- attempts -------------------------------------------------------------------------------------
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


# ---- several providers ----------------------------------------------------------------------------
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


# ---- responses that are wrong ---------------------------------------------------------------------
def claim(**changes):
    def twist(claims):
        for name, value in changes.items():
            claims.pop(name, None) if value is None else claims.update({name: value})
    return {"claims": twist}


def head(**changes):
    return {"header": lambda header: header.update(changes)}


def answer(**changes):
    def twist(params):
        kept = [(name, value) for name, value in params if name not in changes]
        return kept + [(name, value) for name, values in changes.items() for value in values]
    return {"authorize": twist}


def hmac_with_public_key(provider):
    """RS256 taken for HS256: the public key as a shared secret (CVE-2015-9235)."""
    import hmac
    secret = json.dumps(provider.key.public()).encode()
    return {**head(alg="HS256"), "sign": lambda _sign: lambda data: hmac.new(secret, data, "sha256").digest()}


def foreign_key():
    key = fake.Key("first")
    return {"sign": lambda _sign: key.sign}


def key_in_header():
    key = fake.Key("first")
    return {**head(jwk=key.public()), "sign": lambda _sign: key.sign}


def cut(token):
    return token[:-8]


def repeated(claims):
    text = json.dumps(claims)
    return (text[:-1] + ', "sub": "somebody-else"}').encode()


NOW = 1_000_000_000
WRONG = {
    "iss_other": claim(iss="https://evil.example"),
    "iss_slash": {"claims": lambda c: c.update(iss=c["iss"] + "/")},
    "iss_missing": claim(iss=None),
    "aud_other": claim(aud="other"),
    "aud_missing": claim(aud=None),
    "aud_nested": claim(aud=[["cygnet hub"]]),
    "aud_others_without_azp": claim(aud=["cygnet hub", "other"]),
    "azp_other": claim(azp="other"),
    "exp_past": claim(exp=NOW),
    "exp_missing": claim(exp=None),
    "exp_text": claim(exp="9999999999"),
    "exp_absurd": claim(exp=1e300),
    "iat_missing": claim(iat=None),
    "iat_future": claim(iat=9_999_999_999),
    "nbf_future": claim(nbf=9_999_999_999),
    "nonce_other": claim(nonce="0" * 64),
    "nonce_missing": claim(nonce=None),
    "nonce_array": {"claims": lambda c: c.update(nonce=[c["nonce"]])},
    "sub_missing": claim(sub=None),
    "sub_number": claim(sub=1),
    "sub_empty": claim(sub=""),
    "sub_long": claim(sub="x" * 256),
    "sub_control": claim(sub="a\nb"),
    "at_hash_other": claim(at_hash="A" * 22),
    "claims_twice": {"claims": repeated},
    "claims_array": {"claims": lambda c: [c]},
    "groups_number": claim(resource_access={"cygnet.hub": {"roles": 7}}),
    "groups_of_numbers": claim(resource_access={"cygnet.hub": {"roles": [7]}}),
    "alg_none": {**head(alg="none"), "sign": lambda _s: lambda _d: b""},
    "alg_None": {**head(alg="None"), "sign": lambda _s: lambda _d: b""},
    "alg_empty": {**head(alg=""), "sign": lambda _s: lambda _d: b""},
    "alg_ps256_by_name_only": head(alg="PS256"),
    "alg_es256_zero": {**head(alg="ES256"), "sign": lambda _s: fake.es256_zero},
    "crit": head(crit=["exp"]),
    "kid_unknown": head(kid="../../etc/passwd"),
    "signature_other_key": foreign_key(),
    "signature_key_in_header": key_in_header(),
    "signature_cut": {"id_token": cut},
    "token_padded": {"id_token": lambda t: t + "="},
    "token_four_parts": {"id_token": lambda t: t + ".x"},
    "token_missing": {"token": lambda t: t.pop("id_token", None) and None},
    "token_type_mac": {"token": lambda t: t.update(token_type="mac")},
    "token_expires_text": {"token": lambda t: t.update(expires_in="soon")},
    "token_array": {"token": lambda t: [t]},
    "token_html": {"token_answer": fake.html},
    "token_400": {"token_answer": fake.status(400)},
    "token_huge": {"token_answer": fake.huge},
    "token_redirect": {"token_answer": fake.redirect("/realm/token2")},
    "jwks_html": {"jwks_answer": fake.html},
    "jwks_empty": {"jwks": lambda j: j.update(keys=[])},
    "jwks_other_use": {"jwks": lambda j: j["keys"][0].update(use="enc")},
    "jwks_other_kind": {"jwks": lambda j: j.update(keys=[fake.ec_key("first")])},
    "jwks_array": {"jwks": lambda j: [j]},
    "response_iss_other": answer(iss=["https://evil.example"]),
    "response_iss_missing": answer(iss=[]),
    "response_error_unknown": answer(code=[], error=["<b>server</b>"]),
    "response_code_of_nobody": answer(code=["made-up"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_signs_nobody_in(site, provider, name):
    provider.twist(**WRONG[name])
    assert refused(site) == "provider"
    with sqlite3.connect(site.state / "hub.db") as db:
        assert db.execute("SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM sessions)"
                          " + (SELECT count(*) FROM attempts)").fetchone() == (0,)
    db.close()


def test_the_public_key_is_no_shared_secret(site, provider):
    provider.twist(**hmac_with_public_key(provider))
    assert refused(site) == "provider"


@pytest.mark.parametrize("changes", [{"code": ["a", "b"]}, {"iss": ["http://a", "http://b"]}, {"state": ["x", "y"]}])
def test_a_parameter_that_comes_twice_is_refused(site, provider, changes):
    provider.twist(**answer(**changes))
    assert error_of(come(site)[1]) == "expired"


def test_a_person_who_cancels_is_told_so(site, provider):
    provider.twist(**answer(code=[], error=["access_denied"]))
    assert refused(site) == "cancelled"


def test_a_script_gets_the_refusal_as_json(site, provider):
    provider.twist(**claim(nonce="0" * 64))
    person = Person(site.socket)
    address = local(at_provider(person.begin().headers["Location"]))
    got = person.open(address, {"Accept": "application/json"})
    assert got.status == 502 and "identity provider" in got.json["message"]


# ---- the provider's documents ---------------------------------------------------------------------
BAD_DOCUMENTS = {
    "issuer_other": {"discovery": lambda d: d.update(issuer="https://evil.example")},
    "issuer_slash": {"discovery": lambda d: d.update(issuer=d["issuer"] + "/")},
    "jwks_missing": {"discovery": lambda d: d.pop("jwks_uri") and None},
    "token_http": {"discovery": lambda d: d.update(token_endpoint="http://198.51.100.1/token")},
    "token_file": {"discovery": lambda d: d.update(token_endpoint="file:///etc/passwd")},
    "no_s256": {"discovery": lambda d: d.update(code_challenge_methods_supported=["plain"])},
    "html": {"discovery_answer": fake.html},
    "huge": {"discovery_answer": fake.huge},
    "redirect": {"discovery_answer": fake.redirect("/realm/elsewhere")},
    "503": {"discovery_answer": fake.status(503)},
    "silent": {"discovery_answer": fake.silent},
}


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
def test_a_bad_document_is_said_on_the_sign_in_page_and_begins_nothing(make_site, provider, name):
    provider.twist(**BAD_DOCUMENTS[name])
    site = make_site("allow-everyone: true\ncheck-interval-ms: 50", timeout=300)
    wait_until(lambda: provider_row(site)["down_since"], "the provider is said to be down")
    assert provider_row(site)["message"]
    assert error_of(Person(site.socket).begin()) == "down"
    assert provider.count("/realm/elsewhere") == 0
    provider.go_on.set()
    provider.twist()
    wait_until(lambda: provider_row(site)["down_since"] is None, "the provider is back")
    assert come(site)[1].headers["Location"] == "/hub/spawn"


def test_new_keys_are_read_when_a_token_names_one(site, provider):
    come(site)
    assert provider.count("/realm/jwks") == 1
    come(site)
    assert provider.count("/realm/jwks") == 1
    provider.rotate()
    assert come(site)[1].headers["Location"] == "/hub/spawn"
    assert provider.count("/realm/jwks") == 2


def test_new_keys_without_names_are_read_when_the_old_ones_do_not_fit(site, provider):
    provider.twist(header=lambda h: h.pop("kid") and None, jwks=lambda j: j["keys"][0].pop("kid") and None)
    come(site)
    provider.rotate()
    assert come(site)[1].headers["Location"] == "/hub/spawn"
    assert provider.count("/realm/jwks") == 2


def test_unknown_keys_cause_no_flood_of_readings(site, provider):
    come(site)
    provider.twist(**head(kid="nobody's"))
    assert [error_of(come(site)[1]) for _ in range(5)] == ["provider"] * 5
    assert provider.count("/realm/jwks") == 2


def test_a_withdrawn_key_is_not_used_after_the_keys_were_read_again(make_site, provider):
    site = make_site("allow-everyone: true\nkeys-interval-ms: 1")
    come(site)
    old = provider.key
    provider.rotate()
    come(site)
    provider.key, new = old, provider.key
    provider.twist(jwks=lambda _: {"keys": [new.public()]})
    assert error_of(come(site)[1]) == "provider"


# ---- down -----------------------------------------------------------------------------------------
def test_while_the_provider_is_down_the_page_says_so_and_people_go_on(make_site, provider):
    site = make_site("allow-everyone: true\ncheck-interval-ms: 50")
    person, _ = come(site)
    assert provider_row(site)["down_since"] is None
    provider.down()
    wait_until(lambda: provider_row(site)["down_since"], "the provider is said to be down")
    assert provider_row(site)["message"] == "It cannot be reached."
    assert error_of(Person(site.socket).begin()) == "down"
    assert user(person).status == 200
    assert person.post("/hub/api/users/alice/server", {}).status == 201
    out = person.open("/hub/logout", {"Accept": "application/json", "Sec-Fetch-Site": "same-origin"}, "POST")
    assert (out.status, out.json) == (200, {"next": "/hub/login"})
    provider.up()
    wait_until(lambda: provider_row(site)["down_since"] is None, "the provider is back")
    assert come(site)[1].headers["Location"] == "/hub/spawn"


def test_a_provider_that_dies_between_the_two_halves_is_down(site, provider):
    person = Person(site.socket)
    address = local(at_provider(person.begin().headers["Location"]))
    provider.down()
    assert error_of(person.open(address)) == "down"
    assert provider_row(site)["down_since"]


def test_a_token_call_that_takes_too_long_is_ended(site, provider):
    provider.twist(token_answer=fake.silent)
    assert refused(site) == "down"
    assert provider_row(site)["message"] == "It does not answer in time."


def test_a_browser_that_leaves_meanwhile_leaves_nothing(site, provider):
    provider.twist(token_answer=fake.silent)
    person = Person(site.socket)
    address = local(at_provider(person.begin().headers["Location"]))
    conn = person.connection()
    cookies = "; ".join(f"{name}={value}" for name, value in person.jar.items())
    conn.request("GET", address, headers={**PAGE, "Cookie": cookies})
    wait_until(lambda: provider.count("/realm/token") == 1, "the token call")
    conn.close()
    provider.go_on.set()
    provider.twist()
    assert come(site)[1].headers["Location"] == "/hub/spawn"
    assert site.proxy.users() == {"alice"}


# ---- who may --------------------------------------------------------------------------------------
GATE = "allowed-groups: [users, admins]\nadmin-groups: [admins]"


def test_somebody_outside_the_groups_is_refused(make_site, provider):
    site = make_site(GATE)
    for groups in ({}, roles(), roles("Users", "user", "users "), {"resource_access": {"cygnet": {"hub": ["users"]}}}):
        provider.person = {"sub": "1", "preferred_username": "mallory", **groups}
        assert refused(site) == "group"
    provider.person = {"sub": "2", "preferred_username": "alice", **roles("users")}
    person, answer = come(site)
    assert answer.headers["Location"] == "/hub/spawn"
    assert (user(person).json["groups"], user(person).json["admin"]) == (["users"], False)
    assert audit(site, "sign-in.refused")[0][:2] == ("nobody", "")
    assert [json.loads(row[2])["name"] for row in audit(site, "sign-in.refused")] == ["mallory"] * 4


def audit(site, action):
    with sqlite3.connect(f"file:{site.state}/hub.db?mode=ro", uri=True) as db:
        return db.execute("SELECT actor, object, detail FROM audit WHERE action=? ORDER BY id", (action,)).fetchall()


def test_groups_are_replaced_at_each_sign_in(make_site, provider):
    site = make_site(GATE)
    provider.person.update(roles("users", "admins", "teachers"))
    person, _ = come(site)
    assert user(person).json["admin"] and sorted(user(person).json["groups"]) == ["admins", "teachers", "users"]
    provider.person.update(roles("users"))
    person, _ = come(site)
    assert (user(person).json["groups"], user(person).json["admin"]) == (["users"], False)
    (actor, name, _), = audit(site, "user.make")
    assert (actor.split(":")[0], name) == ("provider", "user:alice")
    assert [row[0] for row in audit(site, "user.admin")] == [actor]


def test_groups_decide_what_is_offered(make_site, provider):
    site = make_site()
    provider.person.update(roles("teachers"))
    person, _ = come(site)
    offered = {p["id"]: p for p in person.get("/hub/api/cygnet/form").json["profiles"]}
    assert offered["course"]["available"]
    provider.person = {"sub": "2", "preferred_username": "bob"}
    bob, _ = come(site)
    offered = {p["id"]: p for p in bob.get("/hub/api/cygnet/form").json["profiles"]}
    assert (offered["course"]["available"], offered["course"]["reason"]) == (False, "Needs the group teachers.")
    course = {"profile": "course", "stack": "2026a", "cores": 1, "memory_mb": 1024}
    assert bob.post("/hub/api/users/bob/server", course).status == 403
    assert person.post("/hub/api/users/alice/server", course).status == 201


def test_two_people_never_share_an_account(site, provider):
    come(site)
    for name in ("alice", "Alice", "ALICE"):
        provider.person = {"sub": "another", "preferred_username": name}
        assert error_of(come(site)[1]) == "account"
    assert site.browser("bob").get("/hub/api/user").json["name"] == "bob"
    provider.person = {"sub": "bob", "preferred_username": "bob"}
    assert error_of(come(site)[1]) == "account"


def test_an_account_stays_its_owners_whatever_the_name_becomes(site, provider):
    come(site)
    provider.person["preferred_username"] = "alice-married"
    person, _ = come(site)
    assert user(person).json["name"] == "alice"


@pytest.mark.parametrize("name", [None, "", 7, ["alice"], "a" * 33, "../etc", "a b", "al\u0131ce", "a@b", "-a", "a\n", "root/"])
def test_a_name_that_cannot_be_used_is_refused_not_mended(site, provider, name):
    provider.person = {"sub": "1", "preferred_username": name}
    assert refused(site) == "name"


def test_a_system_accounts_name_from_a_provider_makes_no_account(site, provider):
    provider.person = {"sub": "clever", "preferred_username": "root"}
    assert refused(site) == "reserved"


def test_an_account_is_not_lost_when_its_name_becomes_a_system_accounts(site, provider):
    come(site)
    provider.person = {**provider.person, "preferred_username": "daemon"}
    assert user(come(site)[0]).json["name"] == "alice"


def test_only_known_people_get_in_where_accounts_are_not_made(make_site):
    site = make_site(options=["--create-users", "false"])
    assert refused(site) == "account"


# ---- out ------------------------------------------------------------------------------------------
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


# ---- configuration --------------------------------------------------------------------------------
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
