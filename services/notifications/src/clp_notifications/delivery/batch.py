"""A round: claimed mails on their way from the question at the door to the record.

Mails are asked about together, made, and handed over on several connections at a time.
What was asked is good for a moment only: then all that have not left are asked about
again, and leave if nothing changed. Whatever happens to a claim ends in a record: sent,
withdrawn, due again or given up; records of a few mails are written together.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clp_contracts.errors import CallFailed, Refused
from clp_notifications.delivery.claims import Claim, Record, put_off
from clp_notifications.delivery.dependencies import Desk
from clp_notifications.delivery.eligibility import Admission, Doorkeeper
from clp_notifications.delivery.letters import letter_for
from clp_notifications.delivery.outcome_writer import Ledger
from clp_notifications.delivery.outcomes import (
    ended,
    joined,
    judged,
    put_back,
    tried,
)
from clp_notifications.delivery.smtp_replies import Answer, Effect
from clp_notifications.mail.addresses import Address
from clp_notifications.mail.composer import ReadyMail
from clp_notifications.states import Because, State
from clp_notifications.transitions import suppress

log = logging.getLogger(__name__)

SERVICES_AGAIN: Final = timedelta(seconds=2)
LANE_AGAIN: Final = timedelta(seconds=1)
LONGEST_WAIT_IN_HAND: Final = timedelta(seconds=3)
# So often a mail is made in vain before the services count as too slow.
MOST_ASKED: Final = 6
CLOSING: Final = 421
ENDS: Final = {
    Effect.SENT: State.SENT,
    Effect.UNSENDABLE: State.SUPPRESSED,
    Effect.ADDRESS_REFUSED: State.DEAD,
    Effect.MAIL_DEAD: State.DEAD,
    Effect.POLICY_REFUSED: State.DEAD,
}


def deliver(
    desk: Desk,
    claims: Sequence[Claim],
    is_stopping: Callable[[], bool] = lambda: False,
) -> None:
    """Deliver claimed mails; when asked to stop, give back what was not begun."""
    _Round(desk, claims, is_stopping).run()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A mail that may leave as long as it is admitted as it was when it was made."""

    claim: Claim
    # What is left of it, and the record of what was withdrawn.
    left: Claim
    withdrawn: Record
    admission: Admission
    address: Address
    mail: ReadyMail


class _Round:
    def __init__(
        self, desk: Desk, claims: Iterable[Claim], is_stopping: Callable[[], bool]
    ) -> None:
        self._desk = desk
        self._pacing = desk.pacing
        self._is_stopping = is_stopping
        self._waiting = deque(claims)
        self._came_back: Counter[str] = Counter()
        self._ledger = Ledger(desk)
        self._doorkeeper = Doorkeeper(desk)

    def run(self) -> None:
        while self._waiting and not self._is_stopping():
            portion = self._portion()
            if portion:
                self._deliver(portion)
        self._give_back(self._waiting, self._desk.clock())
        self._ledger.write()

    def _portion(self) -> list[Claim]:
        """The next mails, as many as the lane lets out, once it does."""
        now = self._desk.clock()
        wanted = min(self._pacing.at_the_door, len(self._waiting))
        grant = self._desk.lane.grant(now, wanted, LONGEST_WAIT_IN_HAND)
        if grant is None:
            self._give_back(self._waiting, now + LONGEST_WAIT_IN_HAND)
            self._waiting.clear()
            return []
        if grant.wait:
            # Nothing stays unwritten while nothing moves.
            self._ledger.write()
            self._desk.sleep(grant.wait.total_seconds())
        kept: list[Claim] = []
        for _ in range(grant.mails):
            claim = self._waiting.popleft()
            if self._has_time(claim):
                kept.append(claim)
            else:
                self._give_back([claim], self._desk.clock())
        return kept

    def _has_time(self, claim: Claim) -> bool:
        return self._desk.clock() + self._pacing.margin <= claim.until

    def _give_back(self, claims: Iterable[Claim], again_at: datetime) -> None:
        for claim in claims:
            self._ledger.note(claim, put_back(claim, Because.GIVEN_BACK, again_at))

    def _deliver(self, portion: list[Claim]) -> None:
        try:
            admissions = self._doorkeeper.ask(portion)
        except (CallFailed, Refused) as error:
            log.warning("%s mails wait: %s", len(portion), error)
            self._wait_for_services(portion)
            return
        except Exception:
            log.exception("%s mails could not be asked about", len(portion))
            now = self._desk.clock()
            for claim in portion:
                self._ledger.note(claim, tried(claim, Because.FAULT, now=now))
            return
        ready = deque(self._made(portion, admissions))
        hands = min(self._pacing.connections, len(ready))
        self._desk.together([lambda: self._hand_over_all(ready)] * hands)
        self._ask_again([one.claim for one in ready])

    def _wait_for_services(self, claims: Iterable[Claim]) -> None:
        again_at = self._desk.clock() + SERVICES_AGAIN
        for claim in claims:
            record = put_back(claim, Because.SERVICES_AWAY, again_at)
            self._ledger.note(claim, record)

    def _ask_again(self, claims: list[Claim]) -> None:
        """Mails that have not left begin anew, unless the services are too slow."""
        is_closed = bool(self._desk.lane.closed_for(self._desk.clock()))
        for claim in reversed(claims):
            self._came_back[claim.mail] += 1
            if is_closed or self._came_back[claim.mail] < MOST_ASKED:
                self._waiting.appendleft(claim)
            else:
                log.warning("mail %s waits: the services answer too late", claim.mail)
                self._wait_for_services([claim])

    def _made(
        self, portion: Sequence[Claim], admissions: Mapping[str, Admission]
    ) -> Iterator[_Ready]:
        """Make the mails that may leave; the others end here.

        They are made before the last question is asked: nothing but the hand-over
        lies between its answer and the relay.
        """
        for claim in portion:
            admission = admissions[claim.mail]
            left, withdrawn = judged(claim, admission.door)
            address = admission.destination
            if not left.items or address is None:
                self._ledger.note(claim, withdrawn)
            elif not isinstance(address, Address):
                refused = ended(left, State.SUPPRESSED, address)
                self._ledger.note(claim, joined(withdrawn, refused))
            elif mail := self._composed(left, admission, address):
                yield _Ready(
                    claim=claim,
                    left=left,
                    withdrawn=withdrawn,
                    admission=admission,
                    address=address,
                    mail=mail,
                )
            else:
                failed = tried(left, Because.FAULT, now=self._desk.clock())
                self._ledger.note(claim, joined(withdrawn, failed))

    def _composed(
        self, claim: Claim, admission: Admission, address: Address
    ) -> ReadyMail | None:
        # Others have their turn: a portion takes longer than an answer is good for.
        self._desk.sleep(0)
        wants_content = admission.wants_content
        try:
            letter = letter_for(
                claim, admission.door, self._desk.manner, wants_content=wants_content
            )
            return self._desk.mailer.compose(letter, address)
        except Exception:
            log.exception("mail %s could not be made", claim.mail)
            return None

    def _hand_over_all(self, ready: deque[_Ready]) -> None:
        """Hand over one mail after the other, until none is left or none may leave."""
        not_left: list[_Ready] = []
        with self._ledger.a_hand():
            while ready and not self._must_pause():
                one = ready.popleft()
                record = self._outcome(one) if self._has_time(one.claim) else None
                if record is None:
                    not_left.append(one)
                else:
                    self._doorkeeper.done(one.claim)
                    self._ledger.note(one.claim, joined(one.withdrawn, record))
        ready.extend(not_left)

    def _must_pause(self) -> bool:
        lane = self._desk.lane
        return (
            self._is_stopping()
            or self._ledger.is_stuck
            or self._doorkeeper.is_unanswered
            or bool(lane.closed_for(self._desk.clock()))
        )

    def _outcome(self, one: _Ready) -> Record | None:
        """What became of a mail; None when it has to be asked about again."""
        try:
            # A relay that is told of a mail that does not come closes the line.
            if not self._is_admitted(one):
                return None
            answer = self._desk.transport.hand_over(
                one.mail, lambda: self._is_admitted(one)
            )
            return self._recorded(one, answer)
        except Exception:
            log.exception("mail %s could not be handed over", one.claim.mail)
            return tried(one.left, Because.FAULT, now=self._desk.clock())

    def _is_admitted(self, one: _Ready) -> bool:
        return self._doorkeeper.admits(one.claim, one.admission)

    def _recorded(self, one: _Ready, answer: Answer) -> Record | None:
        claim, now = one.left, self._desk.clock()
        self._tell_lane(answer)
        match answer.effect:
            case Effect.STALE:
                return None
            case Effect.LANE_SLOWER:
                again_at = now + max(LANE_AGAIN, self._desk.lane.closed_for(now))
                return tried(claim, answer.because, now=now, again_at=again_at)
            case Effect.MAIL_AGAIN:
                return tried(claim, answer.because, now=now)
            case Effect.PERSON_LATER:
                return self._person_later(claim, answer)
            case Effect.ADDRESS_REFUSED:
                with self._desk.database.writing(tell=False) as session:
                    refused = (str(one.address), claim.mail)
                    suppress(session, refused, answer.because, at=now)
            case _:
                pass
        return ended(claim, ENDS[answer.effect], answer.because)

    def _person_later(self, claim: Claim, answer: Answer) -> Record:
        record = tried(claim, answer.because, now=self._desk.clock())
        if record.again_at is not None:
            with self._desk.database.writing(tell=False) as session:
                put_off(session, claim.person, record.again_at)
        return record

    def _tell_lane(self, answer: Answer) -> None:
        lane, now = self._desk.lane, self._desk.clock()
        if answer.effect is Effect.SENT:
            lane.took(now)
        elif answer.effect is Effect.LANE_SLOWER:
            if answer.because is Because.RELAY_AWAY or answer.code == CLOSING:
                lane.pause(now)
            else:
                lane.slow_down(now)
        elif answer.effect is Effect.POLICY_REFUSED and lane.refused_by_policy(now):
            log.error("the relay refuses mails by its policy: the lane is closed")
