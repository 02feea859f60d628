"""`clp-ops`: dispatch the operators' commands."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from clp_chassis.clock import now
from clp_chassis.security.passports import Issuer
from clp_contracts.client import Clients, connect
from clp_contracts.errors import CallFailed, Refused
from clp_ops import incoming_mails, portal_commands, tables
from clp_ops.arguments import parse_arguments
from clp_ops.status import system_status

OPERATIONS: Final = "operations"
BROKER: Final = "CLP_BROKER_URL"
OWN_BROKER: Final = "CLP_OPERATIONS_BROKER_URL"
KEYS: Final = "CLP_KEYS_DIR"
INDEX: Final = "CLP_SEARCH_DATA_DIR"
BATCH: Final = 100

Environ = Mapping[str, str]


def main(
    arguments: list[str] | None = None,
    environ: Environ = os.environ,
    console: Console | None = None,
) -> int:
    """Run a command and return its exit code.

    Raises:
        SystemExit: with a sentence, when a setting is missing or a call fails.
    """
    args = parse_arguments(arguments)
    output = console or Console()
    if args.command == "rebuild-index":
        folder = args.folder or environ.get(INDEX)
        if folder is None:
            raise SystemExit(f"name the folder of the index: --folder, or {INDEX}")
        # Imported here: the other commands start faster without the search engine.
        search = import_module("clp_search.cli")
        return int(search.rebuild(Path(folder), wait=not args.no_wait))
    if args.command == "queues":
        dead_letters = import_module("clp_ops.dead_letters")
        return _show_or_redrive(args, dead_letters.QueueCommand(environ, output))
    commands: dict[str, Callable[[Namespace, Clients, Console], int]] = {
        "status": _status,
        "dead": _dead,
        "redrive": _redrive,
        "dead-letters": _dead_letters,
        "incoming": incoming_mails.incoming,
        "unsuppress": _unsuppress,
        "end-sessions": portal_commands.end_sessions,
        "tickets": portal_commands.tickets,
        "close-ticket": portal_commands.close_ticket,
    }
    with _connected(environ, args.timeout) as clp:
        try:
            return commands[args.command](args, clp, output)
        except Refused as refused:
            raise SystemExit(f"refused: {refused.code}: {refused}") from None
        except CallFailed as failure:
            raise SystemExit(
                f"{failure}; is it running? `clp-ops status` shows which services are"
            ) from None


def _connected(environ: Environ, timeout: float) -> Clients:
    broker = environ.get(OWN_BROKER) or environ.get(BROKER)
    keys = Path(environ.get(KEYS, "keys"))
    if broker is None:
        raise SystemExit(f"name the broker: {BROKER}=amqp://user:password@host:5672//")
    if (path := keys / f"{OPERATIONS}.pem").exists():
        passport = Issuer.from_file(path, now).for_service(OPERATIONS)
        return connect(broker, passport, timeout)
    raise SystemExit(f"{keys} holds no {OPERATIONS}.pem; set its folder: {KEYS}")


def _status(args: Namespace, clp: Clients, console: Console) -> int:
    status = system_status(clp)
    if args.json:
        console.print_json(tables.as_json(status))
    else:
        console.print(tables.health(status))
        for problem in status.problems:
            console.print(f"[red]*[/red] {problem}")
    return 0 if status.is_healthy else 1


def _dead(args: Namespace, clp: Clients, console: Console) -> int:
    rows = clp.notifications.dead(limit=args.limit).notifications
    console.print(tables.dead(rows) if rows else "No notification is dead.")
    if len(rows) == args.limit:
        console.print(f"These are the oldest {args.limit}; --limit shows more.")
    return 0


def _redrive(args: Namespace, clp: Clients, console: Console) -> int:
    named = tuple(args.notification) or _all_dead(clp)
    if not named:
        console.print("No notification is dead.")
        return 0
    sent = 0
    bar = (TextColumn("redriving"), BarColumn(), MofNCompleteColumn())
    with Progress(*bar, console=console) as progress:
        task = progress.add_task("redrive", total=len(named))
        for start in range(0, len(named), BATCH):
            batch = named[start : start + BATCH]
            sent += clp.notifications.redrive(notification_ids=batch).count
            progress.advance(task, len(batch))
    console.print(f"{sent:,} of {len(named):,} notifications are due again.")
    return 0


def _dead_letters(args: Namespace, clp: Clients, console: Console) -> int:
    dead_letters = import_module("clp_ops.dead_letters")
    return _show_or_redrive(args, dead_letters.ChangeCommand(clp, console))


def _show_or_redrive(args: Namespace, command: Any) -> int:
    if args.redrive:
        return int(command.redrive())
    command.show()
    return 0


def _all_dead(clp: Clients) -> tuple[str, ...]:
    found: list[str] = []
    while True:
        after = found[-1] if found else None
        rows = clp.notifications.dead(after=after, limit=BATCH).notifications
        found += (row.id for row in rows)
        if len(rows) < BATCH:
            return tuple(found)


def _unsuppress(args: Namespace, clp: Clients, console: Console) -> int:
    if args.address is None:
        rows = clp.notifications.suppressions().suppressions
        console.print(
            tables.suppressions(rows) if rows else "No address is suppressed."
        )
        return 0
    deleted = clp.notifications.delete_suppression(address=args.address)
    console.print(
        f"{deleted.address} is no longer suppressed; clp-ops redrive sends its dead"
        " notifications."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
