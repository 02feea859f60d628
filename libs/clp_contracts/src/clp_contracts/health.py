"""The signs of trouble: what is measured, from when on it is one, what to do about it.

One table for all who judge health: readiness, metrics, alerts, the dashboard and
``clp-ops status``. Ages count from when something was first due, so that trying again
does not hide a wait.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

SECONDS: Final = "seconds"
NUMBER: Final = "number"


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign: the gauge that shows it, and when it means trouble.

    A value above ``limit`` is trouble; an alert fires when it stays so for ``minutes``.
    ``problem`` is a sentence about ``{of}``, a service, reader or process type, with
    ``{value}`` in words. ``action`` begins with the command that shows the matter. With
    ``unready``, the process that measures it is not ready meanwhile.
    """

    metric: str
    label: str
    alert: str
    meaning: str
    problem: str
    action: str
    unit: str = SECONDS
    limit: float = 0.0
    minutes: int = 2
    severity: str = "page"
    unready: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignValue:
    """A measured sign: ``of`` whom, its value, and a detail such as a last refusal."""

    metric: str
    of: str
    value: float
    detail: str = ""


NOTIFICATIONS_WAIT: Final = Sign(
    "clp_notifications_oldest_seconds",
    "service",
    "ClpMailsAreLate",
    "Age of the oldest undelivered notification or ticket since it was first due.",
    "the oldest mail has waited for {value} since it was first due",
    "`clp-ops status` shows delivery and the relay. If both work, add processes.",
    limit=300,
    minutes=1,
)
RELAY_REFUSES: Final = Sign(
    "clp_relay_refusing_seconds",
    "service",
    "ClpRelayTakesNoMail",
    "Time since the SMTP relay began to refuse mails without accepting one.",
    "the SMTP relay has accepted no mail for {value}",
    "`python -m clp_notifications delivery --check` tries address, TLS and login; then"
    " look at relaying rule, SPF and DKIM. Mails leave by themselves afterwards.",
    limit=60,
    minutes=1,
    unready=True,
)
DELIVERY_MISSING: Final = Sign(
    "clp_heartbeat_age_seconds",
    "process_type",
    "ClpProcessTypeIsMissing",
    "Time since a process of a type that serves no calls gave a sign of life.",
    "no {of} process has run for {value}",
    "`clp-ops status` shows since when. Start one, and read the end of its log.",
    limit=30,
    minutes=1,
)
OUTBOX_WAITS: Final = Sign(
    "clp_outbox_oldest_seconds",
    "service",
    "ClpOutboxIsStuck",
    "Age of the oldest committed change that is not published.",
    "events of {of} have waited for {value} to be published",
    "`clp-ops status` shows how many. Is the broker up, with memory and disk? Nothing"
    " is lost meanwhile.",
    limit=60,
)
FEED_WAITS: Final = Sign(
    "clp_feed_oldest_seconds",
    "reader",
    "ClpReaderIsBehind",
    "Age of the oldest change of a feed that a reader has not applied.",
    "{of} has not applied a change for {value}",
    "`clp-ops dead-letters` shows failed changes; the log of its process names the one"
    " that fails, or the service that does not respond.",
    limit=60,
    unready=True,
)
FEED_AHEAD: Final = Sign(
    "clp_feed_ahead_changes",
    "reader",
    "ClpReaderIsAhead",
    "Changes by which a reader's cursor is ahead of its feed: a database was restored.",
    "the cursor of {of} is {value} changes ahead of its feed: an older database was"
    " restored",
    "`clp-ops status` shows both positions. Restore the reader's database of the same"
    " time as well (runbook, Restore); for search `clp-ops rebuild-index`.",
    unit=NUMBER,
    minutes=1,
    unready=True,
)
DEAD_LETTERS: Final = Sign(
    "clp_dead_letters_kept",
    "reader",
    "ClpDeadLetters",
    "Changes that a reader could not apply and nobody has redriven.",
    "{of} has {value} dead letters",
    "`clp-ops dead-letters` prints each with its error; `--redrive` tries them again.",
    unit=NUMBER,
    minutes=1,
    severity="ticket",
)
DEAD_EVENTS: Final = Sign(
    "clp_dead_events_waiting",
    "queue",
    "ClpDeadEvents",
    "Events in a dead-letter queue of the broker that nobody has redriven.",
    "{value} events wait in {of}",
    "`clp-ops queues` prints each with its error; `--redrive` returns them to their"
    " handlers. An event only wakes a reader, so nothing is late.",
    unit=NUMBER,
    minutes=1,
    severity="ticket",
)
NOTIFICATIONS_DIED: Final = Sign(
    "clp_notifications_dead",
    "service",
    "ClpNotificationsDie",
    "Notifications that failed for good and were not redriven.",
    "{value} notifications are dead",
    "`clp-ops dead` prints the reasons, `clp-ops redrive` sends them again.",
    unit=NUMBER,
    minutes=1,
    severity="ticket",
)
SIGNS: Final = {
    sign.metric: sign
    for sign in (
        NOTIFICATIONS_WAIT,
        RELAY_REFUSES,
        DELIVERY_MISSING,
        OUTBOX_WAITS,
        FEED_WAITS,
        FEED_AHEAD,
        DEAD_LETTERS,
        DEAD_EVENTS,
        NOTIFICATIONS_DIED,
    )
}


def problems_of(values: Iterable[SignValue]) -> Iterator[str]:
    """Sentences about the values that mean trouble, each with what to do."""
    for value in values:
        sign = SIGNS.get(value.metric)
        # A newer service may measure what this program does not know.
        if sign is not None and value.value > sign.limit:
            yield f"{problem_of(sign, value)}. {sign.action}"


def problem_of(sign: Sign, value: SignValue) -> str:
    """The sentence about a value, with its detail."""
    said = age_in_words(value.value) if sign.unit == SECONDS else f"{value.value:,.0f}"
    detail = f" ({value.detail})" if value.detail else ""
    return sign.problem.format(of=value.of, value=said) + detail


def age_in_words(seconds: float) -> str:
    """An age as people say it: ``42 s``, ``9 min``, ``3 h``, ``2 days``."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
