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

    A browser that reconnects sends the last event id as a header; a tab that takes a
    stream over from another one names it in the address (``after``).
    """
    if context.session is None:
        raise Refused("passport.missing")
    query = context.request.query
    followed = context.followed()
    stream = context.deps.live.open(
        StreamRequest(
            me=context.me,
            session=context.session.key,
            locale=context.locale,
            followed=[project.id for project in followed],
            named=query.all("project")[:MAX_NAMED],
            last_event_id=(
                context.request.headers.get(LAST_EVENT_ID) or query.get("after")
            ),
        )
    )
    return LiveResponse(stream=stream)
