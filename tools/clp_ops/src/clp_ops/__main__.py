"""`clp-ops`: dispatch the operators' commands."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import shtab
from rich.console import Console

from clp_chassis.one_line_errors import in_one_line
from clp_contracts.client import Clients
from clp_contracts.error_remedies import REMEDIES
from clp_contracts.errors import CallFailed, Refused
from clp_ops import (
    import_command,
    incoming_mails,
    notification_commands,
    portal_commands,
    record_commands,
    tables,
)
from clp_ops.arguments import parse_arguments, parser
from clp_ops.connections import DIRECTORY, OPERATIONS, Environ, connected_as
from clp_ops.output import print_json, print_line
from clp_ops.status import system_status

INDEX: Final = "CLP_SEARCH_DATA_DIR"

Command = Callable[[Namespace, Clients, Console], int]
LocalCommand = Callable[[Namespace, Environ, Console], int]


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
    with in_one_line():
        return _run(args, environ, console or Console())


def _run(args: Namespace, environ: Environ, output: Console) -> int:
    if args.command in LOCAL:
        return LOCAL[args.command](args, environ, output)
    subject = DIRECTORY if args.command in OF_DIRECTORY else OPERATIONS
    with connected_as(subject, args, environ) as clp:
        try:
            return (OF_DIRECTORY | OF_OPERATIONS)[args.command](args, clp, output)
        except Refused as refused:
            remedy = REMEDIES.get(refused.code, "")
            raise SystemExit(f"refused: {refused} {remedy}".strip()) from None
        except CallFailed as failure:
            raise SystemExit(
                f"{failure}; is it running? `clp-ops status` shows which services are"
            ) from None


def _status(args: Namespace, clp: Clients, console: Console) -> int:
    status = system_status(clp)
    if args.json:
        console.print_json(tables.as_json(status))
    else:
        console.print(tables.health(status))
        for line in tables.lines_below(status):
            print_line(console, line)
        for problem in status.problems:
            console.print(f"[red]*[/red] {problem}")
    return 0 if status.is_healthy else 1


def _dead_letters(args: Namespace, clp: Clients, console: Console) -> int:
    dead_letters = import_module("clp_ops.dead_letters")
    return _show_or_redrive(args, dead_letters.ChangeCommand(clp, console, args.json))


def _queues(args: Namespace, environ: Environ, console: Console) -> int:
    dead_letters = import_module("clp_ops.dead_letters")
    command = dead_letters.QueueCommand(environ, console, args.json)
    return _show_or_redrive(args, command)


def _show_or_redrive(args: Namespace, command: Any) -> int:
    if args.redrive:
        return int(command.redrive())
    command.show()
    return 0


def _rebuild_index(args: Namespace, environ: Environ, console: Console) -> int:
    folder = args.folder or environ.get(INDEX)
    if folder is None:
        raise SystemExit(f"name the folder of the index: --folder, or {INDEX}")
    # Imported here: the other commands start faster without the search engine.
    search = import_module("clp_search.cli")
    code = int(search.rebuild(Path(folder), wait=not args.no_wait))
    if args.json:
        print_json(console, {"folder": str(folder), "served": code == 0})
    return code


def _completion(args: Namespace, environ: Environ, console: Console) -> int:
    del environ
    script = shtab.complete(parser(), shell=args.shell)
    if args.json:
        print_json(console, {"shell": args.shell, "script": script})
    else:
        console.file.write(script + "\n")
    return 0


# What calls no service.
LOCAL: Final[Mapping[str, LocalCommand]] = {
    "completion": _completion,
    "passport": record_commands.passport,
    "queues": _queues,
    "rebuild-index": _rebuild_index,
}
OF_DIRECTORY: Final[dict[str, Command]] = {
    "person": record_commands.person,
    "partner": record_commands.partner,
    "project": record_commands.project,
    "assign": record_commands.assign,
    "withdraw": record_commands.withdraw,
    "import": import_command.import_records,
}
OF_OPERATIONS: Final[dict[str, Command]] = {
    "status": _status,
    "dead": notification_commands.dead,
    "redrive": notification_commands.redrive,
    "dead-letters": _dead_letters,
    "incoming": incoming_mails.incoming,
    "unsuppress": notification_commands.unsuppress,
    "end-sessions": portal_commands.end_sessions,
    "tickets": portal_commands.tickets,
    "close-ticket": portal_commands.close_ticket,
}


if __name__ == "__main__":
    sys.exit(main())
