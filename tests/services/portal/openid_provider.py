"""OpenID providers on loopback: the mock for the whole flow, a bare one with own keys."""

import base64
import hashlib
import json
import secrets
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl

import requests
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from oidc_provider_mock import run_server_in_thread


class Provider:
    """A running provider; with ``keys`` one that publishes them and does no more."""

    def __init__(self, keys: Sequence[RSAKey] = ()) -> None:
        self._keys = keys
        self._stack = ExitStack()
        self.issuer = ""

    def __enter__(self) -> Self:
        if self._keys:
            self.issuer = self._stack.enter_context(_Bare(self._keys))
        else:
            server = self._stack.enter_context(run_server_in_thread())
            self.issuer = f"http://localhost:{server.server_port}"
            self.put_user("nat", {"name": "Nat Moreau"})
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def put_user(self, subject: str, claims: Mapping[str, str]) -> None:
        """Make somebody known to the provider."""
        address = f"{self.issuer}/users/{subject}"
        requests.put(address, json=dict(claims), timeout=5).raise_for_status()


class _Server:
    """An HTTP server in a thread of its own."""

    def serve(self, handler: type[BaseHTTPRequestHandler]) -> str:
        """Start it on a free port; return its address."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Bare(_Server):
    def __init__(self, keys: Sequence[RSAKey]) -> None:
        self._keys = KeySet(list(keys)).as_dict(private=False)

    def __enter__(self) -> str:
        documents: dict[str, object] = {"/keys": self._keys}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(documents[self.path]).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        issuer = self.serve(Handler)
        documents["/.well-known/openid-configuration"] = {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/keys",
        }
        return issuer


class OwnProvider(_Server):
    """A provider with the code flow, whose keys and sessions the test holds.

    Whoever comes is signed in as ``person``, in a session of its own.
    """

    def __init__(self, client_id: str = "clp-portal") -> None:
        self.person = ""
        self.sessions: list[str] = []
        self.key = RSAKey.generate_key(2048, auto_kid=True)
        self._client_id = client_id
        self._codes: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Self:
        self.issuer = self.serve(self._handler())
        return self

    def logout_token(self, session: str) -> str:
        """What the provider sends when a session ended (back-channel logout)."""
        event = "http://schemas.openid.net/event/backchannel-logout"
        return self._signed({"events": {event: {}}, "sid": session, "jti": session})

    def _signed(self, claims: Mapping[str, object]) -> str:
        at = int(time.time())
        common = {"iss": self.issuer, "aud": self._client_id, "iat": at, "exp": at + 60}
        header = {"alg": "RS256", "kid": self.key.kid}
        return jwt.encode(header, {**common, **claims}, self.key)

    def _authorized(self, query: str) -> str:
        """Sign the person in; return where the browser goes on."""
        parameters = dict(parse_qsl(query))
        code = secrets.token_hex(8)
        self._codes[code] = parameters
        return f"{parameters['redirect_uri']}?code={code}&state={parameters['state']}"

    def _exchanged(self, body: str) -> dict[str, str]:
        given = dict(parse_qsl(body))
        query = self._codes.pop(given["code"])
        digest = hashlib.sha256(given["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert challenge == query["code_challenge"]
        self.sessions.append(secrets.token_hex(8))
        claims = {"sub": self.person, "nonce": query["nonce"], "sid": self.sessions[-1]}
        token = self._signed(claims)
        return {"access_token": "x", "token_type": "Bearer", "id_token": token}

    def _document(self, path: str) -> dict[str, object]:
        if path == "/keys":
            return dict(KeySet([self.key]).as_dict(private=False))
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                if path == "/authorize":
                    self.send_response(303)
                    self.send_header("Location", provider._authorized(query))
                    self.end_headers()
                else:
                    self._send(provider._document(path))

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                self._send(provider._exchanged(self.rfile.read(length).decode()))

            def _send(self, values: Mapping[str, object]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(values).encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
