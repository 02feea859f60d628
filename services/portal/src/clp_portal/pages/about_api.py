"""The API's description, the pages of problems, and the address of nothing."""

from clp_contracts.errors import Refused
from clp_portal.api.openapi import openapi, summary
from clp_portal.problems import known_codes, sentence_of, status_of
from clp_portal.views.urls import OPENAPI
from clp_portal.web import Context, JsonResponse, Response, TemplateResponse


def show_api(context: Context) -> Response:
    """List the operations of the API."""
    del context
    values = {"operations": summary(), "openapi_url": OPENAPI}
    return TemplateResponse(template="api.html", values=values)


def show_openapi(context: Context) -> Response:
    """Serve the description itself."""
    del context
    return JsonResponse(body=openapi())


def show_problem(context: Context) -> Response:
    """Explain a problem by its code."""
    code = context.value("code")
    if code not in known_codes():
        raise Refused("path.missing")
    values = {
        "code": code,
        "status": status_of(code),
        "sentence": sentence_of(code, context.locale),
    }
    return TemplateResponse(template="problem.html", values=values)


def show_nothing(context: Context) -> Response:
    """Say that there is nothing at this address."""
    del context
    raise Refused("path.missing")
