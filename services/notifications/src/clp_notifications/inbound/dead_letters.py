"""Incoming mails that became dead letters: list, show, redrive, discard.

They are in the Maildir of this process. An id is a file name, which is compared with
the names that are there and never joined to a path.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from clp_contracts import notifications as contract
from clp_contracts.errors import Refused
from clp_notifications.dependencies import Dependencies
from clp_notifications.inbound.maildir import InboundMaildir, read_mail, reason_of

log = logging.getLogger(__name__)

MAX_LISTED: Final = 500
MAX_HEADER_BYTES: Final = 16 * 1024


def dead_incoming(
    request: contract.ListDeadIncoming, *, deps: Dependencies
) -> contract.DeadIncoming:
    """List dead incoming mails, ordered by id, after the one with the id ``after``."""
    after = request.after or ""
    paths = (path for path in _maildir(deps).dead() if path.name > after)
    mails: list[contract.DeadIncomingMail] = []
    for path in paths:
        if len(mails) == min(request.limit, MAX_LISTED):
            break
        # Another process may have taken it meanwhile.
        if path.exists():
            mails.append(_described(path))
    return contract.DeadIncoming(mails=tuple(mails))


def show_dead_incoming(
    request: contract.IncomingMailRef, *, deps: Dependencies
) -> contract.DeadIncomingShown:
    """Show the header lines of a dead incoming mail, without what people wrote.

    Raises:
        Refused: ``incoming_mail.missing``.
    """
    (path,) = _named((request.incoming_mail,), deps)
    raw = read_mail(path)[:MAX_HEADER_BYTES].replace(b"\r\n", b"\n")
    header = raw.lstrip(b"\n").partition(b"\n\n")[0]
    found = _described(path)
    return contract.DeadIncomingShown(
        id=found.id,
        reason=found.reason,
        size=found.size,
        at=found.at,
        header=header.decode("utf-8", "replace"),
    )


def redrive_incoming(
    request: contract.RedriveIncoming, *, deps: Dependencies
) -> contract.Redriven:
    """Return dead incoming mails to those that wait; all when none is named.

    Raises:
        Refused: ``incoming_mail.missing``; then none of them is returned.
    """
    maildir = _maildir(deps)
    named = _named(request.incoming_mail_ids, deps)
    paths = named if request.incoming_mail_ids else list(maildir.dead())
    return contract.Redriven(count=_count(maildir.redrive, paths))


def discard_incoming(
    request: contract.DiscardIncoming, *, deps: Dependencies
) -> contract.Discarded:
    """Delete dead incoming mails.

    Raises:
        Refused: ``incoming_mail.missing``; then none of them is deleted.
    """
    paths = _named(request.incoming_mail_ids, deps)
    return contract.Discarded(count=_count(_maildir(deps).discard, paths))


def _maildir(deps: Dependencies) -> InboundMaildir:
    return InboundMaildir(deps.bounces.folder)


def _named(ids: Sequence[str], deps: Dependencies) -> list[Path]:
    found = {path.name: path for path in _maildir(deps).dead()}
    missing = [one for one in ids if one not in found]
    if missing:
        raise Refused.because("incoming_mail.missing", incoming_mails=missing)
    return [found[one] for one in ids]


def _described(path: Path) -> contract.DeadIncomingMail:
    status = path.stat()
    return contract.DeadIncomingMail(
        id=path.name,
        reason=reason_of(path),
        size=status.st_size,
        # A rename changes no other time than this one.
        at=datetime.fromtimestamp(status.st_ctime, UTC),
    )


def _count(change: Callable[[Path], None], paths: Sequence[Path]) -> int:
    """Count the mails that were changed; another process may have been faster."""
    count = 0
    for path in paths:
        try:
            change(path)
        except FileNotFoundError:
            log.warning("incoming mail %s is no dead letter any more", path.name)
        else:
            count += 1
    return count
