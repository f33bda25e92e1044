"""An OpenID provider with the real protocol, which misbehaves where it is told to.

    with Provider() as op:
        op.person = {"sub": "1", "preferred_username": "alice", ...}
        op.twist(claims=lambda c: c.update(aud="other"))

Well behaved it demands what a good provider does: the registered redirect address, PKCE with S256, each code
once, the client's secret. A twist is a function that gets what is about to be sent and changes or replaces it.
Also a program of its own: op.py PORT.
"""

import base64
import contextlib
import hashlib
import http.server
import json
import secrets
import socket
import sys
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def as_json(value):
    return json.dumps(value).encode()


class Key:
    def __init__(self, kid):
        self.kid, self.private = kid, rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public(self):
        numbers = self.private.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": number(numbers.n), "e": number(numbers.e)}

    def sign(self, data):
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())


def jws(header, payload, sign):
    text = f"{b64(as_json(header))}.{b64(payload if isinstance(payload, bytes) else as_json(payload))}"
    return f"{text}.{b64(sign(text.encode()))}"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, *args):
        self.open = set()
        super().__init__(*args)

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def server_close(self):
        super().server_close()
        for request in list(self.open):
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)


class Provider:
    SECRET = "sesame & open: +1"

    def __init__(self, port=0, client_id="cygnet hub"):
        self.client_id, self.port = client_id, port
        self.person = {"sub": "subject-1", "preferred_username": "alice"}
        self.key, self.kept = Key("first"), []
        self.codes, self.asked, self.issued = {}, [], []
        self.twists, self.go_on = {}, threading.Event()
        self.server = None
        self.up()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    # ---- life ----
    def up(self):
        op = self

        class Handler(_Handler):
            provider = op

        self.go_on.clear()
        self.server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        self.issuer = f"http://127.0.0.1:{self.port}/realm"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def down(self):
        self.go_on.set()
        if self.server:
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()
            self.server = None

    def twist(self, **twists):
        self.twists = twists

    def change(self, name, value):
        """What the twist of that name makes of it."""
        twist = self.twists.get(name)
        if twist is None:
            return value
        changed = twist(value)
        return value if changed is None else changed

    def rotate(self, kid="second"):
        self.key = Key(kid)

    def count(self, path):
        return sum(1 for asked in self.asked if asked == path)

    # ---- what it says ----
    def discovery(self):
        base = self.issuer
        return {
            "issuer": base, "authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/jwks", "end_session_endpoint": f"{base}/leave?kind=rp",
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "authorization_response_iss_parameter_supported": True,
        }

    def authorize(self, query):
        """The address the browser is sent to: the user is signed in and agrees."""
        wanted = {"response_type": "code", "client_id": self.client_id, "code_challenge_method": "S256"}
        for name, value in wanted.items():
            assert query.get(name) == value, (name, query)
        assert urllib.parse.urlsplit(query["redirect_uri"]).path.startswith("/hub/oauth_callback"), query
        assert "openid" in query["scope"].split() and len(query["state"]) >= 32 and len(query["nonce"]) >= 32
        code = secrets.token_urlsafe(24)
        self.codes[code] = query
        self.issued.append(code)
        answer = self.change("authorize", [("code", code), ("state", query["state"]), ("iss", self.issuer)])
        return f"{query['redirect_uri']}?{urllib.parse.urlencode(answer)}"

    def check_client(self, authorization, form):
        if authorization:
            kind, _, value = authorization.partition(" ")
            name, _, secret = base64.b64decode(value).decode().partition(":")
            pair = urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(secret)
            return kind == "Basic" and pair == (self.client_id, self.SECRET) and "client_secret" not in form
        return (form.get("client_id"), form.get("client_secret")) == (self.client_id, self.SECRET)

    def token(self, authorization, form):
        if not self.check_client(authorization, form):
            return 401, {"error": "invalid_client"}
        query = self.codes.pop(form.get("code"), None)
        proof = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (query is None or proof != query["code_challenge"] or form.get("redirect_uri") != query["redirect_uri"]
                or form.get("grant_type") != "authorization_code"):
            return 400, {"error": "invalid_grant"}
        access = secrets.token_urlsafe(24)
        id_token = self.id_token(query["nonce"], access)
        self.issued += [access, id_token]
        return 200, {"token_type": "Bearer", "access_token": access, "expires_in": 60, "id_token": id_token}

    def id_token(self, nonce, access):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 60, "nonce": nonce,
                  "at_hash": b64(hashlib.sha256(access.encode()).digest()[:16]), **self.person}
        claims = self.change("claims", claims)
        header = self.change("header", {"alg": "RS256", "kid": self.key.kid, "typ": "JWT"})
        return self.change("id_token", jws(header, claims, lambda data: self.change("sign", self.key.sign)(data)))

    def jwks(self):
        return {"keys": [key.public() for key in [self.key, *self.kept]]}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider = None

    def log_message(self, *_args):
        pass

    def answer(self, status, body, kind="application/json", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def say(self, name, status, value):
        """The twist NAME_answer may write the whole response: it gets this handler and returns True."""
        op = self.provider
        twist = op.twists.get(f"{name}_answer")
        if twist is None or not twist(self):
            self.answer(status, as_json(op.change(name, value)))

    def do_GET(self):
        op = self.provider
        path, _, query = self.path.partition("?")
        op.asked.append(path)
        if path == "/realm/.well-known/openid-configuration":
            self.say("discovery", 200, op.discovery())
        elif path == "/realm/jwks":
            self.say("jwks", 200, op.jwks())
        elif path == "/realm/authorize":
            self.answer(302, b"", Location=op.authorize(dict(urllib.parse.parse_qsl(query))))
        else:
            self.answer(404, b"{}")

    def do_POST(self):
        op = self.provider
        op.asked.append(self.path)
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.path == "/realm/token":
            self.say("token", *op.token(self.headers.get("Authorization"), form))
        else:
            self.answer(404, b"{}")


def html(handler):
    handler.answer(200, b"<!doctype html><title>Maintenance</title>", "text/html")
    return True


def status(code):
    def twist(handler):
        handler.answer(code, b'{"error": "server_error"}')
        return True
    return twist


def huge(handler):
    handler.answer(200, b"[" + b" " * (4 << 20) + b"]")
    return True


def silent(handler):
    """Takes the request and says nothing until the provider goes on."""
    handler.provider.go_on.wait()
    return True


def redirect(location):
    def twist(handler):
        handler.answer(302, b"", Location=location)
        return True
    return twist


def es256_zero(data):
    """A signature of zeros, which a careless ECDSA takes (CVE-2022-21449)."""
    return bytes(64)


def ec_key(kid):
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "kid": kid, "x": b64(numbers.x.to_bytes(32, "big")),
            "y": b64(numbers.y.to_bytes(32, "big"))}


if __name__ == "__main__":
    with Provider(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as running:
        print(running.issuer, flush=True)
        threading.Event().wait()
