"""The command line of `clp-ops`."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any, Final

DESCRIPTION: Final = """\
Inspect and repair a running system. The command calls the services as an operator:
CLP_OPERATIONS_BROKER_URL (or CLP_BROKER_URL) is the URL of the broker, CLP_KEYS_DIR the
folder of operations.pem.
"""
PROGRAM: Final = "clp-ops"


def parse_arguments(arguments: list[str] | None = None) -> Namespace:
    """Parse the command line; ``command`` names the command to run."""
    parser = ArgumentParser(
        PROGRAM,
        description=DESCRIPTION,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--timeout", type=float, default=10.0, help="seconds that a call may take (10)"
    )
    commands = parser.add_subparsers(dest="command", required=True, title="commands")
    _add_status(commands)
    _add_notifications(commands)
    _add_dead_letters(commands)
    _add_portal(commands)
    _add_rebuild(commands)
    return parser.parse_args(arguments)


def _add_status(commands: Any) -> None:
    status = commands.add_parser(
        "status", help="health of the whole system; exit code 1 when unhealthy"
    )
    status.add_argument("--json", action="store_true", help="print JSON")


def _add_notifications(commands: Any) -> None:
    dead = commands.add_parser("dead", help="dead notifications, each with its reason")
    dead.add_argument("--limit", type=int, default=100, help="how many (100)")
    redrive = commands.add_parser(
        "redrive", help="send dead notifications again, all or those named"
    )
    redrive.add_argument("notification", nargs="*", help="ids as printed by `dead`")
    unsuppress = commands.add_parser(
        "unsuppress", help="deliver mails to a suppressed address again"
    )
    unsuppress.add_argument(
        "address", nargs="?", help="without one: list the suppressed addresses"
    )


def _add_dead_letters(commands: Any) -> None:
    dead_letters = commands.add_parser(
        "dead-letters",
        help="changes that a feed reader could not apply, each with its error",
    )
    dead_letters.add_argument(
        "--redrive", action="store_true", help="apply all of them once more"
    )
    queues = commands.add_parser(
        "queues",
        help="events in the broker's dead-letter queues, each with its error",
        description="Show the dead-letter queues of the broker. Only the owner of a "
        "queue may read it: CLP_<SERVICE>_BROKER_URL is the URL of each.",
    )
    queues.add_argument(
        "--redrive", action="store_true", help="return all events to their handlers"
    )

    incoming = commands.add_parser(
        "incoming",
        help="incoming mails that could not be handled, each with its reason",
        description="List them all, or show the header lines of those named.",
    )
    incoming.add_argument("mail", nargs="*", help="ids as printed by the list")
    effect = incoming.add_mutually_exclusive_group()
    effect.add_argument(
        "--redrive", action="store_true", help="handle all or those named once more"
    )
    effect.add_argument("--discard", action="store_true", help="delete those named")
    incoming.add_argument("--json", action="store_true", help="print JSON")


def _add_portal(commands: Any) -> None:
    end = commands.add_parser(
        "end-sessions", help="sign a person out of the portal everywhere, at once"
    )
    end.add_argument("person", help="the id of the person")
    end.add_argument("--json", action="store_true", help="print JSON")
    tickets = commands.add_parser("tickets", help="support tickets, newest first")
    tickets.add_argument("--limit", type=int, default=100, help="how many (100)")
    tickets.add_argument("--after", help="those after this ticket")
    tickets.add_argument("--json", action="store_true", help="print JSON")
    close = commands.add_parser("close-ticket", help="close a support ticket")
    close.add_argument("ticket", help="the number as printed by `tickets`")
    close.add_argument("--json", action="store_true", help="print JSON")


def _add_rebuild(commands: Any) -> None:
    rebuild = commands.add_parser(
        "rebuild-index",
        help="rebuild the search index of this host while the old one serves",
    )
    rebuild.add_argument(
        "--folder", type=Path, help="folder of the index (CLP_SEARCH_DATA_DIR)"
    )
    rebuild.add_argument("--no-wait", action="store_true", help="show no progress")
