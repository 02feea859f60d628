"""Explanations of a message: told or not, and why (rules 25 and 48)."""

from dataclasses import dataclass
from typing import Final

from clp_contracts.notifications import MessageExplanation, PersonExplained
from clp_portal.translation import N_, Locale
from clp_portal.views.people import Avatar, avatar

STATES: Final = {
    "due": N_("waits"),
    "claimed": N_("is being sent"),
    "sent": N_("mail sent"),
    "suppressed": N_("no mail"),
    "dead": N_("mail failed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRow:
    """One person: told or not, by which rule, and what became of the mail."""

    name: str
    avatar: Avatar
    told: bool
    sentence: str
    state: str
    facts: tuple[str, ...]


def explanation_rows(
    explanation: MessageExplanation, locale: Locale
) -> tuple[ExplainedRow, ...]:
    """Draw an explanation: those who are told first, then by name."""
    rows = [_row(person, locale) for person in explanation.people]
    return tuple(sorted(rows, key=lambda row: (not row.told, row.name.casefold())))


def _row(person: PersonExplained, locale: Locale) -> ExplainedRow:
    name = person.name or person.person
    state = STATES.get(person.state or "", "")
    return ExplainedRow(
        name=name,
        avatar=avatar(person.person, name),
        told=person.told,
        sentence=person.sentence,
        state=locale.gettext(state) if state else "",
        facts=person.facts,
    )
