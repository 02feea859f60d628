"""``make up``, and what is asked of a system that is up."""

import argparse
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

from clp_contracts.methods import PassportKind
from clp_deploy.processes import PROCESS_TYPES
from clp_suite.up.commands import passport, restart, scale, status

DATA_VARIABLE: Final = "CLP_UP_DATA"
DATA: Final = Path(os.environ.get(DATA_VARIABLE, "run-data"))
TYPES: Final = tuple(process_type.name for process_type in PROCESS_TYPES)
MOST: Final = 64

EXAMPLES: Final = """\
examples:
  make up                          one process of each type
  make up DELIVERY=3 SEARCH=2      more of some
  python -m clp_suite.up scale delivery=3
  python -m clp_suite.up restart messages
  python -m clp_suite.up passport ivy

Servers are started unless the environment names them: CLP_BROKER_URL, or one for each
user as CLP_MESSAGES_BROKER_URL, CLP_GATEWAY_BROKER_URL, ...; CLP_PROJECTS_DATABASE_URL,
CLP_MESSAGES_DATABASE_URL, CLP_NOTIFICATIONS_DATABASE_URL; CLP_NOTIFICATIONS_MAIL_URL.
"""


def start(given: argparse.Namespace) -> None:
    """Start everything and keep it running until asked to end."""
    # It takes two seconds to load; a question should not wait for it.
    import_module("clp_suite.up.start").start(given.data.resolve(), given.copies)


def _copies(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name not in TYPES or not count.isdecimal() or int(count) > MOST:
        known = ", ".join(TYPES)
        raise argparse.ArgumentTypeError(
            f"{text!r} is not TYPE=NUMBER (0 to {MOST}); the types are {known}"
        )
    return name, int(count)


def _parser() -> argparse.ArgumentParser:
    asked = argparse.ArgumentParser(
        prog="python -m clp_suite.up",
        description="All process types on one host, started again when they end.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    words = f"where everything is kept ({DATA_VARIABLE}, or run-data)"
    common.add_argument("--data", type=Path, default=DATA, help=words)
    does = asked.add_subparsers(title="what to do", dest="what", required=True)

    def add(act: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        words, name = (act.__doc__ or "").strip(), act.__name__
        one = does.add_parser(name, help=words, description=words, parents=[common])
        one.set_defaults(act=act)
        return one

    add(start).add_argument("copies", nargs="*", type=_copies, metavar="TYPE=NUMBER")
    add(scale).add_argument("copies", nargs="+", type=_copies, metavar="TYPE=NUMBER")
    add(restart).add_argument("types", nargs="+", choices=TYPES)
    add(status)
    one = add(passport)
    one.add_argument("subject", help="a person's id, or a service's name")
    one.add_argument(
        "--kind", choices=[k.value for k in PassportKind], default="person"
    )
    return asked


def main() -> None:
    """Read the command line and do what it says."""
    given = _parser().parse_args()
    given.act(given)


if __name__ == "__main__":
    main()
