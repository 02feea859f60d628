"""Receive attachments, authorize downloads, and remove orphaned files."""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Final, Self

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.security.passports import Passport
from clp_contracts.errors import Refused
from clp_core.attachments import (
    AttachmentPolicy,
    judge_content,
    judge_size,
    judge_upload,
)
from clp_core.channels import Channel
from clp_core.decisions import ALLOWED, Decision, Reason
from clp_core.file_names import AttachmentName, safe_name
from clp_core.visibility import may_read
from clp_messages.attachment_states import (
    DISCARDED,
    INFECTED,
    KNOWN,
    PENDING,
    READY,
    RECEIVING,
)
from clp_messages.dependencies import Dependencies
from clp_messages.file_signatures import detect
from clp_messages.mapping import AccessContext
from clp_messages.queries import RANDOM
from clp_messages.signature_tables import HEAD_BYTES
from clp_messages.storage import Chunks
from clp_messages.tables import AttachmentRow, MessageRow
from clp_messages.use_cases.authorization import (
    allowed_context,
    author_in,
    channel_named,
    refuse,
    require,
)
from clp_messages.use_cases.quotas import QuotaCharge, delete_files
from clp_messages.use_cases.scanning import ScannedFile, scan_upload

ORPHANED_AFTER: Final = timedelta(hours=1)
# A file that was not scanned cannot be posted yet, so it is kept longer.
UNSCANNED_AFTER: Final = timedelta(days=1)
SWEEP_BATCH: Final = 500
# During a download; a message that is deleted meanwhile ends it.
ROW_CHECKED_EVERY: Final = timedelta(seconds=1)
NO_ATTACHMENT: Final = Decision(Reason.ATTACHMENT_MISSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file to receive; ``declared`` is its size in bytes, if the client sends it."""

    channel: str
    name: str
    declared: int | None
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file as the store keeps it."""

    id: str
    name: str
    size: int
    store_key: str
    state: str = READY


def receive_upload(
    upload: Upload, *, actor: Passport, deps: Dependencies
) -> StoredFile:
    """Receive a file for a message yet to be posted (rules 26 to 30).

    Whatever can be refused without the body is refused before its first byte is read.

    Raises:
        Refused: a code of the rules about channels and attachments, or
            ``attachment.infected``.
    """
    policy = deps.attachments
    channel = channel_named(upload.channel)
    author, _ = author_in(channel, actor, deps)
    require(judge_upload(upload.name, upload.declared, policy))
    charge = QuotaCharge(
        day=deps.clock().date().isoformat(),
        person=author.id,
        channel=channel.name,
        partner=author.partner,
        reserved=upload.declared or policy.max_bytes,
    )
    file = _register(_safe_name(upload.name), charge, deps)
    try:
        size, sha256 = _receive(upload.chunks, file, deps)
    except BaseException:
        _forget(file, charge, deps)
        raise
    # From here on the sweep finds the bytes by their row, whatever fails.
    state = scan_upload(
        ScannedFile(id=file.id, store_key=file.store_key, size=size), deps
    )
    if state == INFECTED:
        deps.files.remove(file.store_key)
        _forget(file, charge, deps)
        raise Refused("attachment.infected")
    with deps.database.writing(notify=False) as session:
        updated: Any = session.execute(
            update(AttachmentRow)
            .where(AttachmentRow.id == file.id)
            .values(size=size, sha256=sha256, state=state, uploaded_at=deps.clock())
        )
        if updated.rowcount:
            charge.settle(session, size)
    return replace(file, size=size, state=state)


def _safe_name(name: str) -> AttachmentName:
    safe = safe_name(name)
    if isinstance(safe, Decision):
        refuse(safe.reason, **safe.detail)
    return safe


def _register(
    name: AttachmentName, charge: QuotaCharge, deps: Dependencies
) -> StoredFile:
    """Insert the row of a file before its first byte, so that the sweep can find it."""
    file = StoredFile(
        id=new_id(),
        name=name,
        size=charge.reserved,
        store_key=new_id(),
        state=RECEIVING,
    )
    with deps.database.writing(notify=False) as session:
        charge.apply(session, deps.attachments)
        session.execute(
            insert(AttachmentRow).values(
                **asdict(file),
                channel=charge.channel,
                uploader=charge.person,
                partner=charge.partner,
                sha256="",
                uploaded_at=deps.clock(),
                place=0,
            )
        )
    return file


def _forget(file: StoredFile, charge: QuotaCharge, deps: Dependencies) -> None:
    with deps.database.writing(notify=False) as session:
        delete_files(session, AttachmentRow.id == file.id)
        charge.revert(session)


def _receive(
    chunks: Iterator[bytes], file: StoredFile, deps: Dependencies
) -> tuple[int, str]:
    """Store the chunks; refuse as soon as size or content shows a violation.

    Returns the size and the SHA-256.
    """
    content = _Content(file.name, deps.attachments)
    with deps.files.receiving(file.store_key) as stream:
        for chunk in chunks:
            content.check(chunk)
            stream(chunk)
        content.check_end()
    return content.size, stream.sha256


class _Content:
    """Judges the size of a body as it grows, and its first bytes once."""

    def __init__(self, name: str, policy: AttachmentPolicy) -> None:
        self._name = name
        self._policy = policy
        self._head: bytes = b""
        self._judged = False
        self.size = 0

    def check(self, chunk: bytes) -> None:
        self.size += len(chunk)
        require(judge_size(self.size, self._policy))
        if not self._judged:
            self._head += chunk
            if len(self._head) >= HEAD_BYTES:
                self._judge_head()

    def check_end(self) -> None:
        require(judge_size(self.size, self._policy))
        if not self._judged:
            self._judge_head()

    def _judge_head(self) -> None:
        self._judged = True
        found = detect(self._head)
        require(
            judge_content(self._name, found.kind, self._policy, likeness=found.likeness)
        )


def find_download(id: str, *, actor: Passport, deps: Dependencies) -> StoredFile:
    """Return a file if the actor may read its message now (rule 30).

    A file without a message exists only for its uploader.

    Raises:
        Refused: ``attachment.missing``; ``attachment.pending`` or
            ``attachment.infected`` to its uploader.
    """
    return DownloadCheck(id, actor=actor, deps=deps).check()


class DownloadCheck:
    """Judges whether an actor may download a file, as often as it is asked.

    Access is judged each time, by leased facts; the row is read again every second.
    """

    def __init__(self, id: str, *, actor: Passport, deps: Dependencies) -> None:
        self._id = id
        self._actor = actor
        self._deps = deps
        self._row, self._deleted = _attachment(id, deps)
        self._read_at = deps.clock()

    def check(self) -> StoredFile:
        """Return the file; raise `Refused` if it may not be downloaded now."""
        now = self._deps.clock()
        if now - self._read_at >= ROW_CHECKED_EVERY:
            self._row, self._deleted = _attachment(self._id, self._deps)
            self._read_at = now
        row = self._row
        project = None if row is None else Channel.named(row.channel).project
        allowed_context(self._actor, project, self._judge, deps=self._deps)
        if row is None:
            refuse(Reason.ATTACHMENT_MISSING)
        if row.state != READY:
            raise Refused(f"attachment.{row.state}")
        return StoredFile(
            id=row.id, name=row.name, size=row.size, store_key=row.store_key
        )

    def _judge(self, context: AccessContext) -> Decision:
        row, person, project = self._row, context.actor, context.project
        if row is None or self._deleted or person is None or project is None:
            return NO_ATTACHMENT
        if not may_read(person, Channel.named(row.channel), project):
            return NO_ATTACHMENT
        is_visible = row.message is not None or person.id == row.uploader
        return ALLOWED if is_visible else NO_ATTACHMENT


class DownloadEnded(Exception):
    """The reader may not read the file any more; the rest of it is not sent."""


class GuardedChunks:
    """The chunks of a download, each sent only while its reader may read the file.

    So nothing leaves after the end of an access was confirmed (rule 7).
    """

    def __init__(self, chunks: Chunks, check: DownloadCheck) -> None:
        self._chunks = chunks
        self._check = check

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            self._check.check()
        except Refused as refused:
            self.close()
            raise DownloadEnded(refused.code) from None
        return next(self._chunks)

    def close(self) -> None:
        """Close the file."""
        self._chunks.close()


def _attachment(id: str, deps: Dependencies) -> tuple[AttachmentRow | None, bool]:
    """Return a received file, and whether its message was deleted."""
    if not RANDOM.fullmatch(id):
        return None, False
    with deps.database.reading() as session:
        found = session.execute(
            select(AttachmentRow, MessageRow.deleted_at)
            .outerjoin(MessageRow, MessageRow.id == AttachmentRow.message)
            .where(AttachmentRow.id == id, AttachmentRow.state.in_(KNOWN))
        ).one_or_none()
    return (None, False) if found is None else (found[0], found[1] is not None)


def discard_files(session: Session, message: str) -> list[str]:
    """Mark the files of a deleted message; return their ids for `remove_discarded`."""
    discarded = (
        update(AttachmentRow)
        .where(AttachmentRow.message == message)
        .values(state=DISCARDED)
        .returning(AttachmentRow.id)
    )
    return list(session.scalars(discarded))


def remove_discarded(ids: Collection[str], deps: Dependencies) -> int:
    """Remove the bytes of discarded files, then their rows; return how many."""
    batch = (AttachmentRow.id.in_(ids), AttachmentRow.state == DISCARDED)
    with deps.database.reading() as session:
        store_keys = session.scalars(select(AttachmentRow.store_key).where(*batch))
        keys = store_keys.all()
    for key in keys:
        deps.files.remove(key)
    if not keys:
        return 0
    with deps.database.writing(notify=False) as session:
        return delete_files(session, *batch)


def sweep_orphans(*, deps: Dependencies) -> int:
    """Remove files that were not posted within an hour; return how many.

    Rows are marked, then the bytes are removed, then the rows are deleted: the next
    sweep completes an interrupted one, and that of a deleted message, and no message
    can take a file being removed.
    """
    unattached = AttachmentRow.message.is_(None)
    now = deps.clock()
    orphaned = and_(
        AttachmentRow.uploaded_at < now - ORPHANED_AFTER,
        or_(
            AttachmentRow.state != PENDING,
            AttachmentRow.uploaded_at < now - UNSCANNED_AFTER,
        ),
    )
    with deps.database.reading() as session:
        candidates = session.scalars(
            select(AttachmentRow.id).where(unattached, orphaned).limit(SWEEP_BATCH)
        ).all()
        left = session.scalars(
            select(AttachmentRow.id)
            .where(AttachmentRow.state == DISCARDED)
            .limit(SWEEP_BATCH)
        ).all()
    if candidates:
        with deps.database.writing(notify=False) as session:
            session.execute(
                update(AttachmentRow)
                .where(AttachmentRow.id.in_(candidates), unattached)
                .values(state=DISCARDED)
            )
    both = {*candidates, *left}
    return remove_discarded(both, deps) if both else 0
