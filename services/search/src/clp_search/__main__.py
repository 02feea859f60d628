"""Run `search` as a process of its own, or one of its operator commands."""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import sys
from pathlib import Path

from clp_chassis.runner import main
from clp_chassis.settings import InvalidSettings, read_settings
from clp_search import cli
from clp_search.service import build
from clp_search.settings import Settings


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    command, wait = cli.parse_arguments(arguments)
    if command == "serve":
        main("search", Settings, build)
        return 0
    try:
        settings = read_settings(Settings, "CLP_SEARCH")
    except InvalidSettings as error:
        raise SystemExit(f"wrong settings:\n{error}") from None
    if settings.engine_url:
        raise SystemExit("nothing to do: an index in a database is not of one process")
    return cli.rebuild(Path(settings.data_dir), wait=wait)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
