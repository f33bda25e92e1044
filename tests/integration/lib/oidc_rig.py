"""A hub with a provider of the tests (fakes/op.py), and a browser that goes through both."""

import http.client
import sys
import urllib.parse

import pytest

from lib import places
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


def head(**changes):
    return {"header": lambda header: header.update(changes)}


def answer(**changes):
    def twist(params):
        kept = [(name, value) for name, value in params if name not in changes]
        return kept + [(name, value) for name, values in changes.items() for value in values]
    return {"authorize": twist}
