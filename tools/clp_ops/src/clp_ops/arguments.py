"""The words of `clp-ops`."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Final

ABOUT: Final = """\
Looks after a running system. It calls the services as an operator:
CLP_OPERATIONS_BROKER_URL (or CLP_BROKER_URL) is the address of the broker, CLP_KEYS_DIR
the folder that holds operations.pem (or, where there is none, gateway.pem).
"""
PROGRAM: Final = "clp-ops"


def parsed(arguments: list[str] | None = None) -> Namespace:
    """What was asked for."""
    parser = ArgumentParser(
        PROGRAM, description=ABOUT, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--timeout", type=float, default=10.0, help="seconds a call may take (10)"
    )
    commands = parser.add_subparsers(dest="command", required=True, title="commands")
    status = commands.add_parser(
        "status", help="one table of the whole system's health; ends with 1 when ill"
    )
    status.add_argument("--json", action="store_true", help="for programs")
    dead = commands.add_parser("dead", help="notifications that were given up, and why")
    dead.add_argument("--limit", type=int, default=100, help="how many (100)")
    redrive = commands.add_parser(
        "redrive", help="send given-up notifications again, all or those named"
    )
    redrive.add_argument("notification", nargs="*", help="ids as `dead` shows them")
    aside = commands.add_parser(
        "aside",
        help="changes and events that no reader could take, and why",
        description="Changes of feeds that a reader could not apply, and events parked"
        " in dead queues. Those are for their owners alone: CLP_SERVICE_BROKER_URL"
        " names the address of each.",
    )
    aside.add_argument("--again", action="store_true", help="have all of it taken now")
    rebuild = commands.add_parser(
        "rebuild-index",
        help="build the index of this host anew while the old one serves",
    )
    rebuild.add_argument(
        "--folder",
        type=Path,
        help="the folder of the index (CLP_SEARCH_DATA_DIR)",
    )
    rebuild.add_argument("--no-wait", action="store_true", help="show no progress")
    release = commands.add_parser(
        "release-address", help="let mails go to an address again that refused them"
    )
    release.add_argument("address", nargs="?", help="none: show those that get no mail")
    return parser.parse_args(arguments)
