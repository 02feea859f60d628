"""Where a service meets HTTP: nameko's web server with passports, bounds and JSON.

Services take their HTTP entrypoint from here and none from nameko.
"""

from clp_chassis.http.entrypoint import HttpEntrypoint, http, open_http
from clp_chassis.http.request_body import chunks_of, declared_length
from clp_chassis.http.responses import json_answer, refusal_answer
from clp_chassis.http.server import HttpServer, http_address_of

__all__ = [
    "HttpEntrypoint",
    "HttpServer",
    "chunks_of",
    "declared_length",
    "http",
    "http_address_of",
    "json_answer",
    "open_http",
    "refusal_answer",
]
