"""The tables and JSON that `clp-ops` prints."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from clp_contracts.health import DELIVERY_MISSING, RELAY_REFUSES, age_in_words
from clp_contracts.notifications import (
    DeadIncomingMail,
    DeadIncomingShown,
    DeadNotification,
    SupportTicket,
    Suppression,
)
from clp_contracts.serialization import dump
from clp_contracts.transition_reasons import SENTENCES
from clp_ops.status import SystemStatus, counted


def health(system: SystemStatus) -> Table:
    """The health of the whole system as a table."""
    state = "healthy" if system.is_healthy else "unhealthy"
    table = Table(title=f"CLP Communications: {state}")
    table.add_column("service")
    for column in ("response", "to publish", "feed at", "behind", "due mails"):
        table.add_column(column, justify="right")
    table.add_column("details")
    for name, service in system.services.items():
        progress = service.progress
        if progress is None:
            table.add_row(name, "[red]none[/red]", "", "", "", "", service.error)
            continue
        table.add_row(
            name,
            f"{service.seconds * 1000:.0f} ms",
            f"{progress.pending:,}",
            f"{progress.head:,}" if progress.head else "",
            f"{system.behind(name):,}" if progress.readers else "",
            f"{progress.due:,}" if name == "notifications" else "",
            _details(system, name),
        )
    return table


def _details(system: SystemStatus, name: str) -> str:
    if name == "search" and system.index is not None:
        index = system.index
        building = (
            "" if index.rebuilt_to is None else f", rebuilt to {index.rebuilt_to:,}"
        )
        size = index.size / 1_000_000
        return f"{index.documents:,} messages, {size:,.1f} MB{building}"
    if name == "notifications" and system.dead is not None:
        return f"{counted(system.dead)} dead"
    return ""


def lines_below(system: SystemStatus) -> Iterator[str]:
    """A line about delivery and the relay, and one about the readers of each feed."""
    signs = {sign.metric: sign for sign in system.signs}
    heartbeat, relay = (
        signs.get(one.metric) for one in (DELIVERY_MISSING, RELAY_REFUSES)
    )
    if heartbeat is not None and relay is not None:
        taken = (
            f"has refused mails for {age_in_words(relay.value)} ({relay.detail})"
            if relay.value
            else "refuses nothing"
        )
        yield (
            f"{heartbeat.of} gave a sign of life {age_in_words(heartbeat.value)} ago;"
            f" the SMTP relay {taken}"
        )
    for source, readers in system.readers.items():
        at = ", ".join(f"{one.reader} {one.cursor:,}" for one in readers)
        yield f"feed of {source} at {system.head(source):,}; readers: {at}"


def as_json(system: SystemStatus) -> str:
    """The health of the whole system as JSON."""
    content: dict[str, Any] = {
        "healthy": system.is_healthy,
        "problems": list(system.problems),
        "dead": system.dead,
        "index": None if system.index is None else dump(system.index),
        "services": {
            name: {
                "responds": service.progress is not None,
                "seconds": round(service.seconds, 4),
                "behind": system.behind(name),
                "progress": None
                if service.progress is None
                else dump(service.progress),
            }
            for name, service in system.services.items()
        },
    }
    return json.dumps(content, indent=1, sort_keys=True)


def dead(rows: Iterable[DeadNotification]) -> Table:
    """Dead notifications with their reasons."""
    table = Table("notification", "dead since", "message", "person", "reason")
    for row in rows:
        at = f"{row.at:%Y-%m-%d %H:%M:%S}"
        reason = f"{SENTENCES.get(row.reason, '')} ({row.reason})".strip()
        table.add_row(row.id, at, row.message, row.person, reason)
    return table


def suppressions(rows: Iterable[Suppression]) -> Table:
    """Suppressed mail addresses with their reasons."""
    table = Table("address", "since", "reason")
    for row in rows:
        table.add_row(row.address, f"{row.at:%Y-%m-%d %H:%M:%S}", row.reason)
    return table


def printable(text: str) -> Text:
    """Text of strangers, which is neither markup nor terminal commands."""
    return Text(
        "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    )


def incoming_mails(
    rows: Iterable[DeadIncomingMail | DeadIncomingShown],
) -> Table:
    """Incoming mails that could not be handled, with their reasons."""
    table = Table("incoming mail", "dead since", "bytes", "reason")
    for row in rows:
        at = f"{row.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(printable(row.id), at, f"{row.size:,}", printable(row.reason))
    return table


def tickets(rows: Iterable[SupportTicket]) -> Table:
    """Support tickets with their summaries."""
    table = Table("ticket", "since", "state", "mailed", "author", "urgency", "summary")
    for row in rows:
        table.add_row(
            row.id,
            f"{row.created_at:%Y-%m-%d %H:%M:%S}",
            row.state,
            "yes" if row.mailed else "no",
            Text(row.author),
            row.urgency,
            printable(row.summary),
        )
    return table
