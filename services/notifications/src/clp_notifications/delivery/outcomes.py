"""Records of claims: what is withdrawn, what ended, and what is tried again."""

from dataclasses import replace
from datetime import datetime

from clp_notifications.delivery.backoff import next_try
from clp_notifications.delivery.claims import Claim, Record
from clp_notifications.delivery.door import Door, withdrawn
from clp_notifications.states import Because, State
from clp_notifications.transitions import Change


def judged(claim: Claim, door: Door) -> tuple[Claim, Record]:
    """What is left of a claim at the door, and the record of what is withdrawn."""
    gone = {item.id: withdrawn(item, door) for item in claim.items}
    record = Record(
        changes={
            key: Change(State.SUPPRESSED, because)
            for key, because in gone.items()
            if because is not None
        }
    )
    left = tuple(item for item in claim.items if gone[item.id] is None)
    return (claim if not record.changes else replace(claim, items=left)), record


def put_back(claim: Claim, because: Because, again_at: datetime) -> Record:
    """No try was made: all of it is due again."""
    change = Change(State.DUE, because)
    return Record(changes={item.id: change for item in claim.items}, again_at=again_at)


def tried(
    claim: Claim, because: Because, *, now: datetime, again_at: datetime | None = None
) -> Record:
    """A try that failed for now: later again, or given up after three days."""
    by_delay = next_try(
        claim.mail,
        claim.attempts + 1,
        first_tried_at=claim.first_tried_at,
        now=now,
    )
    if by_delay is None:
        return ended(claim, State.DEAD, Because.GIVEN_UP)
    return replace(put_back(claim, because, again_at or by_delay), attempted=True)


def ended(claim: Claim, state: State, because: Because) -> Record:
    """Nothing is left to do."""
    change = Change(state, because)
    return Record(changes={item.id: change for item in claim.items}, attempted=True)


def joined(before: Record, rest: Record) -> Record:
    """The record of a whole claim: what was withdrawn before, and the rest."""
    return replace(rest, changes={**before.changes, **rest.changes})
