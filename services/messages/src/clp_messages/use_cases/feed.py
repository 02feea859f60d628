"""Reads for other services: stored messages, the feed, and the service's progress."""

from typing import Final

from clp_contracts import feed
from clp_contracts.messages import GetMessages, StoredMessage, StoredMessages
from clp_messages.dependencies import Dependencies
from clp_messages.queries import mentioned_in, message_views, messages_by_id
from clp_messages.tables import CURSORS, OUTBOX

ANNOUNCEMENTS: Final = "messages.announcements"
PROJECTS: Final = "projects"


def get_messages(request: GetMessages, *, deps: Dependencies) -> StoredMessages:
    """Return messages as they are stored now, for projections and routing."""
    with deps.database.reading() as session:
        rows = messages_by_id(session, request.message_ids)
        people = mentioned_in(session, [row.id for row in rows])
        views = message_views(session, rows)
    return StoredMessages(
        messages=tuple(
            StoredMessage(message=view, mentioned=people.get(view.id, ()))
            for view in views
        )
    )


def changes(request: feed.ReadChanges, *, deps: Dependencies) -> feed.Changes:
    """Return the feed after a position."""
    with deps.database.reading() as session:
        return OUTBOX.after(session, request)


def progress(*, deps: Dependencies) -> feed.Progress:
    """Return the head of the own feed and the cursor in that of `projects`."""
    with deps.database.reading() as session:
        # In the order in which work moves on, so that none is overlooked in between.
        cursor = CURSORS.position(session, ANNOUNCEMENTS)
        pending = OUTBOX.pending(session)
        head = OUTBOX.head(session)
    reader = feed.ReaderProgress(reader=ANNOUNCEMENTS, source=PROJECTS, cursor=cursor)
    return feed.Progress(head=head, pending=pending, due=0, readers=(reader,))
