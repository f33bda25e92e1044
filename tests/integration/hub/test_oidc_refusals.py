"""Sign-in by OpenID Connect: what a provider may not say."""

import json
import sqlite3

import pytest

from lib.oidc_rig import (  # noqa: F401  make_site, provider, site: fixtures
    Person, answer, at_provider, come, error_of, fake, head, local, make_site, provider, refused, site,
)


def claim(**changes):
    def twist(claims):
        for name, value in changes.items():
            claims.pop(name, None) if value is None else claims.update({name: value})
    return {"claims": twist}


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
