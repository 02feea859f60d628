"""Queries shared by the use cases."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, Text, bindparam, case, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from clp_chassis.persistence.bulk_sql import in_array
from clp_messages.mapping import StoredRow
from clp_messages.tables import (
    CHANNELS,
    MENTIONS,
    MESSAGES,
    NUMBER,
    READ_MARKERS,
    REVISIONS,
    AttachmentRow,
    MessageRow,
)

# The form of the ids that the service makes; anything else is not looked up.
RANDOM: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


class _FilesOfMessage(FunctionElement[str]):
    """The attachments of a message row as a JSON list of place, id, name and size."""

    type = Text()
    inherit_cache = True


FILES: Final = "FROM attachments AS f WHERE f.message = messages.id"


@compiles(_FilesOfMessage)
def _files_as_json(*_: Any, **__: Any) -> str:
    fields = "json_build_array(f.place, f.id, f.name, f.size)"
    return f"(SELECT CAST(json_agg({fields}) AS text) {FILES})"


@compiles(_FilesOfMessage, "sqlite")
def _files_as_json_in_sqlite(*_: Any, **__: Any) -> str:
    return (
        f"(SELECT json_group_array(json_array(f.place, f.id, f.name, f.size)) {FILES})"
    )


class PageBounds(NamedTuple):
    """The numbers of a page, found at equal cost in any channel.

    It begins at ``wanted``, but so that ``back`` messages of the channel are still to
    come, and not before ``floor``; it has ``size`` numbers.
    """

    wanted: int
    back: int
    size: int
    floor: int = 1


def page_of_channel(columns: Sequence[Any]) -> Select[Any]:
    """Select a page with the channel's last number; one row without id if empty."""
    latest = CHANNELS.c.last_number + 1 - bindparam("back")
    wanted = bindparam("wanted", type_=NUMBER)
    floor = bindparam("floor", type_=NUMBER)
    first = case((wanted < latest, wanted), else_=latest)
    start = case((first < floor, floor), else_=first)
    return (
        select(CHANNELS.c.last_number, *columns)
        .outerjoin_from(
            CHANNELS,
            MESSAGES,
            (MESSAGES.c.channel == CHANNELS.c.name)
            & (MESSAGES.c.number >= start)
            & (MESSAGES.c.number < start + bindparam("size")),
        )
        .where(CHANNELS.c.name == bindparam("in_channel"))
        .order_by(MESSAGES.c.number)
    )


# Built once at import: they run for every page and every batch of mails.
COLUMNS: Final = (
    MESSAGES.c.id,
    MESSAGES.c.channel,
    MESSAGES.c.project,
    MESSAGES.c.number,
    MESSAGES.c.revision,
    MESSAGES.c.author,
    MESSAGES.c.author_name,
    MESSAGES.c.author_side,
    MESSAGES.c.text,
    MESSAGES.c.marks,
    MESSAGES.c.posted_at,
    MESSAGES.c.edited_at,
    MESSAGES.c.deleted_at,
    _FilesOfMessage().label("files"),
)
BY_ID: Final = select(*COLUMNS).where(in_array(MESSAGES.c.id, "ids"))
JUDGED_BY_ID: Final = select(
    MESSAGES.c.channel, MESSAGES.c.number, MESSAGES.c.author, MESSAGES.c.deleted_at
).where(MESSAGES.c.id == bindparam("id"))
PAGE: Final = page_of_channel(COLUMNS)
PROJECTS: Final = select(MESSAGES.c.id, MESSAGES.c.project).where(
    in_array(MESSAGES.c.id, "ids")
)
EARLIER_MARKS: Final = (
    select(REVISIONS.c.message, REVISIONS.c.revision, REVISIONS.c.marks)
    .where(in_array(REVISIONS.c.message, "messages"))
    .order_by(REVISIONS.c.message, REVISIONS.c.revision)
)
MENTIONED: Final = (
    select(MENTIONS.c.message, MENTIONS.c.person)
    .where(in_array(MENTIONS.c.message, "messages"))
    .order_by(MENTIONS.c.message, MENTIONS.c.person)
)
MARKERS: Final = select(
    READ_MARKERS.c.person, READ_MARKERS.c.channel, READ_MARKERS.c.number
).where(
    in_array(READ_MARKERS.c.person, "people"),
    in_array(READ_MARKERS.c.channel, "channels"),
)


def random_ids(ids: Iterable[str]) -> Iterator[str]:
    """Yield those ids that have the form of ours."""
    return (given for given in ids if RANDOM.fullmatch(given))


def locked_message(session: Session, id: str) -> MessageRow | None:
    """Return a message and hold its row until the commit."""
    if not RANDOM.fullmatch(id):
        return None
    statement = select(MessageRow).where(MessageRow.id == id)
    return session.scalar(statement.with_for_update())


def judged_row(session: Session, id: str) -> StoredRow | None:
    """Return what the rules need of a message: a hidden one costs little."""
    if not RANDOM.fullmatch(id):
        return None
    return session.execute(JUDGED_BY_ID, {"id": id}).one_or_none()


def messages_by_id(session: Session, ids: Iterable[str]) -> list[StoredRow]:
    """Return the messages of these ids that exist, with their files."""
    return list(session.execute(BY_ID, {"ids": random_ids(ids)}))


class PageRows(NamedTuple):
    """The messages of a page, and the number of the channel's last message."""

    rows: list[StoredRow]
    last: int


def page_rows(session: Session, channel: str, bounds: PageBounds) -> PageRows:
    """Return a page of a channel in one statement."""
    rows = list(session.execute(PAGE, {"in_channel": channel, **bounds._asdict()}))
    if not rows:
        return PageRows([], 0)
    return PageRows([row for row in rows if row.id is not None], rows[0].last_number)


def projects_of(session: Session, messages: Iterable[str]) -> Mapping[str, str]:
    """Return the project of each message that exists."""
    rows = session.execute(PROJECTS, {"ids": random_ids(messages)})
    return {row.id: row.project for row in rows}


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
    for row in session.execute(MENTIONED, {"messages": messages}):
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
