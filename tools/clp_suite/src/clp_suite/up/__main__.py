"""``make up``, and the commands for a running system."""

import argparse
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

from clp_chassis.one_line_errors import in_one_line
from clp_contracts.methods import PassportKind
from clp_deploy.processes import PROCESS_TYPES
from clp_suite.up.commands import passport, restart, scale, status
from clp_suite.up.safety import require_running

DATA_VARIABLE: Final = "CLP_UP_DATA"
DATA: Final = Path(os.environ.get(DATA_VARIABLE, "run-data"))
TYPES: Final = tuple(process_type.name for process_type in PROCESS_TYPES)
MAX_COPIES: Final = 64

EXAMPLES: Final = """\
examples:
  make up                          one process of each type
  make up DELIVERY=3 SEARCH=2      more processes of some types
  python -m clp_suite.up scale delivery=3
  python -m clp_suite.up restart messages
  python -m clp_suite.up passport ivy

Private servers are started unless the environment names others: CLP_BROKER_URL, or one
for each user as CLP_MESSAGES_BROKER_URL, ...; CLP_PROJECTS_DATABASE_URL,
CLP_MESSAGES_DATABASE_URL, CLP_NOTIFICATIONS_DATABASE_URL, CLP_PORTAL_DATABASE_URL, and
CLP_MESSAGES_MIGRATION_URL, ... for roles that migrate; CLP_NOTIFICATIONS_SMTP_URL.
"""


def start(args: argparse.Namespace) -> None:
    """Start everything and supervise it until SIGINT or SIGTERM."""
    # Loading every service takes two seconds, which the other commands need not wait.
    import_module("clp_suite.up.start").start(args.data.resolve(), args.copies)


def _copies(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name not in TYPES or not count.isdecimal() or int(count) > MAX_COPIES:
        known = ", ".join(TYPES)
        raise argparse.ArgumentTypeError(
            f"{text!r} is not TYPE=NUMBER (0 to {MAX_COPIES}); the types are {known}"
        )
    return name, int(count)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m clp_suite.up",
        description="Run and supervise all process types on one host.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    help_text = f"the data folder ({DATA_VARIABLE}, or run-data)"
    common.add_argument("--data", type=Path, default=DATA, help=help_text)
    commands = parser.add_subparsers(title="commands", dest="command", required=True)

    def add(act: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        text, name = (act.__doc__ or "").strip(), act.__name__
        command = commands.add_parser(
            name, help=text, description=text, parents=[common]
        )
        command.set_defaults(act=act)
        return command

    add(start).add_argument("copies", nargs="*", type=_copies, metavar="TYPE=NUMBER")
    add(scale).add_argument("copies", nargs="+", type=_copies, metavar="TYPE=NUMBER")
    add(restart).add_argument("types", nargs="+", choices=TYPES)
    add(status)
    passport_parser = add(passport)
    passport_parser.add_argument("subject", help="a person's id, or a service's name")
    passport_parser.add_argument(
        "--kind", choices=[k.value for k in PassportKind], default="person"
    )
    passport_parser.add_argument(
        "--for",
        dest="audience",
        choices=sorted({process_type.service for process_type in PROCESS_TYPES}),
        default="messages",
        help="the one service that accepts it",
    )
    return parser


def main() -> None:
    """Run the command of the command line."""
    args = _parser().parse_args()
    if args.act is not start:
        require_running(args.data)
    with in_one_line():
        args.act(args)


if __name__ == "__main__":
    main()
