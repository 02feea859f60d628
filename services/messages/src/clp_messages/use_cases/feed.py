"""Reads for other services: stored messages, the feed, and the service's progress."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy.orm import Session

from clp_contracts import feed
from clp_contracts.health import SignValue
from clp_contracts.messages import (
    SERVICE,
    GetMessages,
    Message,
    MessageChanges,
    MessageChannel,
    MessageRef,
    ReadMessageChanges,
    RevisionMentions,
    StoredMessage,
    StoredMessages,
)
from clp_messages.dependencies import Dependencies
from clp_messages.mapping import StoredRow, message_views, parse_marks
from clp_messages.queries import (
    RevisionMarks,
    earlier_marks,
    judged_row,
    messages_by_id,
)
from clp_messages.tables import CURSORS, OUTBOX

ANNOUNCEMENTS: Final = "messages.announcements"
PROJECTS: Final = "projects"
# Of the texts in a response, in characters.
MAX_LENGTH: Final = 300_000


def get_messages(request: GetMessages, *, deps: Dependencies) -> StoredMessages:
    """Return messages as they are stored now, for projections and routing."""
    with deps.database.reading() as session:
        return StoredMessages(messages=_stored(session, request.message_ids))


def message_channel(request: MessageRef, *, deps: Dependencies) -> MessageChannel:
    """Return where a message is: a hidden one costs hardly more than a missing one."""
    with deps.database.reading() as session:
        row = judged_row(session, request.message)
    if row is None:
        return MessageChannel()
    return MessageChannel(channel=row.channel, author=row.author)


def _stored(session: Session, ids: Iterable[str]) -> tuple[StoredMessage, ...]:
    rows = messages_by_id(session, ids)
    earlier = earlier_marks(session, (row.id for row in rows if row.revision > 1))
    return tuple(
        _stored_message(view, row, earlier.get(row.id, ()))
        for view, row in zip(message_views(rows), rows, strict=True)
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


def changes(request: ReadMessageChanges, *, deps: Dependencies) -> MessageChanges:
    """Return the feed after a position, on request with the changed messages."""
    page = feed.ReadChanges(after=request.after, limit=request.limit)
    with deps.database.reading() as session:
        found = OUTBOX.after(session, page)
        changed, head = found.changes, found.head
        if not request.contents or not changed:
            return MessageChanges(changes=changed, head=head)
        # After the changes: each message is at least as new as its change.
        stored = _stored(session, dict.fromkeys(one.subject for one in changed))
    lengths = {one.message.id: len(one.message.text) for one in stored}
    changed = _within_length(changed, lengths)
    kept = {one.subject for one in changed}
    messages = tuple(one for one in stored if one.message.id in kept)
    return MessageChanges(changes=changed, head=head, messages=messages)


def _within_length(
    changes: tuple[feed.Change, ...], lengths: Mapping[str, int]
) -> tuple[feed.Change, ...]:
    """Return the first changes whose messages have a bounded length, at least one."""
    total, counted = 0, set[str]()
    for number, change in enumerate(changes):
        if change.subject not in counted:
            counted.add(change.subject)
            total += lengths.get(change.subject, 0)
        if number and total > MAX_LENGTH:
            return changes[:number]
    return changes


def progress(*, deps: Dependencies, signs: tuple[SignValue, ...] = ()) -> feed.Progress:
    """Return the head of the own feed, the cursor in that of `projects`, and signs."""
    with deps.database.reading() as session:
        # In the order in which work moves on, so that none is overlooked in between.
        cursor = CURSORS.position(session, ANNOUNCEMENTS)
        pending = OUTBOX.pending(session)
        head = OUTBOX.head(session)
        signs += OUTBOX.signs(session, SERVICE, deps.clock())
    reader = feed.ReaderProgress(reader=ANNOUNCEMENTS, source=PROJECTS, cursor=cursor)
    return feed.Progress(
        head=head, pending=pending, due=0, readers=(reader,), signs=signs
    )
