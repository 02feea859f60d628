"""The folder that mails come back to: a Maildir, emptied as they are read.

A relay delivers into it by itself, or hands its mails to the pipe command. A mail that
cannot be judged now, because another service is away, stays for the next turn.
"""

import logging
import os
from pathlib import Path
from typing import Final

from clp_chassis.clock import new_id
from clp_notifications.dependencies import Parts
from clp_notifications.inbound.bounces import take_bounce

log = logging.getLogger(__name__)

PARTS_OF_MAILDIR: Final = ("tmp", "new", "cur")
# Exit codes that relays know (sysexits.h): taken, and keep it for another try.
TAKEN, KEEP_IT = 0, 75


def take_all(folder: str, bounce_domain: str, *, parts: Parts) -> int:
    """Judge what lies in the folder; says how many mails were taken out of it."""
    if not folder:
        return 0
    waiting = sorted((Path(folder) / "new").glob("*"))
    for path in waiting:
        take_bounce(path.read_bytes(), bounce_domain, parts=parts)
        path.unlink(missing_ok=True)
    return len(waiting)


def put(raw: bytes, folder: str, came_to: str | None = None) -> int:
    """Put a mail into the folder, complete or not at all; gives an exit code.

    ``came_to`` is the address it came back to, where the relay tells it apart.
    """
    if not folder or (came_to is not None and not came_to.isprintable()):
        return KEEP_IT
    name = new_id()
    try:
        for part in PARTS_OF_MAILDIR:
            (Path(folder) / part).mkdir(parents=True, exist_ok=True)
        draft = Path(folder) / "tmp" / name
        with draft.open("wb") as file:
            if came_to is not None:
                file.write(f"X-Original-To: {came_to}\r\n".encode())
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(Path(folder) / "new" / name)
    except OSError as error:
        log.warning("a bounce was not kept: %s", type(error).__name__)
        return KEEP_IT
    return TAKEN
