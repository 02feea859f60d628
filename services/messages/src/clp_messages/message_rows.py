"""Write a message with its number, its mentions and its feed change."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, func, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import TextArray
from clp_chassis.persistence.column_types import UtcDateTime
from clp_contracts.events import MESSAGE_POSTED
from clp_messages.tables import CHANNELS, MENTIONS, MESSAGES, OUTBOX

# One round trip. The row of the channel is locked when it gives the number; the
# function, which sees what was committed by then, reads the author's last number.
POST: Final = text("""
WITH given AS (
  SELECT CAST(:id AS text) AS id, CAST(:channel AS text) AS channel,
    CAST(:project AS text) AS project, CAST(:author AS text) AS author,
    CAST(:posted_at AS timestamptz) AS posted_at
), numbered AS (
  INSERT INTO channels AS known (name, project, last_number)
  SELECT channel, project, 1 FROM given
  ON CONFLICT (name) DO UPDATE SET last_number = known.last_number + 1
  RETURNING last_number
), posted AS (
  INSERT INTO messages (id, channel, project, number, revision, author, author_name,
    author_side, author_number, text, marks, posted_at, idempotency_key, content_hash,
    outcomes)
  SELECT id, channel, project, last_number, 1, author, :author_name, :author_side,
    next_author_number(channel, author), :text, :marks, posted_at, :idempotency_key,
    :content_hash, :outcomes
  FROM given, numbered
), mentioned AS (
  INSERT INTO mentions (message, person)
  SELECT id, unnest(CAST(:people AS text[])) FROM given
), announced AS (
  INSERT INTO changes (type, subject, project, detail, at)
  SELECT :type, id, project, CAST(jsonb_set(
    CAST(:detail AS jsonb), '{number}', to_jsonb(CAST(last_number AS text))) AS text),
    posted_at
  FROM given, numbered
)
SELECT last_number FROM numbered
""").bindparams(
    bindparam("posted_at", type_=UtcDateTime), bindparam("people", type_=TextArray())
)
TAKE_NUMBER: Final = (
    sqlite.insert(CHANNELS)
    .values(last_number=1)
    .on_conflict_do_update(
        index_elements=[CHANNELS.c.name],
        set_={"last_number": CHANNELS.c.last_number + 1},
    )
    .returning(CHANNELS.c.last_number)
)


def _next_author_number() -> ColumnElement[int]:
    """Add one to the author's last number; the write lock of SQLite guards it."""
    last = (
        select(MESSAGES.c.author_number)
        .where(
            MESSAGES.c.channel == bindparam("in_channel"),
            MESSAGES.c.author == bindparam("by_author"),
        )
        .order_by(MESSAGES.c.number.desc())
        .limit(1)
    )
    return func.coalesce(last.scalar_subquery(), 0) + 1


INSERT_MESSAGE: Final = insert(MESSAGES).values(
    revision=1, author_number=_next_author_number()
)
INSERT_MENTIONS: Final = insert(MENTIONS)


def insert_message(
    session: Session, row: Mapping[str, Any], people: Sequence[str]
) -> int:
    """Insert a message and all that belongs to it; return its number in the channel.

    ``row`` holds the columns but the numbers, ``people`` whom the message mentions.
    """
    at: datetime = row["posted_at"]
    change = OUTBOX.row(
        event_type=MESSAGE_POSTED,
        subject=row["id"],
        project=row["project"],
        at=at,
        detail={"channel": row["channel"], "revision": "1", "author": row["author"]},
    )
    if session.get_bind().dialect.name == "postgresql":
        announced = {"type": change["type"], "detail": change["detail"]}
        number = session.scalar(POST, {**row, **announced, "people": people})
        return int(number)
    name = {"name": row["channel"], "project": row["project"]}
    number = int(session.scalar(TAKE_NUMBER, name))
    place = {"in_channel": row["channel"], "by_author": row["author"]}
    session.execute(INSERT_MESSAGE, {**row, **place, "number": number})
    write_mentions(session, row["id"], people)
    detail = {**json.loads(change["detail"]), "number": str(number)}
    OUTBOX.insert(session, {**change, "detail": json.dumps(detail)})
    return number


def write_mentions(session: Session, message: str, people: Sequence[str]) -> None:
    """Store the people whom a message mentions."""
    if people:
        rows = [{"message": message, "person": person} for person in people]
        session.execute(INSERT_MENTIONS, rows)
