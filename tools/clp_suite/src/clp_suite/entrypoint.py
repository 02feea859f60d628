"""``python -m clp_suite.entrypoint TYPE``: run one process of a type."""

import argparse
import os
import sys

from clp_deploy.processes import PROCESS_TYPES


def command_of(name: str) -> tuple[str, ...]:
    """The arguments that follow ``python`` to run a process type."""
    return next(("-m", *t.command) for t in PROCESS_TYPES if t.name == name)


def main() -> None:
    """Replace this process by one of the type named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m clp_suite.entrypoint",
        description="Run one process of a type, configured by the environment.",
        epilog="To run another module, such as clp_deploy.keys, call `python -m`.",
    )
    parser.add_argument("type", choices=[t.name for t in PROCESS_TYPES])
    name: str = parser.parse_args().type
    # Replace this process, so that signals and the exit code need no forwarding.
    os.execv(sys.executable, [sys.executable, *command_of(name)])  # noqa: S606


if __name__ == "__main__":
    main()
