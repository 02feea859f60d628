"""The operations of the JSON API: each is an address for one method of a contract.

The values of a request come from its path, its query and its JSON body; together they
are the arguments of the method, and nothing else is taken.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final, get_args, get_type_hints

from clp_contracts import messages, notifications, projects, search
from clp_contracts.errors import Refused
from clp_contracts.methods import Method
from clp_contracts.serialization import dump, load
from clp_portal.attachment_proxy import Upload
from clp_portal.views.urls import channel_url
from clp_portal.web import Body, Context, Handler, JsonResponse, Response

API: Final = "/-/api"
CHANNEL: Final = f"{API}/channels/{{channel}}"
MESSAGE: Final = f"{API}/messages/{{message}}"
PROJECT: Final = f"{API}/projects/{{project}}"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
IF_MATCH: Final = "If-Match"
ANY: Final = "*"
CREATED: Final = 201
_NAME: Final = re.compile(r"\{(\w+)\}")
_BOOLEANS: Final = {"1": True, "true": True, "0": False, "false": False}
_REVISION: Final = re.compile(r'^(?:W/)?"(\d{1,9})"$')


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One address with a verb, and the method that it calls.

    ``query`` names the arguments that come in the query; those named in ``path`` come
    from there, ``key`` from the header ``Idempotency-Key``, ``revision`` from
    ``If-Match``, and the rest from the JSON body. ``constants`` are fixed.
    """

    verb: str
    path: str
    summary: str
    method: Method[Any, Any]
    query: tuple[str, ...] = ()
    status: int = 200
    constants: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path_names(self) -> tuple[str, ...]:
        """The arguments that the path names."""
        return tuple(_NAME.findall(self.path))

    @property
    def route_path(self) -> str:
        """The path as a router reads it; a channel's name has slashes."""
        return _NAME.sub(
            lambda m: "<path:channel>" if m[1] == "channel" else f"<{m[1]}>", self.path
        )

    @property
    def argument_names(self) -> tuple[str, ...]:
        """Every argument of the method."""
        return tuple(one.name for one in fields(self.method.request))

    @property
    def header_names(self) -> Mapping[str, str]:
        """The arguments that come as headers, by argument."""
        headers = {"key": IDEMPOTENCY_KEY, "revision": IF_MATCH}
        return {
            name: header
            for name, header in headers.items()
            if name in self.argument_names and self.verb != "GET"
        }

    @property
    def body_names(self) -> tuple[str, ...]:
        """The arguments that come in the body."""
        if self.verb in {"GET", "DELETE"}:
            return ()
        taken = {*self.path_names, *self.query, *self.header_names, *self.constants}
        return tuple(name for name in self.argument_names if name not in taken)

    @property
    def body(self) -> Body:
        """The way to read the body."""
        return Body.JSON if self.body_names else Body.NONE


OPERATIONS: Final = (
    Operation(
        verb="GET", path=f"{API}/me", summary="See who you are.", method=projects.ME
    ),
    Operation(
        verb="GET",
        path=f"{API}/projects",
        summary="Find projects by words of their title or id.",
        method=projects.FIND_PROJECTS,
        query=("typed", "cursor", "limit"),
    ),
    Operation(
        verb="GET",
        path=f"{API}/projects/followed",
        summary="List the projects that you follow.",
        method=projects.MY_PROJECTS,
    ),
    Operation(
        verb="GET", path=PROJECT, summary="See a project.", method=projects.PROJECT
    ),
    Operation(
        verb="PUT",
        path=f"{PROJECT}/following",
        summary="Follow a project.",
        method=projects.FOLLOW,
    ),
    Operation(
        verb="DELETE",
        path=f"{PROJECT}/following",
        summary="Unfollow a project.",
        method=projects.UNFOLLOW,
    ),
    Operation(
        verb="GET",
        path=f"{PROJECT}/channels",
        summary="List the channels of a project.",
        method=messages.CHANNELS,
    ),
    Operation(
        verb="GET",
        path=f"{API}/unread",
        summary="Count the unread messages of some projects.",
        method=messages.UNREAD,
        query=("projects",),
    ),
    Operation(
        verb="GET",
        path=f"{API}/conversation",
        summary="Read a channel with everything that a page of it shows.",
        method=messages.CONVERSATION,
        query=("channel", "project", "before", "after", "around", "latest", "limit"),
    ),
    Operation(
        verb="GET",
        path=f"{CHANNEL}/messages",
        summary="Read messages before, after or around a number.",
        method=messages.PAGE,
        query=("before", "after", "around", "limit"),
    ),
    Operation(
        verb="POST",
        path=f"{CHANNEL}/messages",
        summary="Post a message.",
        method=messages.POST,
        status=CREATED,
    ),
    Operation(
        verb="GET",
        path=f"{CHANNEL}/mentionable",
        summary="Complete the beginning of a name or mail address.",
        method=messages.MENTIONABLE,
        query=("typed", "limit"),
    ),
    Operation(
        verb="GET",
        path=f"{CHANNEL}/audience",
        summary="Preview whom a draft would reach.",
        method=notifications.PREVIEW,
        query=("text",),
    ),
    Operation(
        verb="PUT",
        path=f"{CHANNEL}/read-marker",
        summary="Move your read marker forward to a message.",
        method=messages.MARK_READ,
    ),
    Operation(
        verb="PUT",
        path=MESSAGE,
        summary="Replace the text of your own message.",
        method=messages.EDIT,
    ),
    Operation(
        verb="DELETE",
        path=MESSAGE,
        summary="Delete a message; its place stays.",
        method=messages.DELETE,
    ),
    Operation(
        verb="GET",
        path=f"{MESSAGE}/explanation",
        summary="See who was told of a message, and why.",
        method=notifications.EXPLAIN,
        query=("person", "language", "time_zone"),
    ),
    Operation(
        verb="GET",
        path=f"{MESSAGE}/revisions",
        summary="Read what a message said before.",
        method=messages.REVISIONS,
    ),
    Operation(
        verb="GET",
        path=f"{API}/search",
        summary="Search messages and names of files.",
        method=search.FIND,
        query=("query", "channel", "project", "cursor", "limit"),
    ),
    Operation(
        verb="GET",
        path=f"{API}/policy",
        summary="See which files may be attached.",
        method=messages.POLICY,
    ),
    Operation(
        verb="GET",
        path=f"{API}/mail-settings",
        summary="See your mail settings.",
        method=notifications.MAIL_SETTINGS,
    ),
    Operation(
        verb="PATCH",
        path=f"{API}/mail-settings",
        summary="Change your mail settings.",
        method=notifications.MAIL_SETTINGS,
    ),
    Operation(
        verb="GET",
        path=f"{API}/tickets",
        summary="List your tickets.",
        method=notifications.MY_TICKETS,
    ),
    Operation(
        verb="POST",
        path=f"{API}/tickets",
        summary="Submit a ticket to the support address.",
        method=notifications.SUBMIT_TICKET,
        status=CREATED,
    ),
)
# An upload is a body of bytes: no method of a contract, an address of its own.
UPLOAD_PATH: Final = f"{CHANNEL}/attachments"


def handler_of(operation: Operation) -> Handler:
    """Return the function that serves an operation."""

    def handle(context: Context) -> Response:
        request = load(operation.method.request, _arguments(operation, context))
        response = context.clients.call(operation.method, request)
        return JsonResponse(
            body=dump(response),
            status=operation.status,
            headers=_links(operation, context, response),
        )

    return handle


def upload(context: Context) -> Response:
    """Take a file as the raw body of a request."""
    stored = context.deps.attachments.upload(
        context.me.id,
        Upload(
            channel=context.value("channel"),
            name=context.request.query.get("name"),
            size=context.request.length,
            chunks=context.request.chunks(),
        ),
    )
    body = {"id": stored.id, "name": stored.name, "size": stored.size}
    return JsonResponse(body=body, status=CREATED)


def _arguments(operation: Operation, context: Context) -> dict[str, Any]:
    request = context.request
    values: dict[str, Any] = dict(operation.constants)
    values |= {name: request.path_values[name] for name in operation.path_names}
    values |= _query_arguments(operation, context)
    values |= _header_arguments(operation, context)
    if operation.body is Body.JSON:
        values |= _body_arguments(operation, request.json)
    return values


def _body_arguments(operation: Operation, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Refused.because("request.malformed", fields={"body": ["not an object"]})
    foreign = sorted(set(body) - set(operation.body_names))
    if foreign:
        fields_ = {name: ["unknown field"] for name in foreign}
        raise Refused.because("request.malformed", fields=fields_)
    return body


def _header_arguments(operation: Operation, context: Context) -> dict[str, Any]:
    headers = context.request.headers
    values: dict[str, Any] = {}
    if "key" in operation.header_names:
        if not headers.get(IDEMPOTENCY_KEY):
            reason = {IDEMPOTENCY_KEY: ["missing header"]}
            raise Refused.because("request.malformed", fields=reason)
        values["key"] = headers[IDEMPOTENCY_KEY]
    # Any revision will do for ``*`` (RFC 9110, 13.1.1), as without the header.
    expected = headers.get(IF_MATCH, ANY).strip()
    if "revision" in operation.header_names and expected != ANY:
        match = _REVISION.match(expected)
        if match is None:
            raise Refused.because("request.malformed", fields={IF_MATCH: ["no ETag"]})
        values["revision"] = int(match[1])
    return values


def _query_arguments(operation: Operation, context: Context) -> dict[str, Any]:
    """Read the arguments of a query by the types of the contract."""
    hints = get_type_hints(operation.method.request)
    query, values = context.request.query, {}
    for name in operation.query:
        if name in query:
            values[name] = _typed(hints[name], name, query.all(name))
    return values


def _typed(hint: Any, name: str, given: tuple[str, ...]) -> Any:
    kinds = set(get_args(hint)) | {hint}
    if tuple in {getattr(kind, "__origin__", kind) for kind in kinds}:
        return list(given)
    text = given[-1]
    if int in kinds:
        if not (text.isascii() and text.isdigit()):
            raise Refused.because("request.malformed", fields={name: ["no number"]})
        return int(text[:18])
    if bool in kinds:
        if text not in _BOOLEANS:
            raise Refused.because(
                "request.malformed", fields={name: ["no truth value"]}
            )
        return _BOOLEANS[text]
    return text


def _links(operation: Operation, context: Context, response: Any) -> Mapping[str, str]:
    """Return ``Link`` headers for a page of messages, and the ETag of an edit."""
    if isinstance(response, messages.Edited):
        return {"ETag": f'"{response.revision}"'}
    if not isinstance(response, messages.Page) or not response.messages:
        return MappingProxyType({})
    channel = str(context.value("channel"))
    path = f"{API}/channels{channel_url(channel)}/messages"
    links = []
    if response.more_before:
        links.append(f'<{path}?before={response.messages[0].number}>; rel="prev"')
    if response.more_after:
        links.append(f'<{path}?after={response.messages[-1].number}>; rel="next"')
    del operation
    return {"Link": ", ".join(links)} if links else {}
