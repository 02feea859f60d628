"""Delivering: one claimed mail at a time, from the question at the door to the record.

Whatever happens to a claim ends in a record: sent, withdrawn, due again or given up.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from clp_chassis.clock import Clock
from clp_chassis.database import Database
from clp_contracts.calling import Callers
from clp_contracts.refusal import CallFailed, Refused
from clp_notifications.delivery.answers import Answer, Effect
from clp_notifications.delivery.backoff import next_try
from clp_notifications.delivery.claims import (
    Claim,
    Record,
    claim,
    next_due,
    settle,
    sweep,
)
from clp_notifications.delivery.door import Door, ask_at_the_door, withdrawn
from clp_notifications.delivery.lane import Lane
from clp_notifications.delivery.letters import letter_for
from clp_notifications.delivery.transports import Transport
from clp_notifications.mail.addresses import Address, BadAddress, address_of
from clp_notifications.mail.mailer import Mailer
from clp_notifications.records import Change, is_suppressed, modes_of, suppress
from clp_notifications.states import Because, MailMode, State

log = logging.getLogger(__name__)

SERVICES_AGAIN: Final = timedelta(seconds=2)
LANE_AGAIN: Final = timedelta(seconds=1)
LONGEST_WAIT_IN_HAND: Final = timedelta(seconds=5)
ENDS: Final = {
    Effect.SENT: State.SENT,
    Effect.UNSENDABLE: State.SUPPRESSED,
    Effect.ADDRESS_REFUSED: State.DEAD,
    Effect.MAIL_DEAD: State.DEAD,
    Effect.POLICY_REFUSED: State.DEAD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How much is taken at once, and for how long."""

    batch: int = 20
    lease: timedelta = timedelta(seconds=60)
    # A mail is not begun when its lease could end before the relay has answered.
    margin: timedelta = timedelta(seconds=35)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What delivery works with; shared by all connections of a process."""

    database: Database
    callers: Callers
    clock: Clock
    mailer: Mailer
    transport: Transport
    lane: Lane
    sleep: Callable[[float], None]
    pacing: Pacing = Pacing()

    def claim(self) -> tuple[Claim, ...]:
        """Take mails that are due, unless the relay takes none."""
        now = self.clock()
        if self.lane.closed_for(now):
            return ()
        with self.database.writing(tell=False) as session:
            return claim(session, now, limit=self.pacing.batch, lease=self.pacing.lease)

    def sweep(self) -> int:
        """Put stranded mails back to work."""
        with self.database.writing(tell=False) as session:
            swept = sweep(session, self.clock())
        if swept:
            log.warning("%s mails lost their worker and go back to work", swept)
        return swept

    def idle_for(self, most: timedelta) -> timedelta:
        """How long there is nothing to do, as far as can be known."""
        now = self.clock()
        with self.database.reading() as session:
            due = next_due(session)
        wait = most if due is None else max(timedelta(0), min(most, due - now))
        return max(wait, min(most, self.lane.closed_for(now)))

    def give_back(self, claimed: Claim) -> None:
        """Let another worker do it, at once."""
        self._settle(claimed, _all(claimed, Because.GIVEN_BACK, again_at=self.clock()))

    def deliver(self, claimed: Claim) -> None:
        """Deliver a claimed mail, whatever comes of it."""
        try:
            record = self._attempt(claimed)
        except (CallFailed, Refused) as error:
            log.warning("mail %s waits: %s", claimed.mail, error)
            again_at = self.clock() + SERVICES_AGAIN
            record = _all(claimed, Because.SERVICES_AWAY, again_at=again_at)
        except Exception:
            log.exception("mail %s could not be made", claimed.mail)
            record = self._tried(claimed, Because.FAULT)
        self._settle(claimed, record)

    def _attempt(self, claimed: Claim) -> Record:
        if (again_at := self._wait_for_lane(claimed)) is not None:
            return _all(claimed, Because.GIVEN_BACK, again_at=again_at)
        if not claimed.items:
            return Record(changes={})
        door = ask_at_the_door(claimed, self.callers)
        gone = {item.id: withdrawn(item, door) for item in claimed.items}
        record = Record(
            changes={
                key: Change(State.SUPPRESSED, because)
                for key, because in gone.items()
                if because is not None
            }
        )
        left = tuple(item for item in claimed.items if gone[item.id] is None)
        if not left or door.reader is None:
            return record
        remaining = replace(claimed, items=left)
        try:
            address = self._address_for(remaining, door)
        except BadAddress as error:
            refused = _ended(remaining, State.SUPPRESSED, Because(error.reason))
            return _joined(record, refused)
        return _joined(record, self._hand_over(remaining, door, address))

    def _wait_for_lane(self, claimed: Claim) -> datetime | None:
        """Wait for the lane; or say when to come again, if the lease is too short."""
        now = self.clock()
        wait = self.lane.wait(now, LONGEST_WAIT_IN_HAND)
        if wait is None:
            return now + LONGEST_WAIT_IN_HAND
        if wait:
            self.sleep(wait.total_seconds())
        now = self.clock()
        return None if now + self.pacing.margin <= claimed.until else now

    def _address_for(self, claimed: Claim, door: Door) -> Address:
        """The reader's address, if mail may go there."""
        if door.reader is None:
            raise BadAddress(Because.NO_ACCESS)
        project = claimed.channel.project
        with self.database.reading() as session:
            mode = modes_of(session, [claimed.person], project).get(claimed.person)
            if mode is MailMode.OFF:
                raise BadAddress(Because.MAIL_OFF)
            address = address_of(door.reader.email)
            if is_suppressed(session, str(address)):
                raise BadAddress(Because.ADDRESS_SUPPRESSED)
        return address

    def _hand_over(self, claimed: Claim, door: Door, address: Address) -> Record:
        mail = self.mailer.compose(letter_for(claimed, door), address)
        answer = self.transport.hand_over(mail)
        self._tell_lane(answer)
        if answer.effect is Effect.LANE_SLOWER:
            again_at = self.clock() + max(
                LANE_AGAIN, self.lane.closed_for(self.clock())
            )
            return self._tried(claimed, answer.because, again_at)
        if answer.effect is Effect.MAIL_AGAIN:
            return self._tried(claimed, answer.because)
        if answer.effect is Effect.ADDRESS_REFUSED:
            with self.database.writing(tell=False) as session:
                refused = (str(address), claimed.mail)
                suppress(session, refused, answer.because, at=self.clock())
        return _ended(claimed, ENDS[answer.effect], answer.because)

    def _tell_lane(self, answer: Answer) -> None:
        now = self.clock()
        if answer.effect is Effect.SENT:
            self.lane.took(now)
        elif answer.effect is Effect.LANE_SLOWER:
            if answer.because is Because.RELAY_AWAY or answer.code == 421:  # noqa: PLR2004
                self.lane.pause(now)
            else:
                self.lane.slow_down(now)
        elif answer.effect is Effect.POLICY_REFUSED and self.lane.refused_by_policy(
            now
        ):
            log.error("the relay refuses mails by its policy: the lane is closed")

    def _tried(
        self, claimed: Claim, because: Because, again_at: datetime | None = None
    ) -> Record:
        """A try that failed for now: later again, or given up after three days."""
        by_delay = next_try(
            claimed.mail,
            claimed.attempts + 1,
            first_tried_at=claimed.first_tried_at,
            now=self.clock(),
        )
        if by_delay is None:
            return _ended(claimed, State.DEAD, Because.GIVEN_UP)
        return _all(claimed, because, again_at=again_at or by_delay, attempted=True)

    def _settle(self, claimed: Claim, record: Record) -> None:
        with self.database.writing() as session:
            held = settle(session, claimed, record, now=self.clock())
        if not held:
            log.warning("mail %s went to another worker meanwhile", claimed.mail)


def _all(
    claimed: Claim, because: Because, *, again_at: datetime, attempted: bool = False
) -> Record:
    change = Change(State.DUE, because)
    return Record(
        changes={item.id: change for item in claimed.items},
        again_at=again_at,
        attempted=attempted,
    )


def _ended(claimed: Claim, state: State, because: Because) -> Record:
    change = Change(state, because)
    return Record(changes={item.id: change for item in claimed.items}, attempted=True)


def _joined(withdrawn_before: Record, rest: Record) -> Record:
    return replace(rest, changes={**withdrawn_before.changes, **rest.changes})
