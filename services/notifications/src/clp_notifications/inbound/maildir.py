"""Read incoming mail from a Maildir and empty it.

A relay delivers into it by itself, or pipes mails into the command. A mail that cannot
be handled now, because another service is down, stays for the next turn.
"""

import logging
import os
from pathlib import Path
from typing import Final

from clp_chassis.clock import new_id
from clp_notifications.dependencies import Dependencies
from clp_notifications.inbound.bounces import handle_bounce

log = logging.getLogger(__name__)

SUBFOLDERS: Final = ("tmp", "new", "cur")
# Exit codes of sysexits.h: delivered, and keep it for another attempt.
EX_OK, EX_TEMPFAIL = 0, 75


def process_maildir(folder: str, bounce_domain: str, *, deps: Dependencies) -> int:
    """Handle all mails in the folder; return how many were removed."""
    if not folder:
        return 0
    waiting = sorted((Path(folder) / "new").glob("*"))
    for path in waiting:
        handle_bounce(path.read_bytes(), bounce_domain, deps=deps)
        path.unlink(missing_ok=True)
    return len(waiting)


def deliver_to_maildir(raw: bytes, folder: str, recipient: str | None = None) -> int:
    """Write a mail to the folder atomically; return an exit code.

    ``recipient`` is the envelope recipient, where the relay passes it.
    """
    if not folder or (recipient is not None and not recipient.isprintable()):
        return EX_TEMPFAIL
    name = new_id()
    try:
        for part in SUBFOLDERS:
            (Path(folder) / part).mkdir(parents=True, exist_ok=True)
        draft = Path(folder) / "tmp" / name
        with draft.open("wb") as file:
            if recipient is not None:
                file.write(f"X-Original-To: {recipient}\r\n".encode())
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(Path(folder) / "new" / name)
    except OSError as error:
        log.warning("an incoming mail was not stored: %s", type(error).__name__)
        return EX_TEMPFAIL
    return EX_OK
