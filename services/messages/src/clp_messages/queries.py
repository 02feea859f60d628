"""Questions to the tables that more than one use case asks."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import among
from clp_contracts.messages import Message
from clp_messages.mapping import shown_message
from clp_messages.tables import (
    AttachmentRow,
    ChannelRow,
    MentionRow,
    MessageRow,
    ReadMarkerRow,
)

# Ids are made by the service; nothing else is worth a question, or safe in one.
RANDOM: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)

# Written once: they are used for every page and every few mails.
MESSAGES: Final = select(MessageRow).where(among(MessageRow.id, "ids"))
ATTACHMENTS: Final = (
    select(AttachmentRow)
    .where(among(AttachmentRow.message, "messages"))
    .order_by(AttachmentRow.message, AttachmentRow.place)
)
MENTIONS: Final = (
    select(MentionRow.message, MentionRow.person)
    .where(among(MentionRow.message, "messages"))
    .order_by(MentionRow.message, MentionRow.person)
)
MARKERS: Final = select(
    ReadMarkerRow.person, ReadMarkerRow.channel, ReadMarkerRow.number
).where(among(ReadMarkerRow.person, "people"), among(ReadMarkerRow.channel, "channels"))


def random_ids(given: Iterable[str]) -> Iterator[str]:
    """Those of the given texts that could be an id of ours."""
    return (text for text in given if RANDOM.fullmatch(text))


def message_by_id(
    session: Session, id: str, *, lock: bool = False
) -> MessageRow | None:
    """A message; locked, nobody else changes it until the commit."""
    if not RANDOM.fullmatch(id):
        return None
    asked = select(MessageRow).where(MessageRow.id == id)
    return session.scalar(asked.with_for_update() if lock else asked)


def messages_by_id(session: Session, ids: Iterable[str]) -> list[MessageRow]:
    """The messages of these ids that exist."""
    return list(session.scalars(MESSAGES, {"ids": random_ids(ids)}))


def last_number(session: Session, channel: str) -> int:
    """The number of a channel's last message; 0 when there is none."""
    asked = select(ChannelRow.last_number).where(ChannelRow.name == channel)
    return session.scalar(asked) or 0


def shown_messages(
    session: Session, rows: Collection[MessageRow]
) -> tuple[Message, ...]:
    """Messages as their readers see them, in the same order."""
    files = attachments_of(session, (row.id for row in rows if not row.deleted_at))
    return tuple(shown_message(row, files.get(row.id, ())) for row in rows)


def attachments_of(
    session: Session, messages: Iterable[str]
) -> Mapping[str, list[AttachmentRow]]:
    """The attachments of messages, by message and in their order."""
    found: defaultdict[str, list[AttachmentRow]] = defaultdict(list)
    for row in session.scalars(ATTACHMENTS, {"messages": messages}):
        found[str(row.message)].append(row)
    return found


def attachment_count(session: Session, message: str) -> int:
    """How many attachments a message has."""
    asked = select(func.count()).where(AttachmentRow.message == message)
    return session.scalar(asked) or 0


def mentioned_in(
    session: Session, messages: Iterable[str]
) -> Mapping[str, tuple[str, ...]]:
    """The people whom messages mention now, by message and in order of ids."""
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for row in session.execute(MENTIONS, {"messages": messages}):
        found[row.message] += (row.person,)
    return found


def markers_among(
    session: Session, people: Iterable[str], channels: Collection[str]
) -> Mapping[tuple[str, str], int]:
    """The read markers of several people in some channels, by person and channel."""
    asked = {"people": people, "channels": channels}
    return {
        (row.person, row.channel): row.number for row in session.execute(MARKERS, asked)
    }
