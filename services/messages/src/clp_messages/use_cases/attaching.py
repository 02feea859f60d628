"""Files: received in pieces, handed out to who may read their message, swept away."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update

from clp_chassis.clock import new_id
from clp_chassis.passports import Passport
from clp_core.attachments import (
    AttachmentName,
    judge_content,
    judge_name,
    judge_size,
    safe_name,
)
from clp_core.channels import Channel
from clp_core.decisions import Decision, Reason
from clp_core.people import Person
from clp_core.visibility import may_read
from clp_messages.facts import Standing
from clp_messages.parts import Parts
from clp_messages.rows import RANDOM
from clp_messages.signatures import HEAD, detected_kind
from clp_messages.tables import AttachmentRow, MessageRow
from clp_messages.use_cases.access import (
    ask_standing,
    author_in,
    channel_named,
    obey,
    refuse,
)
from clp_messages.use_cases.posting import READY

RECEIVING: Final = "receiving"
DISCARDED: Final = "discarded"
ORPHANED_AFTER: Final = timedelta(hours=1)
SWEPT_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file on its way in; ``declared`` is the size its sender announces, if any."""

    channel: str
    name: str
    declared: int | None
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file as the store keeps it."""

    id: str
    name: str
    size: int
    store_key: str


def receive_upload(upload: Upload, *, actor: Passport, parts: Parts) -> StoredFile:
    """Take in a file for a message yet to be posted (rules 26 to 30).

    Whatever can be refused without the body is refused before its first byte is read.
    """
    channel = channel_named(upload.channel)
    author, _ = author_in(channel, actor, parts)
    name = _accepted_name(upload.name)
    if upload.declared is not None:
        obey(judge_size(upload.declared))
    # The row comes first: bytes that nobody knows of would stay for ever.
    file, store_key = new_id(), new_id()
    with parts.database.writing(tell=False) as session:
        session.execute(
            insert(AttachmentRow).values(
                id=file,
                channel=channel.name,
                uploader=author.id,
                name=name,
                size=0,
                sha256="",
                store_key=store_key,
                state=RECEIVING,
                uploaded_at=parts.clock(),
                place=0,
            )
        )
    this = AttachmentRow.id == file
    try:
        size, sha256 = _receive(upload.pieces, (name, store_key), parts)
    except BaseException:
        with parts.database.writing(tell=False) as session:
            session.execute(delete(AttachmentRow).where(this))
        raise
    with parts.database.writing(tell=False) as session:
        ready = {"size": size, "sha256": sha256, "state": READY}
        session.execute(update(AttachmentRow).where(this).values(ready))
    return StoredFile(id=file, name=name, size=size, store_key=store_key)


def _accepted_name(given: str) -> AttachmentName:
    obey(judge_name(given))
    name = safe_name(given)
    if isinstance(name, Decision):
        refuse(name.reason)
    return name


def _receive(
    pieces: Iterator[bytes], place: tuple[str, str], parts: Parts
) -> tuple[int, str]:
    """Store the pieces, and stop at the first byte that shows they are not welcome."""
    name, store_key = place
    size, head, judged = 0, b"", False
    with parts.files.receiving(store_key) as keep:
        for piece in pieces:
            size += len(piece)
            obey(judge_size(size))
            keep(piece)
            if not judged:
                head += piece
                judged = len(head) >= HEAD
                if judged:
                    obey(judge_content(name, detected_kind(head)))
        obey(judge_size(size))
        if not judged:
            obey(judge_content(name, detected_kind(head)))
    return size, keep.sha256


def find_download(id: str, *, actor: Passport, parts: Parts) -> StoredFile:
    """A file, for whoever may read its message at this moment (rule 30).

    One without a message is there for nobody but its uploader.
    """
    row, deleted = _attachment(id, parts)
    channel = None if row is None else Channel.named(row.channel)
    place = None if channel is None else channel.project
    standing = ask_standing(actor, place, parts)
    if row is None or channel is None or deleted:
        refuse(Reason.ATTACHMENT_MISSING)
    reader = _reader(standing, channel)
    if reader is None or (row.message is None and reader.id != row.uploader):
        refuse(Reason.ATTACHMENT_MISSING)
    return StoredFile(id=row.id, name=row.name, size=row.size, store_key=row.store_key)


def _reader(standing: Standing, channel: Channel) -> Person | None:
    person, project = standing.actor, standing.project
    if not isinstance(person, Person) or project is None:
        return None
    return person if may_read(person, channel, project) else None


def _attachment(id: str, parts: Parts) -> tuple[AttachmentRow | None, bool]:
    """A whole file, and whether its message was deleted."""
    if not RANDOM.fullmatch(id):
        return None, False
    with parts.database.reading() as session:
        found = session.execute(
            select(AttachmentRow, MessageRow.deleted_at)
            .outerjoin(MessageRow, MessageRow.id == AttachmentRow.message)
            .where(AttachmentRow.id == id, AttachmentRow.state == READY)
        ).one_or_none()
    return (None, False) if found is None else (found[0], found[1] is not None)


def sweep_orphans(*, parts: Parts) -> int:
    """Remove files that no message came for within an hour; say how many.

    Marked first, removed then, forgotten last: an end in between is made up for by the
    next sweep, and no message can take what is on its way out.
    """
    waiting = AttachmentRow.message.is_(None)
    orphaned = AttachmentRow.uploaded_at < parts.clock() - ORPHANED_AFTER
    with parts.database.reading() as session:
        candidates = session.scalars(
            select(AttachmentRow.id).where(waiting, orphaned).limit(SWEPT_AT_ONCE)
        ).all()
    if not candidates:
        return 0
    these = AttachmentRow.id.in_(candidates)
    with parts.database.writing(tell=False) as session:
        discarded = {"state": DISCARDED}
        session.execute(update(AttachmentRow).where(these, waiting).values(discarded))
    gone = AttachmentRow.state == DISCARDED
    with parts.database.reading() as session:
        asked = select(AttachmentRow.store_key).where(these, gone)
        store_keys = session.scalars(asked).all()
    for key in store_keys:
        parts.files.remove(key)
    with parts.database.writing(tell=False) as session:
        session.execute(delete(AttachmentRow).where(these, gone))
    return len(store_keys)
