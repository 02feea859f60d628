"""The Maildir that incoming mail is delivered to.

A relay delivers into it by itself, or pipes mails into the command. A handled mail is
removed; one that cannot be handled is moved to ``dead``, with its reason in a file
beside it.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from clp_chassis.clock import new_id
from clp_notifications.inbound.mime import MAX_MAIL_BYTES
from clp_notifications.private_files import create_private_folders, open_private_file

log = logging.getLogger(__name__)

SUBFOLDERS: Final = ("tmp", "new", "cur")
DEAD: Final = "dead"
REASON_SUFFIX: Final = ".reason"
# Exit codes of sysexits.h: delivered, and keep it for another attempt.
EX_OK, EX_TEMPFAIL = 0, 75


class InboundMaildir:
    """The mails that wait in a Maildir; without a folder there are none."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder) if folder else None

    def waiting(self) -> list[Path]:
        """The files of waiting mails, oldest first."""
        if self._folder is None:
            return []
        # Mail programs move what they have seen from new to cur.
        found = [
            path
            for name in ("new", "cur")
            for path in (self._folder / name).glob("*")
            if path.is_file()
        ]
        return sorted(found, key=lambda path: path.name)

    def dead(self) -> Iterator[Path]:
        """The files of dead letters."""
        if self._folder is not None:
            for path in sorted((self._folder / DEAD).glob("*")):
                if path.suffix != REASON_SUFFIX:
                    yield path

    def bury(self, path: Path, reason: str) -> None:
        """Make a mail a dead letter, with its reason."""
        if self._folder is None:
            raise ValueError("a Maildir without a folder has no mails")
        create_private_folders(self._folder, DEAD)
        target = self._folder / DEAD / path.name
        with open_private_file(_reason_file(target)) as file:
            file.write(f"{reason}\n".encode())
        path.rename(target)

    def redrive(self, path: Path) -> None:
        """Let a dead letter be handled once more."""
        path.rename(path.parent.with_name("new") / path.name)
        _reason_file(path).unlink(missing_ok=True)

    @staticmethod
    def discard(path: Path) -> None:
        """Delete a dead letter and its reason."""
        path.unlink()
        _reason_file(path).unlink(missing_ok=True)


def reason_of(path: Path) -> str:
    """Why a mail is a dead letter; empty where nobody recorded it."""
    try:
        return _reason_file(path).read_text("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""


def _reason_file(path: Path) -> Path:
    return path.with_name(path.name + REASON_SUFFIX)


def read_mail(path: Path) -> bytes:
    """The beginning of a mail, as much as is parsed."""
    with path.open("rb") as file:
        return file.read(MAX_MAIL_BYTES)


def deliver_to_maildir(raw: bytes, folder: str, recipient: str | None = None) -> int:
    """Write a mail to the folder atomically; return an exit code.

    ``recipient`` is the envelope recipient, where the relay passes it.
    """
    if not folder or (recipient is not None and not recipient.isprintable()):
        return EX_TEMPFAIL
    name = new_id()
    try:
        create_private_folders(Path(folder), *SUBFOLDERS)
        draft = Path(folder) / "tmp" / name
        with open_private_file(draft) as file:
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
