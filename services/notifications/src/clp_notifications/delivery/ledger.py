"""What became of mails, written a few at a time as soon as it is known.

A mail that was handed over and not yet written down would be mailed again after a
crash; so their number is bounded, and while nothing can be written nothing leaves.
"""

import logging
from typing import Final

from sqlalchemy.exc import DBAPIError

from clp_notifications.delivery.claims import Claim, Record, settle
from clp_notifications.delivery.desk import Desk

log = logging.getLogger(__name__)

AGAIN_S: Final = 0.2


class Ledger:
    """The records of one round."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._done: list[tuple[Claim, Record]] = []
        self.is_stuck = False

    def note(self, claim: Claim, record: Record) -> None:
        """Note what became of a claim; when enough has come together, write it."""
        self._done.append((claim, record))
        if len(self._done) >= self._desk.pacing.connections:
            self.write()

    def write(self) -> None:
        """Write what is noted; as long as the leases last, trouble is waited out."""
        done, self._done = self._done, []
        while done:
            try:
                self._settle(done)
            except (DBAPIError, OSError) as error:
                if self._desk.clock() > min(claim.until for claim, _ in done):
                    self.is_stuck = False
                    raise
                log.warning("%s records wait: %s", len(done), type(error).__name__)
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
