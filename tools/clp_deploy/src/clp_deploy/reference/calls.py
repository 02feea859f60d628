"""The page of calls: arguments, types, who may call, refusals."""

import inspect
import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from datetime import datetime
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from clp_contracts.client.messages import Messages
from clp_contracts.client.notifications import Notifications
from clp_contracts.client.portal import Portal
from clp_contracts.client.projects import Projects
from clp_contracts.client.search import Search
from clp_contracts.methods import Method, PassportKind
from clp_contracts.serialization import Empty
from clp_deploy.reference.markdown import as_markdown, code, page, table
from clp_deploy.reference.refusals import OF_EVERY_METHOD, refusals_of
from clp_deploy.service_inventory import methods, subjects_of_methods

NAMES: Final = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "time (RFC 3339)",
}
CLIENTS: Final = {
    "projects": Projects,
    "messages": Messages,
    "search": Search,
    "notifications": Notifications,
    "portal": Portal,
}
ABOUT: Final = """\
Every argument is by name. A call is an AMQP message to the exchange `nameko-rpc` with
the routing key `SERVICE.METHOD`, the body `{"args": [], "kwargs": {ARGUMENTS}}`, a
passport in the header `nameko.auth_token`, and `reply_to` and `correlation_id`. The
reply comes through the exchange `clp-replies` to a queue bound there with the
`reply_to` as routing key; its name begins with `rpc.reply-USER-`. The [JSON
Schemas](schemas.json) say the same for programs, and the [vectors](vectors.json) are
calls with their results."""


def calls_page() -> str:
    """The page of all calls."""
    services: dict[str, list[Method[Any, Any]]] = {}
    for method in methods().values():
        services.setdefault(method.service, []).append(method)
    shared = ", ".join(map(code, OF_EVERY_METHOD))
    return page(
        "Calls",
        ABOUT,
        f"Any call may be refused with {shared}; each call names its own"
        " besides. [Error codes](errors.md) explains them.",
        *(part for name, found in services.items() for part in _service(name, found)),
    )


def _service(name: str, found: list[Method[Any, Any]]) -> Iterator[str]:
    yield f"## {name}"
    for method in sorted(found, key=lambda one: one.name):
        yield from _call(method)


def _call(method: Method[Any, Any]) -> Iterator[str]:
    yield f"### {method.service}.{method.name}"
    yield _purpose(method)
    yield f"For {_callers(method)}."
    if rows := [_row(one, method.request) for one in fields(method.request)]:
        yield table(("argument", "type", "default"), rows)
    yield f"Response: {_text(method.response)}"
    cells = [_row(one, method.response)[:2] for one in fields(method.response)]
    yield table(("field", "type"), cells)
    if codes := refusals_of(method.service, method.name):
        yield f"Refusals: {', '.join(map(code, codes))}."


def _callers(method: Method[Any, Any]) -> str:
    subjects = subjects_of_methods()[f"{method.service}.{method.name}"]
    people = "people" if PassportKind.PERSON in method.kinds else ""
    return ", ".join(filter(None, (people, *map(code, sorted(subjects)))))


def _purpose(method: Method[Any, Any]) -> str:
    """The purpose of a call; the client has it where several calls share a request."""
    shape = method.request
    if shape is Empty or shape.__name__.endswith("Ref"):
        return _text(getattr(CLIENTS[method.service], method.name))
    return _text(shape)


def _text(thing: object) -> str:
    return as_markdown(inspect.getdoc(thing) or "")


def _row(declared: "Field[Any]", shape: type) -> tuple[str, str, str]:
    hint = get_type_hints(shape)[declared.name]
    if declared.default is MISSING and declared.default_factory is MISSING:
        default = "required"
    elif declared.default in (None, (), "", MISSING):
        default = "none"
    else:
        default = code(str(declared.default).lower())
    return code(declared.name), _type(hint), default


def _type(hint: Any) -> str:
    if hint in NAMES:
        return NAMES[hint]
    options = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        some = [_type(one) for one in options if one is not type(None)]
        return " or ".join(some) + (" or null" if type(None) in options else "")
    if get_origin(hint) is tuple:
        return f"list of {_type(options[0])}"
    if get_origin(hint) is dict:
        return f"object of {_type(options[1])}"
    inner = ", ".join(f"`{one.name}`" for one in fields(hint))
    return f"{hint.__name__} ({inner})"
