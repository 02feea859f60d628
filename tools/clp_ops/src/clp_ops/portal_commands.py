"""``end-sessions``, ``tickets``, ``close-ticket``: help people of the portal."""

from argparse import Namespace

from rich.console import Console

from clp_contracts.client import Clients
from clp_ops import tables
from clp_ops.output import print_json, print_line


def end_sessions(args: Namespace, clp: Clients, console: Console) -> int:
    """End every session of a person, in all portal processes."""
    ended = clp.portal.end_sessions(person=args.person)
    if args.json:
        print_json(console, ended)
    else:
        print_line(console, f"{ended.count:,} sessions of {args.person} were ended.")
    return 0


def tickets(args: Namespace, clp: Clients, console: Console) -> int:
    """Print everybody's tickets, newest first."""
    listed = clp.notifications.tickets(after=args.after, limit=args.limit)
    rows = listed.tickets
    if args.json:
        print_json(console, listed)
        return 0
    console.print(tables.tickets(rows) if rows else "There are no tickets.")
    if len(rows) == args.limit:
        print_line(
            console, f"These are {len(rows):,}; --after {rows[-1].id} shows more."
        )
    return 0


def close_ticket(args: Namespace, clp: Clients, console: Console) -> int:
    """Close a ticket; a closed one stays closed."""
    ticket = clp.notifications.close_ticket(ticket=args.ticket)
    if args.json:
        print_json(console, ticket)
    else:
        print_line(console, f"{ticket.id} is closed since {ticket.closed_at}.")
    return 0
