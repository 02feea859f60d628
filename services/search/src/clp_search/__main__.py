"""Runs `search` as a process of its own, or a command for its operator."""

import sys
from pathlib import Path

from clp_chassis.runner import main
from clp_chassis.settings import WrongSettings, read_settings
from clp_search import cli
from clp_search.service import build
from clp_search.settings import Settings


def run(arguments: list[str]) -> int:
    """Do what the command line says."""
    command, wait = cli.parsed(arguments)
    if command == "serve":
        main("search", Settings, build)
        return 0
    try:
        settings = read_settings(Settings, "CLP_SEARCH")
    except WrongSettings as error:
        raise SystemExit(f"wrong settings:\n{error}") from None
    if settings.engine_url:
        raise SystemExit("nothing to do: an index in a database is not of one process")
    return cli.rebuild(Path(settings.data_dir), wait=wait)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
