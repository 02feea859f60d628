"""Write mails to a Maildir: the transport of the embedded suite and of demos."""

import logging
import os
from itertools import count
from pathlib import Path
from typing import Final

from clp_chassis.clock import new_id, now
from clp_chassis.reachability import require_folder
from clp_notifications.delivery.smtp_replies import (
    ACCEPTED,
    RELAY_UNAVAILABLE,
    STALE,
    MaySend,
    SmtpOutcome,
)
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.private_files import create_private_folders, open_private_file

log = logging.getLogger(__name__)

COUNTER: Final = count()


class Maildir:
    """Writes mails to a folder; file names sort by the time of writing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = new_id()[:8]
        create_private_folders(folder, "tmp", "new", "cur")

    def ping(self) -> None:
        """Raise when the folder cannot be written."""
        require_folder(self._folder / "new")

    def send(self, mail: OutgoingMail, may_send: MaySend) -> SmtpOutcome:
        """Write a mail atomically; a full disk is as a relay that is away."""
        try:
            return self._write(mail, may_send)
        except OSError as error:
            log.warning("the folder of mails is unavailable: %s", type(error).__name__)
            return RELAY_UNAVAILABLE

    def _write(self, mail: OutgoingMail, may_send: MaySend) -> SmtpOutcome:
        # The system clock: it orders files and decides nothing.
        at = now().strftime("%Y%m%dT%H%M%S%f")
        name = f"{at}.{next(COUNTER):08d}.{self._process}"
        draft = self._folder / "tmp" / name
        with open_private_file(draft) as file:
            file.write(f"Return-Path: <{mail.sender}>\r\n".encode())
            file.write(mail.data)
            file.flush()
            os.fsync(file.fileno())
        if not may_send():
            draft.unlink()
            return STALE
        draft.rename(self._folder / "new" / name)
        return ACCEPTED

    def close(self) -> None:
        """Do nothing: no resource is open."""
