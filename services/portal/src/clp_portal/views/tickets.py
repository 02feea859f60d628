"""Help tickets: the form with the fields of the help page, and one's own tickets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from clp_contracts.notifications import Ticket
from clp_portal.translation import N_, Locale

URGENCIES: Final = {
    "blocks": N_("It blocks my work"),
    "delays": N_("It delays my work"),
    "neither": N_("Neither"),
}
STATES: Final = {"open": N_("open"), "closed": N_("closed")}
TEXT_FIELDS: Final = (
    "summary",
    "steps",
    "urgency",
    "deadline",
    "workflow",
    "url",
    "mid",
    "request_id",
    "package_id",
    "task_type",
    "target_language",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketForm:
    """The values of the form, and the fields that are wrong."""

    values: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    invalid: frozenset[str] = frozenset()

    def value(self, name: str) -> str:
        """Return what stands in a field."""
        return self.values.get(name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgencyChoice:
    """One degree of urgency."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """One of a person's own tickets."""

    number: str
    summary: str
    state: str
    is_open: bool
    timestamp: str
    iso: str


def urgency_choices(form: TicketForm, locale: Locale) -> tuple[UrgencyChoice, ...]:
    """Return the degrees of urgency."""
    chosen = form.value("urgency") or "neither"
    return tuple(
        UrgencyChoice(value=value, label=locale.gettext(label), chosen=value == chosen)
        for value, label in URGENCIES.items()
    )


def ticket_rows(tickets: Iterable[Ticket], locale: Locale) -> tuple[TicketRow, ...]:
    """Draw one's own tickets, in their order: the newest first."""
    return tuple(
        TicketRow(
            number=one.id,
            summary=one.summary,
            state=locale.gettext(STATES[one.state]),
            is_open=one.state == "open",
            timestamp=locale.timestamp(one.created_at),
            iso=one.created_at.isoformat(timespec="seconds"),
        )
        for one in tickets
    )
