"""Scan files for viruses; nobody can post or download a file before its scan."""

import logging
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update

from clp_messages.attachment_states import INFECTED, PENDING, READY
from clp_messages.clamd import NotScanned, Scanner, ScannerUnavailable
from clp_messages.dependencies import Dependencies
from clp_messages.storage import FileMissing, FileStore
from clp_messages.tables import AttachmentRow

log = logging.getLogger(__name__)

SCAN_BATCH: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedFile:
    """A file to scan: its id, its key in the store, and its size in bytes."""

    id: str
    store_key: str
    size: int


def scan_upload(file: ScannedFile, deps: Dependencies) -> str:
    """Scan a file just received and return its state.

    It is ready without a scanner, and pending while the scanner cannot be reached.
    """
    if deps.scanner is None:
        return READY
    try:
        return _scan_file(file, deps.scanner, deps.files)
    except NotScanned as error:
        log.warning("attachment %s is pending: %s", file.id, error)
        return PENDING


def scan_pending(*, deps: Dependencies) -> int:
    """Scan pending files again; return how many left that state.

    Safe to repeat and to run in several processes: only a pending file changes its
    state.
    """
    if deps.scanner is None:
        return 0
    with deps.database.reading() as session:
        pending = session.execute(
            select(AttachmentRow.id, AttachmentRow.store_key, AttachmentRow.size)
            .where(AttachmentRow.message.is_(None), AttachmentRow.state == PENDING)
            .order_by(AttachmentRow.uploaded_at)
            .limit(SCAN_BATCH)
        ).all()
    done = 0
    for row in pending:
        file = ScannedFile(id=row.id, store_key=row.store_key, size=row.size)
        try:
            state = _scan_file(file, deps.scanner, deps.files)
        except ScannerUnavailable as error:
            log.warning("%s attachments are pending: %s", len(pending), error)
            break
        except (NotScanned, FileMissing) as error:
            log.warning("attachment %s is pending: %s", file.id, error)
            continue
        _store_state(file, state, deps)
        done += 1
    return done


def _scan_file(file: ScannedFile, scanner: Scanner, store: FileStore) -> str:
    with store.chunks(file.store_key, 0, file.size) as chunks:
        finding = scanner.finding(chunks)
    if finding is None:
        return READY
    log.warning("attachment %s is infected: %s", file.id, finding)
    return INFECTED


def _store_state(file: ScannedFile, state: str, deps: Dependencies) -> None:
    with deps.database.writing(notify=False) as session:
        session.execute(
            update(AttachmentRow)
            .where(AttachmentRow.id == file.id, AttachmentRow.state == PENDING)
            # The hour in which it must be posted starts when it can be posted.
            .values(state=state, uploaded_at=deps.clock())
        )
    if state == INFECTED:
        deps.files.remove(file.store_key)
