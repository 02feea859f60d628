"""Explanations of a message: told or not, and why (rules 25 and 48)."""

from dataclasses import dataclass

from clp_contracts.notifications import MessageExplanation, PersonExplained
from clp_portal.views.people import Avatar, avatar


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRow:
    """One person: the sentence says whether told, why, and what became of the mail."""

    name: str
    avatar: Avatar
    told: bool
    sentence: str
    facts: tuple[str, ...]


def explanation_rows(
    explanation: MessageExplanation,
) -> tuple[ExplainedRow, ...]:
    """Draw an explanation: those who are told first, then by name."""
    rows = [_row(person) for person in explanation.people]
    return tuple(sorted(rows, key=lambda row: (not row.told, row.name.casefold())))


def _row(person: PersonExplained) -> ExplainedRow:
    name = person.name or person.person
    return ExplainedRow(
        name=name,
        avatar=avatar(person.person, name),
        told=person.told,
        sentence=person.sentence,
        facts=person.facts,
    )
