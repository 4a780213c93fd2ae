"""A provider that says whatever a test wants: GitHub, or an issuer that lies."""

import json
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey


@cache
def _key() -> RSAKey:
    """One for all of a run: to find its primes takes longer than a test."""
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Fake:
    """Speaks the addresses of GitHub, and those of an issuer that lies when it is told to."""

    def __init__(self) -> None:
        self.key = _key()
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.sign_with: RSAKey | OctKey = self.key
        self.id_token: str | None = None
        self.profile: dict[str, Any] = {"id": 7, "login": "ada", "name": "Ada Bell"}
        self.addresses: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {}
        self.large = False
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self._nonces: dict[str, str] = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner._serve(self, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                owner._serve(self, _flat(body))

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        path = urlsplit(handler.path).path
        query = _flat(urlsplit(handler.path).query)
        self.asked.append((path, form or query, dict(handler.headers)))
        if path in {"/authorize", "/login/oauth/authorize"}:
            code = f"code-{len(self._nonces)}"
            self._nonces[code] = query.get("nonce", "")
            back = query["redirect_uri"] + "?" + urlencode({"code": code, "state": query["state"]})
            handler.send_response(302)
            handler.send_header("location", back)
            handler.send_header("content-length", "0")
            handler.end_headers()
            return
        body = json.dumps(self._body(path, form)).encode()
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _body(self, path: str, form: dict[str, str]) -> Any:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        if path == "/jwks":
            others = [
                {"kty": "AKP", "kid": "of a kind that nobody knows yet"},
                {"kty": "EC", "crv": "BP-256", "x": "AA", "y": "AA", "kid": "of another curve"},
                {"kty": "RSA", "kid": "without its numbers"},
                {"kty": ["RSA"]},
            ]
            return {"keys": [*others, self.key.as_dict(private=False)]}
        if path == "/token":
            return {"access_token": "at", "id_token": self.id_token or self._signed(form["code"])}
        if path == "/login/oauth/access_token":
            return {"access_token": "gho_token", "scope": "read:user,user:email"} | self.answer
        if path == "/user":
            return self.profile | ({"bio": "x" * (2 << 20)} if self.large else {})
        return self.addresses if path == "/user/emails" else {}

    def _signed(self, code: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "windlass",
            "sub": "7",
            "iat": now,
            "exp": now + 300,
            "nonce": self._nonces[code],
            "email": "ada@example.com",
            "email_verified": True,
        }
        chosen = {n: v for n, v in (claims | self.claims).items() if v is not None}
        return jwt.encode(self.header, chosen, self.sign_with, algorithms=["RS256", "HS256"])


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
