"""Post messages, idempotently and in order (rules 9 to 11)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.persistence.bulk_sql import insert_if_absent
from clp_chassis.security.passports import Passport
from clp_contracts import events
from clp_contracts.errors import Refused
from clp_contracts.messages import Posted, PostMessage
from clp_core.attachments import judge_count
from clp_core.channels import Channel
from clp_core.decisions import Reason
from clp_core.messages import judge_idempotency_key, judge_text
from clp_core.people import Author
from clp_messages.attachment_states import INFECTED, KNOWN, PENDING
from clp_messages.dependencies import Dependencies
from clp_messages.mapping import (
    author_view,
    parse_outcomes,
    serialize_marks,
    serialize_outcomes,
)
from clp_messages.queries import RANDOM
from clp_messages.tables import OUTBOX, AttachmentRow, Base, MessageRow
from clp_messages.use_cases.authorization import (
    author_in,
    channel_named,
    refuse,
    require,
)
from clp_messages.use_cases.mentions import MentionContext, Mentions, mentions_in

CHANNELS: Final = Base.metadata.tables["channels"]
MESSAGES: Final = Base.metadata.tables["messages"]
TAKE_NUMBER: Final = (
    update(CHANNELS)
    .where(CHANNELS.c.name == bindparam("in_channel"))
    .values(last_number=CHANNELS.c.last_number + 1)
    .returning(CHANNELS.c.last_number)
)


def _next_author_number() -> ColumnElement[int]:
    """Add one to the author's last number; the row lock of the channel guards it."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that may be posted, before it has a number."""

    channel: Channel
    author: Author
    key: str
    text: str
    attachments: tuple[str, ...]
    mentions: Mentions
    at: datetime

    @property
    def content_hash(self) -> str:
        """SHA-256 of text and attachments, in hexadecimal."""
        content = json.dumps([self.text, self.attachments])
        return hashlib.sha256(content.encode()).hexdigest()


def post_message(
    request: PostMessage, *, actor: Passport, deps: Dependencies
) -> Posted:
    """Post a message, or return the one that this idempotency key has posted before.

    Access is judged first: a person who may not post here any more learns nothing of
    what they posted once.

    Raises:
        Refused: ``channel.missing``, ``broadcast.internal_only``, or a code of the
            rules about texts, keys, mentions and attachments.
    """
    channel = channel_named(request.channel)
    author, project = author_in(channel, actor, deps)
    require(
        judge_idempotency_key(request.key),
        judge_count(len(request.attachments), deps.attachments),
        judge_text(request.text, len(request.attachments)),
    )
    place = MentionContext(author=author, channel=channel, project=project)
    return _first_post_or_replay(
        Draft(
            channel=channel,
            author=author,
            key=request.key,
            text=request.text,
            attachments=request.attachments,
            mentions=mentions_in(request.text, place, deps),
            at=deps.clock(),
        ),
        deps,
    )


def _first_post_or_replay(draft: Draft, deps: Dependencies) -> Posted:
    """Write the message, unless its idempotency key was used before (rule 10).

    Whatever prevents the write may be nothing but this message's own first post.
    """
    try:
        require(draft.mentions.decision)
        with deps.database.writing() as session:
            return write_message(session, draft)
    except (IntegrityError, Refused):
        with deps.database.reading() as session:
            earlier = earlier_post(session, draft)
        if earlier is None:
            raise
        return earlier


def earlier_post(session: Session, draft: Draft) -> Posted | None:
    """Return what the draft's idempotency key has posted before (rule 10).

    Raises:
        Refused: ``idempotency_key.reused``, if that had other content.
    """
    row = session.scalar(
        select(MessageRow).where(
            MessageRow.channel == draft.channel.name,
            MessageRow.author == draft.author.id,
            MessageRow.idempotency_key == draft.key,
        )
    )
    if row is None:
        return None
    if row.content_hash != draft.content_hash:
        refuse(Reason.IDEMPOTENCY_KEY_REUSED)
    return Posted(
        id=row.id,
        channel=row.channel,
        number=row.number,
        posted_at=row.posted_at,
        mentions=parse_outcomes(row.outcomes),
    )


def write_message(session: Session, draft: Draft) -> Posted:
    """Number the message and write it with its feed change, in one transaction."""
    number = _next_number(session, draft.channel)
    message = new_id()
    author = author_view(draft.author)
    session.execute(
        INSERT_MESSAGE,
        {
            "id": message,
            "channel": draft.channel.name,
            "project": draft.channel.project,
            "number": number,
            "author": author.id,
            "author_name": author.name,
            "author_side": author.side,
            "text": draft.text,
            "marks": serialize_marks(draft.mentions.marks),
            "posted_at": draft.at,
            "idempotency_key": draft.key,
            "content_hash": draft.content_hash,
            "outcomes": serialize_outcomes(draft.mentions.outcomes),
            "in_channel": draft.channel.name,
            "by_author": author.id,
        },
    )
    _attach(session, draft, message)
    write_mentions(session, message, draft.mentions.people)
    OUTBOX.append(
        session,
        event_type=events.MESSAGE_POSTED,
        subject=message,
        project=draft.channel.project,
        at=draft.at,
        detail={
            "channel": draft.channel.name,
            "number": str(number),
            "revision": "1",
            "author": author.id,
        },
    )
    return Posted(
        id=message,
        channel=draft.channel.name,
        number=number,
        posted_at=draft.at,
        mentions=draft.mentions.outcomes,
    )


def _next_number(session: Session, channel: Channel) -> int:
    """Take the next number of a channel and lock its row until the commit."""
    parameters = {"in_channel": channel.name}
    if (number := session.scalar(TAKE_NUMBER, parameters)) is None:
        first = {"name": channel.name, "project": channel.project, "last_number": 0}
        insert_if_absent(session, CHANNELS, first)
        number = session.execute(TAKE_NUMBER, parameters).scalar_one()
    return int(number)


def _attach(session: Session, draft: Draft, message: str) -> None:
    """Attach uploads to their message: once, by their uploader, in their channel."""
    if not draft.attachments:
        return
    if not all(RANDOM.fullmatch(file) for file in draft.attachments):
        refuse(Reason.ATTACHMENT_MISSING)
    statement = (
        select(AttachmentRow)
        .where(
            AttachmentRow.id.in_(draft.attachments),
            AttachmentRow.uploader == draft.author.id,
            AttachmentRow.channel == draft.channel.name,
            AttachmentRow.state.in_(KNOWN),
            AttachmentRow.message.is_(None),
        )
        .with_for_update()
    )
    files = {row.id: row for row in session.scalars(statement)}
    if len(files) != len(draft.attachments):
        refuse(Reason.ATTACHMENT_MISSING)
    for state in (INFECTED, PENDING):
        if any(row.state == state for row in files.values()):
            raise Refused(f"attachment.{state}")
    for place, file in enumerate(draft.attachments):
        files[file].message, files[file].place = message, place


def write_mentions(session: Session, message: str, people: Sequence[str]) -> None:
    """Store the people whom a message mentions."""
    if people:
        session.execute(
            insert(Base.metadata.tables["mentions"]),
            [{"message": message, "person": person} for person in people],
        )
