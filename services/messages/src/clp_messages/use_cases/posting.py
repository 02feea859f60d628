"""Post messages, idempotently and in order (rules 9 to 11)."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.security.passports import Passport
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
from clp_messages.message_rows import insert_message
from clp_messages.queries import RANDOM
from clp_messages.tables import AttachmentRow, MessageRow
from clp_messages.use_cases.authorization import (
    author_in,
    channel_named,
    refuse,
    require,
)
from clp_messages.use_cases.mentions import MentionContext, Mentions, mentions_in


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
        with deps.database.writing(at_once=not draft.attachments) as session:
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
    """Number the message and write it with its feed change, in one transaction.

    Without attachments, one statement on PostgreSQL.
    """
    author = author_view(draft.author)
    row = {
        "id": new_id(),
        "channel": draft.channel.name,
        "project": draft.channel.project,
        "author": author.id,
        "author_name": author.name,
        "author_side": author.side,
        "text": draft.text,
        "marks": serialize_marks(draft.mentions.marks),
        "posted_at": draft.at,
        "idempotency_key": draft.key,
        "content_hash": draft.content_hash,
        "outcomes": serialize_outcomes(draft.mentions.outcomes),
    }
    number = insert_message(session, row, draft.mentions.people)
    _attach(session, draft, str(row["id"]))
    return Posted(
        id=str(row["id"]),
        channel=draft.channel.name,
        number=number,
        posted_at=draft.at,
        mentions=draft.mentions.outcomes,
    )


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
