"""HTTP edge: Nameko's web server with passports, limits and JSON errors.

Services import their HTTP entrypoints from here and none from Nameko.
"""

from clp_chassis.http.entrypoint import HttpEntrypoint, http, public_http
from clp_chassis.http.event_stream import EventStream, EventStreamResponse
from clp_chassis.http.request_body import BodyFile, declared_length, iter_chunks
from clp_chassis.http.responses import (
    RETRY_AFTER_S,
    allowed_verbs,
    error_response,
    json_response,
)
from clp_chassis.http.seats import HTTP_LIMITS, HttpLimits, TrustedProxies
from clp_chassis.http.server import HTTP_REFUSALS, HttpServer, http_address_of

__all__ = [
    "HTTP_LIMITS",
    "HTTP_REFUSALS",
    "RETRY_AFTER_S",
    "BodyFile",
    "EventStream",
    "EventStreamResponse",
    "HttpEntrypoint",
    "HttpLimits",
    "HttpServer",
    "TrustedProxies",
    "allowed_verbs",
    "declared_length",
    "error_response",
    "http",
    "http_address_of",
    "iter_chunks",
    "json_response",
    "public_http",
]
