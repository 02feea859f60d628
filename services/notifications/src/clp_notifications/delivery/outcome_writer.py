"""What became of mails, written a few at a time as soon as it is known.

A mail that was handed over and not yet written down would be mailed again after a
crash; so their number is bounded, and while nothing can be written nothing leaves.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError

from clp_notifications.delivery.claims import Claim, Record, settle
from clp_notifications.delivery.dependencies import Desk

log = logging.getLogger(__name__)

AGAIN_S: Final = 0.2
# So long a hand that has ended waits for others to end, and to write with them.
GATHER_S: Final = 0.02


class Ledger:
    """The records of one round.

    One hand writes at a time, for all the others; whoever comes meanwhile waits, and
    most often finds that nothing is left to write. So as many mails as there are
    connections wait to be written, and each hand adds the one that it has in hand.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._noted: list[tuple[Claim, Record]] = []
        self._unwritten = 0
        self._turn = threading.Lock()
        self._hands = 0
        self._all_ended = threading.Event()
        self.is_stuck = False

    @contextmanager
    def a_hand(self) -> Iterator[None]:
        """A hand notes what becomes of its mails, until it ends.

        Hands end one shortly after the other; what they leave is written together.
        """
        self._hands += 1
        self._all_ended.clear()
        try:
            yield
        finally:
            self._hands -= 1
        if self._hands:
            self._all_ended.wait(GATHER_S)
        else:
            self._all_ended.set()
        self.write()

    def note(self, claim: Claim, record: Record) -> None:
        """Note what became of a claim; when enough has come together, write it."""
        self._noted.append((claim, record))
        self._unwritten += 1
        if self._is_full:
            with self._turn:
                # Whoever had the turn before may have written most of it.
                if self._is_full:
                    self._write_noted()

    def write(self) -> None:
        """Write what is noted; as long as the leases last, trouble is waited out."""
        with self._turn:
            self._write_noted()

    @property
    def _is_full(self) -> bool:
        return self._unwritten >= self._desk.pacing.connections

    def _write_noted(self) -> None:
        if not self._noted:
            return
        noted, self._noted = self._noted, []
        try:
            self._write(noted)
        finally:
            self._unwritten -= len(noted)

    def _write(self, noted: list[tuple[Claim, Record]]) -> None:
        while noted:
            try:
                self._settle(noted)
            except (DBAPIError, OSError) as error:
                if self._desk.clock() > min(claim.until for claim, _ in noted):
                    self.is_stuck = False
                    raise
                log.warning("%s records wait: %s", len(noted), type(error).__name__)
                self.is_stuck = True
                self._desk.sleep(AGAIN_S)
            else:
                self.is_stuck = False
                return

    def _settle(self, done: list[tuple[Claim, Record]]) -> None:
        with self._desk.database.writing() as session:
            lost = settle(session, done, now=self._desk.clock())
        for mail in sorted(lost):
            log.warning("mail %s went to another worker meanwhile", mail)
