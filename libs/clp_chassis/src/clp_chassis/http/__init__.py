"""HTTP edge: Nameko's web server with passports, limits and JSON errors.

Services import their HTTP entrypoints from here and none from Nameko.
"""

from clp_chassis.http.entrypoint import HttpEntrypoint, http, public_http
from clp_chassis.http.event_stream import EventStream, EventStreamResponse
from clp_chassis.http.request_body import declared_length, iter_chunks
from clp_chassis.http.responses import error_response, json_response
from clp_chassis.http.seats import HTTP_LIMITS, HttpLimits, TrustedProxies
from clp_chassis.http.server import HttpServer, http_address_of, take_person_seat

__all__ = [
    "HTTP_LIMITS",
    "EventStream",
    "EventStreamResponse",
    "HttpEntrypoint",
    "HttpLimits",
    "HttpServer",
    "TrustedProxies",
    "declared_length",
    "error_response",
    "http",
    "http_address_of",
    "iter_chunks",
    "json_response",
    "public_http",
    "take_person_seat",
]
