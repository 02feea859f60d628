"""``end-sessions``, ``tickets``, ``close-ticket``: help people of the portal."""

import json
from argparse import Namespace

from rich.console import Console

from clp_contracts.client import Clients
from clp_contracts.serialization import dump
from clp_ops import tables


def end_sessions(args: Namespace, clp: Clients, console: Console) -> int:
    """End every session of a person, in all portal processes."""
    ended = clp.portal.end_sessions(person=args.person)
    if args.json:
        _print_json(console, dump(ended))
    else:
        _print(console, f"{ended.count:,} sessions of {args.person} were ended.")
    return 0


def tickets(args: Namespace, clp: Clients, console: Console) -> int:
    """Print everybody's tickets, newest first."""
    listed = clp.notifications.tickets(after=args.after, limit=args.limit)
    rows = listed.tickets
    if args.json:
        _print_json(console, dump(listed))
        return 0
    console.print(tables.tickets(rows) if rows else "There are no tickets.")
    if len(rows) == args.limit:
        _print(console, f"These are {len(rows):,}; --after {rows[-1].id} shows more.")
    return 0


def close_ticket(args: Namespace, clp: Clients, console: Console) -> int:
    """Close a ticket; a closed one stays closed."""
    ticket = clp.notifications.close_ticket(ticket=args.ticket)
    if args.json:
        _print_json(console, dump(ticket))
    else:
        _print(console, f"{ticket.id} is closed since {ticket.closed_at}.")
    return 0


def _print(console: Console, sentence: str) -> None:
    console.print(sentence, markup=False)


def _print_json(console: Console, content: object) -> None:
    console.print_json(json.dumps(content))
