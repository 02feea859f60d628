"""Mails as files: the transport of the embedded suite and of demos."""

import os
from itertools import count
from pathlib import Path
from typing import Final

from clp_chassis.clock import new_id, now
from clp_notifications.delivery.smtp_replies import ACCEPTED, STALE, Answer, MayLeave
from clp_notifications.mail.composer import ReadyMail

COUNTER: Final = count()


class Maildir:
    """Hands mails over into a folder; file names sort by the time of hand-over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = new_id()[:8]
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def hand_over(self, mail: ReadyMail, may_leave: MayLeave) -> Answer:
        """Write a mail, complete or not at all."""
        # Read at the moment of writing: this orders files and decides nothing.
        at = now().strftime("%Y%m%dT%H%M%S%f")
        name = f"{at}.{next(COUNTER):08d}.{self._process}"
        draft = self._folder / "tmp" / name
        with draft.open("wb") as file:
            file.write(f"Return-Path: <{mail.sender}>\r\n".encode())
            file.write(mail.data)
            file.flush()
            os.fsync(file.fileno())
        if not may_leave():
            draft.unlink()
            return STALE
        draft.rename(self._folder / "new" / name)
        return ACCEPTED

    def close(self) -> None:
        """Nothing is held open."""
