"""What a scanner says of files; until it has spoken they wait (nobody gets them)."""

import logging
from typing import Final

from sqlalchemy import select, update

from clp_messages.attachment_states import INFECTED, PENDING, READY
from clp_messages.clamd import NotScanned, Scanner, ScannerAway
from clp_messages.dependencies import Parts
from clp_messages.storage import FileGone
from clp_messages.tables import AttachmentRow

log = logging.getLogger(__name__)

SCANNED_AT_ONCE: Final = 50


def first_look(file: str, stored: tuple[str, int], parts: Parts) -> str:
    """The state of a file that has just come: pending, when the scanner is away."""
    if parts.scanner is None:
        return READY
    try:
        return _look(file, stored, (parts.scanner, parts))
    except NotScanned as error:
        log.warning("attachment %s waits for the scanner: %s", file, error)
        return PENDING


def scan_pending(*, parts: Parts) -> int:
    """Ask again about files that wait for the scanner; say how many need not any more.

    Repeated or done by two processes at once it is harmless: only a pending file
    changes its state.
    """
    if parts.scanner is None:
        return 0
    with parts.database.reading() as session:
        waiting = session.execute(
            select(AttachmentRow.id, AttachmentRow.store_key, AttachmentRow.size)
            .where(AttachmentRow.message.is_(None), AttachmentRow.state == PENDING)
            .order_by(AttachmentRow.uploaded_at)
            .limit(SCANNED_AT_ONCE)
        ).all()
    done = 0
    for file, store_key, size in waiting:
        try:
            state = _look(file, (store_key, size), (parts.scanner, parts))
        except ScannerAway as error:
            log.warning("%s attachments wait for the scanner: %s", len(waiting), error)
            break
        except (NotScanned, FileGone) as error:
            log.warning("attachment %s waits for the scanner: %s", file, error)
            continue
        _settle(file, store_key, (state, parts))
        done += 1
    return done


def _look(file: str, stored: tuple[str, int], asked: tuple[Scanner, Parts]) -> str:
    scanner, parts = asked
    store_key, size = stored
    with parts.files.pieces(store_key, 0, size) as pieces:
        finding = scanner.finding(pieces)
    if finding is None:
        return READY
    log.warning("attachment %s is infected: %s", file, finding)
    return INFECTED


def _settle(file: str, store_key: str, found: tuple[str, Parts]) -> None:
    state, parts = found
    with parts.database.writing(tell=False) as session:
        session.execute(
            update(AttachmentRow)
            .where(AttachmentRow.id == file, AttachmentRow.state == PENDING)
            # Its hour to be posted begins when it can be posted.
            .values(state=state, uploaded_at=parts.clock())
        )
    if state == INFECTED:
        # What it was is known; the bytes are of no use to anybody.
        parts.files.remove(store_key)
