"""Reads for other services: stored messages, the feed, and the service's progress."""

from collections.abc import Iterable
from typing import Final

from clp_contracts import feed
from clp_contracts.messages import (
    GetMessages,
    Message,
    RevisionMentions,
    StoredMessage,
    StoredMessages,
)
from clp_messages.dependencies import Dependencies
from clp_messages.mapping import StoredRow, message_views, parse_marks
from clp_messages.queries import (
    RevisionMarks,
    earlier_marks,
    messages_by_id,
)
from clp_messages.tables import CURSORS, OUTBOX

ANNOUNCEMENTS: Final = "messages.announcements"
PROJECTS: Final = "projects"


def get_messages(request: GetMessages, *, deps: Dependencies) -> StoredMessages:
    """Return messages as they are stored now, for projections and routing."""
    with deps.database.reading() as session:
        rows = messages_by_id(session, request.message_ids)
        earlier = earlier_marks(session, (row.id for row in rows if row.revision > 1))
        views = message_views(rows)
    return StoredMessages(
        messages=tuple(
            _stored_message(view, row, earlier.get(row.id, ()))
            for view, row in zip(views, rows, strict=True)
        )
    )


def _stored_message(
    view: Message, row: StoredRow, earlier: Iterable[RevisionMarks]
) -> StoredMessage:
    current = _mentioned(row.marks)
    return StoredMessage(
        message=view,
        mentioned=current,
        history=(
            *(
                RevisionMentions(revision=one.revision, mentioned=_mentioned(one.marks))
                for one in earlier
            ),
            RevisionMentions(revision=row.revision, mentioned=current),
        ),
    )


def _mentioned(marks: str) -> tuple[str, ...]:
    """Return the people whom the marks of a text mean, in the order of their ids."""
    return tuple(sorted({mark.person for mark in parse_marks(marks)}))


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
