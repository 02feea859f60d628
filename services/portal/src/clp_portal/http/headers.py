"""Headers of every response of the portal."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
)
PAGE_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Vary": "Cookie, Accept-Language",
    }
)
HTTPS_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {"Strict-Transport-Security": "max-age=31536000"}
)


def response_headers(public_url: str, *, provider: str) -> dict[str, str]:
    """Return the headers for a portal that browsers reach under an address.

    The form that signs out is answered with a redirect to the identity provider, and
    browsers judge redirects of forms by the policy for forms.
    """
    headers = {"Content-Security-Policy": _policy(provider), **PAGE_HEADERS}
    if public_url.startswith("https:"):
        headers |= HTTPS_HEADERS
    return headers


def _policy(provider: str) -> str:
    parts = urlsplit(provider)
    origin = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return "; ".join((*CONTENT_SECURITY_POLICY, f"form-action 'self'{origin}"))
