"""What an operator is shown."""

import json
from collections.abc import Iterable
from typing import Any

from rich.table import Table

from clp_contracts.notifications import DeadNotification, SuppressedAddress
from clp_contracts.serialization import dump
from clp_ops.status import Seen, counted


def health(seen: Seen) -> Table:
    """One table of the whole system."""
    table = Table(title="CLP Communications: " + ("well" if seen.is_well else "ill"))
    table.add_column("service")
    for column in ("answers in", "to announce", "feed at", "behind", "due mails"):
        table.add_column(column, justify="right")
    table.add_column("more")
    for name, service in seen.services.items():
        told = service.progress
        if told is None:
            table.add_row(name, "[red]no answer[/red]", "", "", "", "", service.trouble)
            continue
        table.add_row(
            name,
            f"{service.seconds * 1000:.0f} ms",
            f"{told.pending:,}",
            f"{told.head:,}" if told.head else "",
            f"{seen.behind(name):,}" if told.readers else "",
            f"{told.due:,}" if name == "notifications" else "",
            _more(seen, name),
        )
    return table


def _more(seen: Seen, name: str) -> str:
    if name == "search" and seen.index is not None:
        index = seen.index
        building = (
            "" if index.rebuilt_to is None else f", rebuilt to {index.rebuilt_to:,}"
        )
        size = index.size_bytes / 1_000_000
        return f"{index.documents:,} messages, {size:,.1f} MB{building}"
    if name == "notifications" and seen.dead is not None:
        return f"{counted(seen.dead)} given up"
    return ""


def as_json(seen: Seen) -> str:
    """The same for programs."""
    told: dict[str, Any] = {
        "well": seen.is_well,
        "ills": list(seen.ills),
        "dead": seen.dead,
        "index": None if seen.index is None else dump(seen.index),
        "services": {
            name: {
                "answers": service.progress is not None,
                "seconds": round(service.seconds, 4),
                "behind": seen.behind(name),
                "progress": None
                if service.progress is None
                else dump(service.progress),
            }
            for name, service in seen.services.items()
        },
    }
    return json.dumps(told, indent=1, sort_keys=True)


def dead(rows: Iterable[DeadNotification]) -> Table:
    """Notifications that were given up."""
    table = Table("notification", "given up at", "message", "person", "reason")
    for row in rows:
        at = f"{row.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(row.id, at, row.message, row.person, row.reason)
    return table


def suppressed(rows: Iterable[SuppressedAddress]) -> Table:
    """Addresses that get no mail."""
    table = Table("address", "since", "reason")
    for row in rows:
        table.add_row(row.address, f"{row.at:%Y-%m-%d %H:%M:%S}", row.reason)
    return table
