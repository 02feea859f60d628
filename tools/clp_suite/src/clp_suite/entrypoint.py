"""``python -m clp_suite.entrypoint TYPE [migrate]``: run a process, or migrate."""

import argparse
import os
import sys
from typing import Final

from clp_deploy.processes import PROCESS_TYPES

MIGRATE: Final = "migrate"


def command_of(name: str, command: str = "") -> tuple[str, ...]:
    """The arguments that follow ``python`` to run a process type, or to migrate."""
    process_type = next(t for t in PROCESS_TYPES if t.name == name)
    if command:
        return ("-m", process_type.package, command)
    return ("-m", *process_type.command)


def main() -> None:
    """Replace this process by one of the type named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m clp_suite.entrypoint",
        description="Run one process of a type, configured by the environment.",
        epilog="To run another module, such as clp_deploy.keys, call `python -m`.",
    )
    parser.add_argument("type", choices=[t.name for t in PROCESS_TYPES])
    parser.add_argument(
        "command",
        nargs="?",
        choices=[MIGRATE],
        help="upgrade the database of its service, and end",
    )
    options = parser.parse_args()
    # Replace this process, so that signals and the exit code need no forwarding.
    command = command_of(options.type, options.command or "")
    os.execv(sys.executable, [sys.executable, *command])  # noqa: S606


if __name__ == "__main__":
    main()
