"""What other services are told: stored messages, the feed, and how far all this is."""

from typing import Final

from clp_contracts import feed
from clp_contracts.messages import AskContents, Content, Contents
from clp_messages.dependencies import Parts
from clp_messages.queries import mentioned_in, messages_by_id, shown_messages
from clp_messages.tables import CURSORS, OUTBOX

ANNOUNCEMENTS: Final = "messages.announcements"
PROJECTS: Final = "projects"


def contents(ask: AskContents, *, parts: Parts) -> Contents:
    """Messages as they are stored now, for projections and routing."""
    with parts.database.reading() as session:
        rows = messages_by_id(session, ask.messages)
        people = mentioned_in(session, [row.id for row in rows])
        shown = shown_messages(session, rows)
    return Contents(
        contents=tuple(
            Content(message=message, mentioned=people.get(message.id, ()))
            for message in shown
        )
    )


def changes(ask: feed.ReadChanges, *, parts: Parts) -> feed.Changes:
    """The feed after a position."""
    with parts.database.reading() as session:
        return OUTBOX.after(session, ask)


def progress(*, parts: Parts) -> feed.Progress:
    """How far the service's own feed is, and what it has read of that of `projects`."""
    with parts.database.reading() as session:
        # In the order in which work moves on, so that none is overlooked between.
        cursor = CURSORS.position(session, ANNOUNCEMENTS)
        pending = OUTBOX.pending(session)
        head = OUTBOX.head(session)
    reader = feed.ReaderProgress(reader=ANNOUNCEMENTS, source=PROJECTS, cursor=cursor)
    return feed.Progress(head=head, pending=pending, due=0, readers=(reader,))
