"""Write outcomes of mails, a few at a time, as soon as they are known.

A crash would repeat a mail that was sent and not yet written, so the number of
unwritten outcomes is bounded, and while nothing can be written nothing is sent.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from clp_chassis.persistence.database import TRANSIENT_ERRORS
from clp_notifications.delivery.claims import Claim, DeliveryOutcome, settle
from clp_notifications.delivery.dependencies import DeliveryDependencies

log = logging.getLogger(__name__)

RETRY_S: Final = 0.2
# How long a connection that has finished waits for others, to write with them.
LINGER_S: Final = 0.02


class OutcomeWriter:
    """The outcomes of one batch.

    One thread writes at a time, for all of them; whoever waits for it most often finds
    nothing left to write. At most as many outcomes as there are connections wait to be
    written, besides the one that each connection is working on.
    """

    def __init__(self, deps: DeliveryDependencies) -> None:
        self._deps = deps
        self._pending: list[tuple[Claim, DeliveryOutcome]] = []
        self._unwritten = 0
        self._lock = threading.Lock()
        self._senders = 0
        self._all_finished = threading.Event()
        self.is_blocked = False

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Mark one connection as sending; write what is left when the last one ends.

        Connections finish shortly after each other, so their outcomes are written
        together.
        """
        self._senders += 1
        self._all_finished.clear()
        try:
            yield
        finally:
            self._senders -= 1
        if self._senders:
            self._all_finished.wait(LINGER_S)
        else:
            self._all_finished.set()
        self.write()

    def add(self, claim: Claim, outcome: DeliveryOutcome) -> None:
        """Add the outcome of a claim; write when enough have come together."""
        self._pending.append((claim, outcome))
        self._unwritten += 1
        if self._is_full:
            with self._lock:
                # The previous holder may have written most of it.
                if self._is_full:
                    self._write_pending()

    def write(self) -> None:
        """Write what is pending; while leases last, retry on database errors.

        Another error is of one outcome: its lease ends, and the others are written.
        """
        with self._lock:
            self._write_pending()

    @property
    def _is_full(self) -> bool:
        return self._unwritten >= self._deps.limits.connections

    def _write_pending(self) -> None:
        if not self._pending:
            return
        outcomes, self._pending = self._pending, []
        try:
            self._write(outcomes)
        finally:
            self._unwritten -= len(outcomes)

    def _write(self, outcomes: list[tuple[Claim, DeliveryOutcome]]) -> None:
        while True:
            try:
                self._settle(outcomes)
            except TRANSIENT_ERRORS as error:
                if self._deps.clock() > min(claim.until for claim, _ in outcomes):
                    self.is_blocked = False
                    raise
                log.warning("%s outcomes wait: %s", len(outcomes), type(error).__name__)
                self.is_blocked = True
                self._deps.sleep(RETRY_S)
            except Exception:
                self.is_blocked = False
                log.exception("%s outcomes could not be written", len(outcomes))
                if len(outcomes) > 1:
                    for one in outcomes:
                        self._write([one])
                return
            else:
                self.is_blocked = False
                return

    def _settle(self, outcomes: list[tuple[Claim, DeliveryOutcome]]) -> None:
        with self._deps.database.writing() as session:
            lost = settle(session, outcomes, now=self._deps.clock())
        for mail in sorted(lost):
            log.warning("mail %s was claimed by another worker meanwhile", mail)
