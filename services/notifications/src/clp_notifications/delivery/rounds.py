"""A round: claimed mails on their way from the question at the door to the record.

Mails are asked about together and handed over on several connections at a time. What
was asked is good for a moment only: a mail that has not left by then is asked about
again. Whatever happens to a claim ends in a record: sent, withdrawn, due again or given
up; records of a few mails are written together.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clp_contracts.refusal import CallFailed, Refused
from clp_notifications.delivery.answers import Answer, Effect
from clp_notifications.delivery.claims import Claim, Record, put_off
from clp_notifications.delivery.decisions import (
    ended,
    joined,
    judged,
    put_back,
    tried,
)
from clp_notifications.delivery.desk import Desk
from clp_notifications.delivery.destinations import Destination, destinations_of
from clp_notifications.delivery.door import Door, ask_at_the_door
from clp_notifications.delivery.ledger import Ledger
from clp_notifications.delivery.letters import letter_for
from clp_notifications.delivery.shared_questions import Shared
from clp_notifications.mail.addresses import Address
from clp_notifications.records import people_without_content, suppress
from clp_notifications.states import Because, State

log = logging.getLogger(__name__)

SERVICES_AGAIN: Final = timedelta(seconds=2)
LANE_AGAIN: Final = timedelta(seconds=1)
LONGEST_WAIT_IN_HAND: Final = timedelta(seconds=3)
# So often a mail is asked about in vain before the services count as too slow.
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
class _Admitted:
    """A mail that may leave as far as was asked, until that is too old."""

    claim: Claim
    door: Door
    address: Address
    wants_content: bool
    fresh_until: float
    # What of it was withdrawn already.
    before: Record


class _Round:
    def __init__(
        self, desk: Desk, claims: Iterable[Claim], is_stopping: Callable[[], bool]
    ) -> None:
        self._desk = desk
        self._pacing = desk.pacing
        self._is_stopping = is_stopping
        self._waiting = deque(claims)
        self._most = self._pacing.connections
        self._asked: dict[str, int] = {}
        self._is_slow = False
        self._ledger = Ledger(desk)
        self._last_moment = Shared(self._ask)

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
        wanted = min(self._most, len(self._waiting))
        grant = self._desk.lane.grant(now, wanted, LONGEST_WAIT_IN_HAND)
        if grant is None:
            self._give_back(self._waiting, now + LONGEST_WAIT_IN_HAND)
            self._waiting.clear()
            return []
        if grant.wait:
            # Nothing stays unwritten while nothing moves.
            self._ledger.write()
            self._desk.sleep(grant.wait.total_seconds())
        now = self._desk.clock()
        kept: list[Claim] = []
        for _ in range(grant.mails):
            claim = self._waiting.popleft()
            if now + self._pacing.margin <= claim.until:
                kept.append(claim)
            else:
                self._give_back([claim], now)
        return kept

    def _give_back(self, claims: Iterable[Claim], again_at: datetime) -> None:
        for claim in claims:
            self._ledger.note(claim, put_back(claim, Because.GIVEN_BACK, again_at))

    def _deliver(self, portion: list[Claim]) -> None:
        try:
            ready = deque(self._admitted(portion))
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
        hands = min(self._pacing.connections, len(ready))
        self._desk.together([lambda: self._hand_over_all(ready)] * hands)
        self._ask_later([one.claim for one in ready])

    def _wait_for_services(self, claims: Iterable[Claim]) -> None:
        again_at = self._desk.clock() + SERVICES_AGAIN
        for claim in claims:
            record = put_back(claim, Because.SERVICES_AWAY, again_at)
            self._ledger.note(claim, record)

    def _ask_later(self, claims: list[Claim]) -> None:
        """Put back what has not left; when some got too old, ask about fewer."""
        if not claims:
            self._most = min(self._most * 2, self._pacing.at_the_door)
            return
        if not self._is_slow:
            self._most = max(1, self._most // 2)
        is_closed = bool(self._desk.lane.closed_for(self._desk.clock()))
        for claim in reversed(claims):
            asked = self._asked[claim.mail] = self._asked.get(claim.mail, 0) + 1
            if is_closed or asked < MOST_ASKED:
                self._waiting.appendleft(claim)
            else:
                log.warning("mail %s waits: the services answer too late", claim.mail)
                self._wait_for_services([claim])

    def _admitted(self, portion: Sequence[Claim]) -> list[_Admitted]:
        """Ask about mails, and leave out what may not leave."""
        doors, fresh_until = self._ask(portion)
        left = [judged(claim, doors[claim.mail]) for claim in portion]
        destinations, hidden = self._destinations([claim for claim, _ in left], doors)
        found: list[_Admitted] = []
        for claim, before in left:
            address = destinations.get(claim.mail)
            if address is None:
                self._ledger.note(claim, before)
            elif isinstance(address, Address):
                one = _Admitted(
                    claim=claim,
                    door=doors[claim.mail],
                    address=address,
                    wants_content=claim.person not in hidden,
                    fresh_until=fresh_until,
                    before=before,
                )
                found.append(one)
            else:
                refused = ended(claim, State.SUPPRESSED, address)
                self._ledger.note(claim, joined(before, refused))
        return found

    def _destinations(
        self, claims: list[Claim], doors: Mapping[str, Door]
    ) -> tuple[dict[str, Destination], frozenset[str]]:
        """Where mails go, and whose mails show nothing of what was written."""
        readers = {
            claim.mail: (claim.channel.project, reader)
            for claim in claims
            if claim.items and (reader := doors[claim.mail].reader) is not None
        }
        with self._desk.database.reading() as session:
            found = destinations_of(session, readers.values())
            people = [reader.id for _, reader in readers.values()]
            hidden = people_without_content(session, people)
        destinations = {
            mail: found[project, reader.id]
            for mail, (project, reader) in readers.items()
        }
        return destinations, hidden

    def _hand_over_all(self, ready: deque[_Admitted]) -> None:
        """Hand over one mail after the other, until none is left or none may leave."""
        stale: list[_Admitted] = []
        while ready and not self._must_pause():
            one = ready.popleft()
            record = self._outcome(one)
            if record is None:
                stale.append(one)
            else:
                self._ledger.note(one.claim, joined(one.before, record))
        ready.extend(stale)
        self._ledger.write()

    def _must_pause(self) -> bool:
        lane = self._desk.lane
        return (
            self._is_stopping()
            or self._ledger.is_stuck
            or bool(lane.closed_for(self._desk.clock()))
        )

    def _outcome(self, one: _Admitted) -> Record | None:
        """What became of a mail; None when it has to be asked about again."""
        try:
            if not self._is_fresh(one):
                return None
            letter = letter_for(
                one.claim,
                one.door,
                self._desk.manner,
                wants_content=one.wants_content,
            )
            mail = self._desk.mailer.compose(letter, one.address)
            answer = self._desk.transport.hand_over(mail, lambda: self._may_leave(one))
            return self._recorded(one, answer)
        except Exception:
            log.exception("mail %s could not be made", one.claim.mail)
            return tried(one.claim, Because.FAULT, now=self._desk.clock())

    def _ask(self, claims: Sequence[Claim]) -> tuple[Mapping[str, Door], float]:
        """Ask at the door; gives the answers, and until when they are good.

        When services take longer to answer than an answer is good for, it is asked
        again; when they stay slow, it is good for as long again as they took. Mails
        then leave later, by an answer no older than the services are slow.
        """
        asked_at = self._desk.ticks()
        doors = ask_at_the_door(claims, self._desk.callers)
        took = self._desk.ticks() - asked_at
        good_for, was_slow = self._pacing.fresh_s, self._is_slow
        self._is_slow = took >= good_for
        if self._is_slow and was_slow:
            good_for = 2 * took
        return doors, asked_at + good_for

    def _is_fresh(self, one: _Admitted) -> bool:
        return self._desk.ticks() < one.fresh_until

    def _may_leave(self, one: _Admitted) -> bool:
        """Right before the content leaves: a slow relay makes us ask once more.

        Mails that are held up at the same time are asked about together.
        """
        if self._is_fresh(one):
            return True
        try:
            doors, fresh_until = self._last_moment.ask(one.claim)
        except (CallFailed, Refused):
            return False
        is_same = doors[one.claim.mail] == one.door
        return is_same and self._desk.ticks() < fresh_until

    def _recorded(self, one: _Admitted, answer: Answer) -> Record | None:
        claim, now = one.claim, self._desk.clock()
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
