"""The doorkeeper: what was asked about mails in hand, and how long that is good for.

An answer holds for half a second, counted from the moment before the question, or for
longer when services are slow to answer: `projects` tells nobody meanwhile that access
has ended. One of before promises nothing: then an answer is good for a tenth of a
second, and no mail leaves later than that after somebody was told.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clp_chassis.persistence.database import AWAY
from clp_contracts.errors import CallFailed, Refused
from clp_notifications.delivery.claims import Claim
from clp_notifications.delivery.dependencies import Desk
from clp_notifications.delivery.destinations import Destination, destinations_of
from clp_notifications.delivery.door import Door, ask_at_the_door
from clp_notifications.delivery.single_flight import Shared
from clp_notifications.transitions import people_without_content

log = logging.getLogger(__name__)

# The first answer of services that got slow is too old when it comes, the second not.
TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What was found out about a mail: all that decides whether it leaves, and how."""

    door: Door
    # None where there is no reader any more.
    destination: Destination | None
    wants_content: bool


class Doorkeeper:
    """Asks about all mails in hand at once, for a round of delivery."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._in_hand: dict[str, Claim] = {}
        self._admissions: Mapping[str, Admission] = {}
        self._fresh_until = 0.0
        # For how long the next answer has to hold: longer where services got slow.
        self._good_for_s = desk.pacing.hold_s
        self._again: Shared[None, None] = Shared(self._ask)
        # Whether nobody answered about the mails in hand; then all of them wait.
        self.is_unanswered = False

    def ask(self, claims: Iterable[Claim]) -> Mapping[str, Admission]:
        """Take mails in hand and ask about them; gives admissions by mail.

        Raises:
            CallFailed: a service did not answer.
        """
        self._in_hand = {claim.mail: claim for claim in claims}
        self.is_unanswered = False
        self._ask()
        return self._admissions

    def done(self, claim: Claim) -> None:
        """A mail is not in hand any more."""
        self._in_hand.pop(claim.mail, None)

    def admits(self, claim: Claim, admission: Admission) -> bool:
        """Whether a mail may leave this moment, admitted as it was when it was made.

        Mails that are held up at the same time are asked about together.
        """
        for _ in range(TRIES):
            if self.is_unanswered:
                break
            if self._desk.ticks() < self._fresh_until:
                return self._admissions.get(claim.mail) == admission
            self._ask_again()
        return False

    def _ask_again(self) -> None:
        try:
            self._again.ask(None)
        except (CallFailed, Refused, *AWAY) as error:
            if not self.is_unanswered:
                log.warning("mails in hand wait: %s", type(error).__name__)
            self.is_unanswered = True

    def _ask(self, _for: Sequence[None] = ()) -> None:
        """Ask about the mails in hand, and note until when the answers are good.

        When services take so long that little of what was promised is left, it is asked
        again for answers that hold twice as long as they took.
        """
        asked_at = self._desk.ticks()
        self._admissions, holds_s = _admissions(
            tuple(self._in_hand.values()), self._desk, good_for_s=self._good_for_s
        )
        took = self._desk.ticks() - asked_at
        pacing = self._desk.pacing
        self._fresh_until = asked_at + max(pacing.fresh_s, holds_s)
        self._good_for_s = max(pacing.hold_s, 2 * took)


def _admissions(
    claims: Sequence[Claim], desk: Desk, *, good_for_s: float
) -> tuple[Mapping[str, Admission], float]:
    doors, holds_s = ask_at_the_door(claims, desk.callers, good_for_s=good_for_s)
    readers = {
        claim.mail: (claim.channel.project, reader)
        for claim in claims
        if (reader := doors[claim.mail].reader) is not None
    }
    with desk.database.reading() as session:
        found = destinations_of(session, readers.values())
        people = [reader.id for _, reader in readers.values()]
        hidden = people_without_content(session, people)
    destinations = {
        mail: found[project, reader.id] for mail, (project, reader) in readers.items()
    }
    admissions = {
        claim.mail: Admission(
            door=doors[claim.mail],
            destination=destinations.get(claim.mail),
            wants_content=claim.person not in hidden,
        )
        for claim in claims
    }
    return admissions, holds_s
