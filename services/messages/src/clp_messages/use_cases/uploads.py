"""Files: received in pieces, handed out to who may read their message, swept away."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Final

from sqlalchemy import and_, delete, insert, or_, select, update

from clp_chassis.clock import new_id
from clp_chassis.security.passports import Passport
from clp_contracts.errors import Refused
from clp_core.attachments import (
    AttachmentName,
    AttachmentPolicy,
    judge_content,
    judge_name,
    judge_size,
    safe_name,
)
from clp_core.channels import Channel
from clp_core.decisions import Decision, Reason
from clp_core.people import Person
from clp_core.visibility import may_read
from clp_messages.attachment_states import (
    DISCARDED,
    INFECTED,
    KNOWN,
    PENDING,
    READY,
    RECEIVING,
)
from clp_messages.dependencies import Parts
from clp_messages.file_signatures import HEAD, detected_kind
from clp_messages.mapping import Standing
from clp_messages.queries import RANDOM
from clp_messages.tables import AttachmentRow, MessageRow
from clp_messages.use_cases.authorization import (
    ask_standing,
    author_in,
    channel_named,
    obey,
    refuse,
)
from clp_messages.use_cases.quotas import Bill
from clp_messages.use_cases.scanning import first_look

ORPHANED_AFTER: Final = timedelta(hours=1)
# Nobody can post what the scanner has not seen, so that waits longer.
UNSCANNED_AFTER: Final = timedelta(days=1)
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
    state: str = READY


def receive_upload(upload: Upload, *, actor: Passport, parts: Parts) -> StoredFile:
    """Take in a file for a message yet to be posted (rules 26 to 30).

    Whatever can be refused without the body is refused before its first byte is read.
    """
    policy = parts.attachments
    channel = channel_named(upload.channel)
    author, _ = author_in(channel, actor, parts)
    name = _accepted_name(upload.name, policy)
    if upload.declared is not None:
        obey(judge_size(upload.declared, policy))
    bill = Bill.of(
        (author.id, channel.name), upload.declared or policy.max_bytes, parts
    )
    file = _announced(name, bill, parts)
    try:
        size, sha256 = _receive(upload.pieces, file, parts)
    except BaseException:
        _forget(file, bill, parts)
        raise
    # Whatever goes wrong from here on, the sweep knows the bytes by their row.
    state = first_look(file.id, (file.store_key, size), parts)
    if state == INFECTED:
        parts.files.remove(file.store_key)
        _forget(file, bill, parts)
        raise Refused("attachment.infected")
    with parts.database.writing(tell=False) as session:
        whole = {"size": size, "sha256": sha256, "state": state}
        session.execute(
            update(AttachmentRow)
            .where(AttachmentRow.id == file.id)
            .values(**whole, uploaded_at=parts.clock())
        )
        bill.settle(session, size)
    return replace(file, size=size, state=state)


def _accepted_name(given: str, policy: AttachmentPolicy) -> AttachmentName:
    obey(judge_name(given, policy))
    name = safe_name(given)
    if isinstance(name, Decision):
        refuse(name.reason)
    return name


def _announced(name: str, bill: Bill, parts: Parts) -> StoredFile:
    """A row for the file. It comes first: unknown bytes would stay for ever."""
    file = StoredFile(
        id=new_id(), name=name, size=0, store_key=new_id(), state=RECEIVING
    )
    with parts.database.writing(tell=False) as session:
        bill.charge(session, parts.attachments)
        session.execute(
            insert(AttachmentRow).values(
                **asdict(file),
                channel=bill.channel,
                uploader=bill.person,
                sha256="",
                uploaded_at=parts.clock(),
                place=0,
            )
        )
    return file


def _forget(file: StoredFile, bill: Bill, parts: Parts) -> None:
    with parts.database.writing(tell=False) as session:
        session.execute(delete(AttachmentRow).where(AttachmentRow.id == file.id))
        bill.give_back(session)


def _receive(
    pieces: Iterator[bytes], file: StoredFile, parts: Parts
) -> tuple[int, str]:
    """Store the pieces, and stop at the first byte that shows they are not welcome."""
    name, policy = file.name, parts.attachments
    size, head, judged = 0, b"", False
    with parts.files.receiving(file.store_key) as keep:
        for piece in pieces:
            size += len(piece)
            obey(judge_size(size, policy))
            keep(piece)
            if not judged:
                head += piece
                judged = len(head) >= HEAD
                if judged:
                    obey(judge_content(name, detected_kind(head)))
        obey(judge_size(size, policy))
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
    if row.state != READY:
        # Its uploader is told what it waits for; the bytes go to nobody.
        raise Refused(f"attachment.{row.state}")
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
            .where(AttachmentRow.id == id, AttachmentRow.state.in_(KNOWN))
        ).one_or_none()
    return (None, False) if found is None else (found[0], found[1] is not None)


def sweep_orphans(*, parts: Parts) -> int:
    """Remove files that no message came for within an hour; say how many.

    Marked first, removed then, forgotten last: an end in between is made up for by the
    next sweep, and no message can take what is on its way out.
    """
    waiting = AttachmentRow.message.is_(None)
    now = parts.clock()
    orphaned = and_(
        AttachmentRow.uploaded_at < now - ORPHANED_AFTER,
        or_(
            AttachmentRow.state != PENDING,
            AttachmentRow.uploaded_at < now - UNSCANNED_AFTER,
        ),
    )
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
