"""Groups of people that share a place in a fair queue: the people of one partner.

What a process last heard of a person, without a call. It decides about waiting and
nothing else.
"""

from collections.abc import Iterable
from typing import Final

from clp_contracts.projects import PersonFacts

MAX_PEOPLE: Final = 20_000


class PartnerGroups:
    """The last known partner of each person."""

    def __init__(self) -> None:
        # None for the studio.
        self._partners: dict[str, str | None] = {}

    def note(self, people: Iterable[PersonFacts]) -> None:
        """Remember the partners of people; the oldest make room."""
        for person in people:
            if len(self._partners) >= MAX_PEOPLE and person.id not in self._partners:
                self._partners.pop(next(iter(self._partners)))
            self._partners[person.id] = person.partner

    def forget(self, person: str) -> None:
        """Forget a person who may have moved."""
        self._partners.pop(person, None)

    def of(self, person: str) -> str:
        """Return the group of a person.

        The people of a partner share one; a person of the studio, or one of whom
        nothing was heard yet, has one alone.
        """
        partner = self._partners.get(person)
        return f"person {person}" if partner is None else f"partner {partner}"
