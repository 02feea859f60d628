"""``python -m clp_suite.entrypoint TYPE``: become a process of a type."""

import argparse
import os
import sys

from clp_deploy.processes import PROCESS_TYPES


def command_of(name: str) -> tuple[str, ...]:
    """What runs a process type, after ``python``."""
    return next(("-m", *t.command) for t in PROCESS_TYPES if t.name == name)


def main() -> None:
    """Read the command line and become what it names."""
    asked = argparse.ArgumentParser(
        prog="python -m clp_suite.entrypoint",
        description="Run one process of a type; its settings come by the environment.",
        epilog="Something else to run, such as clp_deploy.keys, follows `python -m`.",
    )
    asked.add_argument("type", choices=[t.name for t in PROCESS_TYPES])
    name: str = asked.parse_args().type
    # In its place, so that signals reach it and its exit code is ours.
    os.execv(sys.executable, [sys.executable, *command_of(name)])  # noqa: S606


if __name__ == "__main__":
    main()
