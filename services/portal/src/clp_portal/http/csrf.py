"""The guard against cross-site requests: one check for every unsafe verb.

Browsers say where a request comes from: ``Sec-Fetch-Site``, and ``Origin`` where that
is missing. A request with neither comes from a program, which holds no cookie that a
site could abuse. Pages need no token.
"""

from typing import Final
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

from clp_contracts.errors import Refused

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES: Final = frozenset({"same-origin", "none"})


def require_same_origin(request: Request, public_url: str) -> None:
    """Let a request pass that no other site can have caused.

    Raises:
        Refused: ``request.foreign_origin``.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in OWN_SITES:
            raise Refused("request.foreign_origin")
        return
    origin = request.headers.get("Origin")
    if origin is not None and not _is_own(origin, request, public_url):
        raise Refused("request.foreign_origin")


def _is_own(origin: str, request: Request, public_url: str) -> bool:
    """Compare an origin with the public one, or with the host that was asked for."""
    given, own = urlsplit(origin), urlsplit(public_url)
    if (given.scheme, given.netloc) == (own.scheme, own.netloc):
        return True
    return given.scheme in {"http", "https"} and given.netloc == request.host
