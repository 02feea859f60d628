"""The event stream of a browser (rule 49)."""

from typing import Final

from clp_contracts.errors import Refused
from clp_portal.live.updates import StreamRequest
from clp_portal.web import Context, LiveResponse, Response

LAST_EVENT_ID: Final = "Last-Event-ID"
# A browser shows so many projects at once, in however many tabs.
MAX_NAMED: Final = 50


def open_stream(context: Context) -> Response:
    """Stream the followed and the named projects.

    A browser that reconnects sends the last event id as a header. A browser that opens
    a stream names in the address (``after``) what its pages have: the ids with which
    they were drawn, or the last event that one of them received.
    """
    if context.session is None:
        raise Refused("passport.missing")
    query = context.request.query
    named = query.all("project")[:MAX_NAMED]
    followed = {project.id for project in context.followed()}
    last_event_id = context.request.headers.get(LAST_EVENT_ID)
    stream = context.deps.live.open(
        StreamRequest(
            me=context.me,
            session=context.session.key,
            locale=context.locale,
            followed=followed,
            named=named,
            gone=_unreadable(context, set(named) - followed),
            last_event_ids=(
                [last_event_id] if last_event_id else query.all("after")[:MAX_NAMED]
            ),
        )
    )
    return LiveResponse(stream=stream)


def _unreadable(context: Context, projects: set[str]) -> set[str]:
    """Return the projects whose access ended while no stream was open."""
    if not projects:
        return set()
    found = context.clients.messages.unread(projects=sorted(projects)).projects
    return projects - {one.project for one in found}
