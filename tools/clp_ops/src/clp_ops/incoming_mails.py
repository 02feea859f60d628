"""``incoming``: incoming mails that are dead letters: list, show, redrive, discard."""

from argparse import Namespace
from collections.abc import Iterator
from typing import Final

from rich.console import Console

from clp_contracts.client import Clients
from clp_contracts.notifications import DeadIncomingMail
from clp_ops import tables
from clp_ops.output import print_json

BATCH: Final = 100


def incoming(args: Namespace, clp: Clients, console: Console) -> int:
    """Run the command: the options say what is done with the mails."""
    if args.redrive:
        count = clp.notifications.redrive_incoming(incoming_mail_ids=args.mail).count
        _print_count(console, count, "are handled once more", json=args.json)
    elif args.discard:
        if not args.mail:
            raise SystemExit("name the incoming mails to discard")
        count = clp.notifications.discard_incoming(incoming_mail_ids=args.mail).count
        _print_count(console, count, "were deleted", json=args.json)
    elif args.mail:
        _show(args, clp, console)
    else:
        _list(args, clp, console)
    return 0


def _print_count(console: Console, count: int, what: str, *, json: bool) -> None:
    if json:
        print_json(console, {"count": count})
    else:
        console.print(f"{count:,} incoming mails {what}.")


def _show(args: Namespace, clp: Clients, console: Console) -> None:
    shown = [clp.notifications.show_dead_incoming(incoming_mail=m) for m in args.mail]
    if args.json:
        print_json(console, shown)
        return
    for one in shown:
        console.print(tables.incoming_mails([one]))
        for line in one.header.splitlines():
            console.print(tables.printable(line), soft_wrap=True)


def _list(args: Namespace, clp: Clients, console: Console) -> None:
    mails = list(_dead(clp))
    if args.json:
        print_json(console, mails)
    else:
        console.print(
            tables.incoming_mails(mails) if mails else "No incoming mail is dead."
        )


def _dead(clp: Clients) -> Iterator[DeadIncomingMail]:
    after: str | None = None
    while mails := clp.notifications.dead_incoming(after=after, limit=BATCH).mails:
        yield from mails
        after = mails[-1].id
