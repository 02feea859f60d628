"""``dead``, ``redrive``, ``unsuppress``: notifications that no relay accepted."""

from argparse import Namespace
from typing import Final

from rich.console import Console

from clp_contracts.client import Clients
from clp_ops import tables
from clp_ops.output import print_json, print_line, progress_bar

BATCH: Final = 100


def dead(args: Namespace, clp: Clients, console: Console) -> int:
    """Print the oldest dead notifications with their reasons."""
    listed = clp.notifications.dead(limit=args.limit)
    rows = listed.notifications
    if args.json:
        print_json(console, listed)
        return 0
    console.print(tables.dead(rows) if rows else "No notification is dead.")
    if len(rows) == args.limit:
        console.print(f"These are the oldest {args.limit}; --limit shows more.")
    return 0


def redrive(args: Namespace, clp: Clients, console: Console) -> int:
    """Make dead notifications due again."""
    named = tuple(args.notification) or _all_dead(clp)
    sent = 0
    with progress_bar(console, "redriving") as progress:
        task = progress.add_task("redrive", total=len(named))
        for start in range(0, len(named), BATCH):
            batch = named[start : start + BATCH]
            sent += clp.notifications.redrive(notification_ids=batch).count
            progress.advance(task, len(batch))
    if args.json:
        print_json(console, {"named": len(named), "due": sent})
    elif named:
        console.print(f"{sent:,} of {len(named):,} notifications are due again.")
    else:
        console.print("No notification is dead.")
    return 0


def unsuppress(args: Namespace, clp: Clients, console: Console) -> int:
    """List suppressed addresses, or deliver to one again."""
    if args.address is not None:
        deleted = clp.notifications.delete_suppression(address=args.address)
        if args.json:
            print_json(console, deleted)
            return 0
        print_line(
            console,
            f"{deleted.address} is no longer suppressed; clp-ops redrive sends its"
            " dead notifications.",
        )
        return 0
    listed = clp.notifications.suppressions()
    if args.json:
        print_json(console, listed)
    elif listed.suppressions:
        console.print(tables.suppressions(listed.suppressions))
    else:
        console.print("No address is suppressed.")
    return 0


def _all_dead(clp: Clients) -> tuple[str, ...]:
    found: list[str] = []
    while True:
        after = found[-1] if found else None
        rows = clp.notifications.dead(after=after, limit=BATCH).notifications
        found += (row.id for row in rows)
        if len(rows) < BATCH:
            return tuple(found)
