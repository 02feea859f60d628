"""Where a service meets HTTP: nameko's web server with passports, bounds and JSON.

Services take their HTTP entrypoint from here and none from nameko.
"""

from clp_chassis.http_edge.answers import json_answer, refusal_answer
from clp_chassis.http_edge.bodies import chunks_of, declared_length
from clp_chassis.http_edge.entrypoint import HttpEntrypoint, http, open_http
from clp_chassis.http_edge.server import HttpServer, http_address_of

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
