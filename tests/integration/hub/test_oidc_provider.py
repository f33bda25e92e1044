"""Sign-in by OpenID Connect: the provider's documents and keys, and a provider that is down."""

import pytest

from lib.daemon import wait_until
from lib.oidc_rig import (  # noqa: F401  make_site, provider, site: fixtures
    PAGE, Person, at_provider, come, error_of, fake, head, local, make_site, provider, refused, site, user,
)


def provider_row(site):
    return next(p for p in Person(site.socket).get("/hub/api/cygnet/site").json["providers"] if p["id"] == "uni")


# ---- the provider's documents ----
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


# ---- down ----
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
