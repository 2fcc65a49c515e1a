"""A provider of identities (OpenID Connect) on this machine, for the test of sign-in."""

from __future__ import annotations

import json
import secrets
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "carreau"


class Provider:
    """Signs in whoever is named in ``person``; answers the four addresses that the protocol needs."""

    def __init__(self) -> None:
        self.person = "ann"
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self._codes: dict[str, tuple[str, str | None]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._get(self)

            def do_POST(self) -> None:
                provider._post(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def secrets(self, dashboard: str) -> str:
        """Return the `secrets.toml` of a dashboard that trusts this provider."""
        return (
            "[auth]\n"
            f'redirect_uri = "{dashboard}/oauth2callback"\n'
            f'cookie_secret = "{secrets.token_hex(32)}"\n'
            f'client_id = "{CLIENT}"\n'
            'client_secret = "not so secret"\n'
            f'server_metadata_url = "{self.address}/.well-known/openid-configuration"\n'
        )

    def serve(self) -> None:
        """Answer until `close`."""
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        url = urllib.parse.urlparse(request.path)
        asked = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/.well-known/openid-configuration":
            self._json(
                request,
                {
                    "issuer": self.address,
                    "authorization_endpoint": f"{self.address}/authorize",
                    "token_endpoint": f"{self.address}/token",
                    "jwks_uri": f"{self.address}/keys",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "code_challenge_methods_supported": ["S256"],
                },
            )
        elif url.path == "/keys":
            self._json(request, {"keys": [self._key.as_dict(private=False)]})
        elif url.path == "/authorize" and asked.get("client_id") == CLIENT:
            code = secrets.token_hex(8)
            self._codes[code] = (self.person, asked.get("nonce"))
            back = {"code": code, "state": asked.get("state", "")}
            request.send_response(302)
            request.send_header("Location", f"{asked['redirect_uri']}?{urllib.parse.urlencode(back)}")
            request.end_headers()
        else:
            request.send_error(404)

    def _post(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        asked = dict(urllib.parse.parse_qsl(body.decode()))
        person, nonce = self._codes.pop(asked.get("code", ""), (None, None))
        if person is None:
            request.send_error(400)
            return
        now = int(time.time())
        claims = {
            "iss": self.address, "sub": f"id-of-{person}", "aud": CLIENT, "iat": now, "exp": now + 3600,
            "nonce": nonce, "email": f"{person}@example.org", "name": person,
        }  # fmt: skip
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key)
        self._json(
            request,
            {"access_token": "none", "id_token": token, "token_type": "Bearer", "expires_in": 3600},
        )

    def _json(self, request: BaseHTTPRequestHandler, content: dict) -> None:
        body = json.dumps(content).encode()
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that answers while inside."""
    made = Provider()
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.close()
