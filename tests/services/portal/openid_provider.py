"""OpenID providers on loopback: the mock for the whole flow, a bare one with own keys."""

import json
import threading
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import requests
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


class _Bare:
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

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        issuer = f"http://127.0.0.1:{self._server.server_port}"
        documents["/.well-known/openid-configuration"] = {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/keys",
        }
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return issuer

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
