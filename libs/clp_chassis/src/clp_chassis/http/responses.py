"""Refusals as HTTP answers: a status from a table, a code and a sentence, no trace."""

import json
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Response

from clp_chassis.clock import new_id
from clp_contracts.error_codes import CODES
from clp_contracts.errors import CallFailed, Refused

log = logging.getLogger(__name__)

# Statuses of the codes that any edge answers; what is missing here and ends in
# ``.missing`` is a 404, the rest is a 422.
STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "ask.malformed": 400,
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

# No answer of ours is a page, is kept by anybody on the way, or guessed at.
SAFE_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }
)


def json_answer(body: Mapping[str, Any], status: int) -> Response:
    """A JSON object as an answer."""
    return Response(
        json.dumps(body, sort_keys=True), status, mimetype="application/json"
    )


def refusal_answer(refused: Refused, statuses: Mapping[str, int] = NONE) -> Response:
    """A refusal as JSON with its code and sentence, and nothing about the inside."""
    body = {"code": refused.code, "sentence": CODES.get(refused.code, refused.code)}
    if incident := refused.detail.get("incident"):
        body["incident"] = incident
    answer = json_answer(body, status_of(refused.code, statuses))
    if answer.status_code == STATUSES["passport.missing"]:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def status_of(code: str, statuses: Mapping[str, int] = NONE) -> int:
    """The HTTP status of a refusal code."""
    known = statuses.get(code) or STATUSES.get(code)
    return known or (404 if code.endswith(".missing") else 422)


def answered(
    answer: Callable[[], Response], statuses: Mapping[str, int] = NONE
) -> Response:
    """An answer, whatever happens while it is made."""
    try:
        return answer()
    except Refused as refused:
        return refusal_answer(refused, statuses)
    except CallFailed as failure:
        log.warning("answered as unavailable: %s", failure)
        return refusal_answer(Refused("service.unavailable"))
    except HTTPException as error:
        return refusal_answer(Refused(_code_of(error)))
    except Exception:
        incident = new_id()
        log.exception("an HTTP call failed, incident %s", incident)
        return refusal_answer(Refused.because("service.failed", incident=incident))


def _code_of(error: HTTPException) -> str:
    match error:
        case NotFound():
            return "path.missing"
        case MethodNotAllowed():
            return "verb.refused"
        case _:
            return "ask.malformed"
