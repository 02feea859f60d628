"""Outcomes of claims: withdrawn, finished, or due again after a growing delay."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.delivery.claims import Claim, DeliveryOutcome
from clp_notifications.delivery.eligibility import RecheckFacts, withdrawal_reason
from clp_notifications.states import State
from clp_notifications.transitions import Transition

DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 14400, 43200)
)
MAX_AGE: Final = timedelta(days=3)
# A service or the database that is unavailable is tried again so soon.
SERVICES_RETRY: Final = timedelta(seconds=2)
# Each delay varies by this share, so that mails do not come back together.
JITTER: Final = 0.2


def drop_ineligible(claim: Claim, facts: RecheckFacts) -> tuple[Claim, DeliveryOutcome]:
    """The claim without what must not leave, and the outcome of what was dropped."""
    reasons = {item.id: withdrawal_reason(item, facts) for item in claim.items}
    outcome = DeliveryOutcome(
        changes={
            key: Transition(State.SUPPRESSED, because)
            for key, because in reasons.items()
            if because is not None
        }
    )
    eligible = tuple(item for item in claim.items if reasons[item.id] is None)
    return (claim if not outcome.changes else replace(claim, items=eligible)), outcome


def release(
    claim: Claim, because: TransitionReason, retry_at: datetime
) -> DeliveryOutcome:
    """All of the claim is due again; this counts as no attempt."""
    change = Transition(State.DUE, because)
    return DeliveryOutcome(
        changes={item.id: change for item in claim.items}, retry_at=retry_at
    )


def wait_for_services(claim: Claim, now: datetime) -> DeliveryOutcome:
    """All of the claim is due again soon: no mail is to blame (rule 41)."""
    return release(claim, TransitionReason.SERVICES_UNAVAILABLE, now + SERVICES_RETRY)


def retry_later(
    claim: Claim,
    because: TransitionReason,
    *,
    now: datetime,
    retry_at: datetime | None = None,
) -> DeliveryOutcome:
    """A failed attempt: due again after its delay, or dead at last (`next_attempt`).

    ``retry_at`` overrides the delay.
    """
    by_delay = next_attempt(
        claim.mail,
        claim.attempts + 1,
        first_tried_at=claim.first_tried_at,
        now=now,
    )
    if by_delay is None:
        return finish(claim, State.DEAD, TransitionReason.EXPIRED)
    return replace(release(claim, because, retry_at or by_delay), attempted=True)


def finish(claim: Claim, state: State, because: TransitionReason) -> DeliveryOutcome:
    """All of the claim has reached its final state."""
    change = Transition(state, because)
    return DeliveryOutcome(
        changes={item.id: change for item in claim.items}, attempted=True
    )


def merged(before: DeliveryOutcome, rest: DeliveryOutcome) -> DeliveryOutcome:
    """The outcome of a whole claim: what was withdrawn before, and the rest."""
    return replace(rest, changes={**before.changes, **rest.changes})


def next_attempt(
    mail: str, attempts: int, *, first_tried_at: datetime, now: datetime
) -> datetime | None:
    """The time of the next attempt after so many; None when the mail has failed.

    That takes three days and all the delays: days in which nothing could be sent, for a
    fault of ours, count for no mail (rule 41).
    """
    at = now + _jittered(DELAYS[min(attempts, len(DELAYS)) - 1], f"{mail} {attempts}")
    is_old = at > first_tried_at + MAX_AGE
    return None if is_old and attempts > len(DELAYS) else at


def _jittered(delay: timedelta, seed: str) -> timedelta:
    """Up to a fifth more or less, and the same for the same attempt."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4])
    return delay * (1 - JITTER + 2 * JITTER * number / 0xFFFFFFFF)
