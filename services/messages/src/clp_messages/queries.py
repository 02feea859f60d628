"""Queries shared by the use cases."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import in_array
from clp_contracts.messages import Message
from clp_messages.mapping import ProjectReader, message_view
from clp_messages.tables import (
    AttachmentRow,
    ChannelRow,
    MentionRow,
    MessageRow,
    ReadMarkerRow,
    RevisionRow,
)

# The form of the ids that the service makes; anything else is not looked up.
RANDOM: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)

# Built once at import: they run for every page and every batch of mails.
MESSAGES: Final = select(MessageRow).where(in_array(MessageRow.id, "ids"))
PROJECTS: Final = select(MessageRow.id, MessageRow.project).where(
    in_array(MessageRow.id, "ids")
)
ATTACHMENTS: Final = (
    select(AttachmentRow)
    .where(in_array(AttachmentRow.message, "messages"))
    .order_by(AttachmentRow.message, AttachmentRow.place)
)
EARLIER_MARKS: Final = (
    select(RevisionRow.message, RevisionRow.revision, RevisionRow.marks)
    .where(in_array(RevisionRow.message, "messages"))
    .order_by(RevisionRow.message, RevisionRow.revision)
)
MENTIONS: Final = (
    select(MentionRow.message, MentionRow.person)
    .where(in_array(MentionRow.message, "messages"))
    .order_by(MentionRow.message, MentionRow.person)
)
MARKERS: Final = select(
    ReadMarkerRow.person, ReadMarkerRow.channel, ReadMarkerRow.number
).where(
    in_array(ReadMarkerRow.person, "people"),
    in_array(ReadMarkerRow.channel, "channels"),
)


def random_ids(ids: Iterable[str]) -> Iterator[str]:
    """Yield those ids that have the form of ours."""
    return (given for given in ids if RANDOM.fullmatch(given))


def message_by_id(
    session: Session, id: str, *, lock: bool = False
) -> MessageRow | None:
    """Return a message; ``lock`` holds its row until the commit."""
    if not RANDOM.fullmatch(id):
        return None
    statement = select(MessageRow).where(MessageRow.id == id)
    return session.scalar(statement.with_for_update() if lock else statement)


def messages_by_id(session: Session, ids: Iterable[str]) -> list[MessageRow]:
    """Return the messages of these ids that exist."""
    return list(session.scalars(MESSAGES, {"ids": random_ids(ids)}))


def projects_of(session: Session, messages: Iterable[str]) -> Mapping[str, str]:
    """Return the project of each message that exists."""
    rows = session.execute(PROJECTS, {"ids": random_ids(messages)})
    return {row.id: row.project for row in rows}


def last_number(session: Session, channel: str) -> int:
    """Return the number of a channel's last message; 0 if it has none."""
    statement = select(ChannelRow.last_number).where(ChannelRow.name == channel)
    return session.scalar(statement) or 0


def message_views(
    session: Session, rows: Collection[MessageRow], reader: ProjectReader | None = None
) -> tuple[Message, ...]:
    """Return messages as a reader sees them, or as stored, in the same order."""
    files = attachments_of(session, (row.id for row in rows if not row.deleted_at))
    return tuple(message_view(row, files.get(row.id, ()), reader) for row in rows)


def attachments_of(
    session: Session, messages: Iterable[str]
) -> Mapping[str, list[AttachmentRow]]:
    """Return the attachments of messages, by message and in their order."""
    found: defaultdict[str, list[AttachmentRow]] = defaultdict(list)
    for row in session.scalars(ATTACHMENTS, {"messages": messages}):
        found[str(row.message)].append(row)
    return found


def attachment_count(session: Session, message: str) -> int:
    """Count the attachments of a message."""
    statement = select(func.count()).where(AttachmentRow.message == message)
    return session.scalar(statement) or 0


class RevisionMarks(NamedTuple):
    """The marks of an earlier text, as stored."""

    revision: int
    marks: str


def earlier_marks(
    session: Session, messages: Iterable[str]
) -> Mapping[str, list[RevisionMarks]]:
    """Return the marks of earlier texts, by message and in their order."""
    found: defaultdict[str, list[RevisionMarks]] = defaultdict(list)
    if not (ids := list(messages)):
        return found
    for row in session.execute(EARLIER_MARKS, {"messages": ids}):
        found[row.message].append(RevisionMarks(row.revision, row.marks))
    return found


def mentioned_in(
    session: Session, messages: Iterable[str]
) -> Mapping[str, tuple[str, ...]]:
    """Return the people whom messages mention now, by message and in order of ids."""
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for row in session.execute(MENTIONS, {"messages": messages}):
        found[row.message] += (row.person,)
    return found


def markers_among(
    session: Session, people: Iterable[str], channels: Collection[str]
) -> Mapping[tuple[str, str], int]:
    """Return the read markers of people in channels, by person and channel."""
    parameters = {"people": people, "channels": channels}
    return {
        (row.person, row.channel): row.number
        for row in session.execute(MARKERS, parameters)
    }
