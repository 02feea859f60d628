"""HTTP responses of refusals: a status from a table, a code and a sentence."""

import json
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Response

from clp_chassis.clock import new_id
from clp_contracts.errors import CallFailed, Refused

log = logging.getLogger(__name__)

# Statuses of codes that every service may return; of the others, those that end in
# ``.missing`` are 404 and the rest 422.
STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "request.malformed": 400,
        "body.broken": 400,
        "passport.missing": 401,
        "passport.refused": 401,
        "passport.wrong_kind": 403,
        "path.missing": 404,
        "verb.refused": 405,
        "body.too_slow": 408,
        "service.failed": 500,
        "service.unavailable": 503,
    }
)
NONE: Final[Mapping[str, int]] = MappingProxyType({})
# Seconds after which a client of a busy server may try again.
RETRY_AFTER_S: Final = 2

# Defaults of every response: no page, no cache, no sniffing.
SAFE_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }
)


def json_response(body: Mapping[str, Any], status: int) -> Response:
    """Return a response with a JSON object."""
    return Response(
        json.dumps(body, sort_keys=True), status, mimetype="application/json"
    )


def error_response(refused: Refused, statuses: Mapping[str, int] = NONE) -> Response:
    """Return a refusal as JSON: code, sentence and detail, as over RPC."""
    body: dict[str, Any] = {
        "code": refused.code,
        "sentence": refused.sentence,
    }
    detail = dict(refused.detail)
    if incident := detail.pop("incident", None):
        body["incident"] = incident
    if detail:
        body["detail"] = detail
    response = json_response(body, status_of(refused.code, statuses))
    if response.status_code == STATUSES["passport.missing"]:
        response.headers["WWW-Authenticate"] = "Bearer"
    if response.status_code == STATUSES["service.unavailable"]:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if verbs := allowed_verbs(refused):
        response.headers["Allow"] = verbs
    return response


def allowed_verbs(refused: Refused) -> str:
    """Return the value of ``Allow`` for a refused verb (RFC 9110, 15.5.6)."""
    if refused.code != "verb.refused":
        return ""
    return ", ".join(refused.detail["verbs"])


def status_of(code: str, statuses: Mapping[str, int] = NONE) -> int:
    """Return the HTTP status of a refusal code."""
    known = statuses.get(code) or STATUSES.get(code)
    return known or (404 if code.endswith(".missing") else 422)


def handle_errors(
    respond: Callable[[], Response],
    statuses: Mapping[str, int] = NONE,
    *,
    refusal_response: Callable[[Refused], Response] | None = None,
) -> Response:
    """Return the response of a function, or the response for its error."""
    try:
        return respond()
    except Refused as error:
        refused = error
    except CallFailed as failure:
        log.warning("service unavailable: %s", failure)
        refused = Refused("service.unavailable")
    except HTTPException as error:
        refused = _refusal_of(error)
    except Exception:
        incident = new_id()
        log.exception("an HTTP request failed, incident %s", incident)
        refused = Refused.because("service.failed", incident=incident)
    if refusal_response is None:
        return error_response(refused, statuses)
    return refusal_response(refused)


def _refusal_of(error: HTTPException) -> Refused:
    match error:
        case NotFound():
            return Refused("path.missing")
        case MethodNotAllowed():
            verbs = sorted(error.valid_methods or ())
            return Refused.because("verb.refused", verbs=verbs)
        case _:
            return Refused("request.malformed")
