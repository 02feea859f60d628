"""Run `search` as a process.

With ``rebuild`` the process that serves the index rebuilds it meanwhile.
"""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import sys
from pathlib import Path

from clp_chassis.process_command import main
from clp_chassis.settings import InvalidSettings, read_settings
from clp_search import cli
from clp_search.service import build, reach
from clp_search.settings import Settings


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    if arguments[:1] != ["rebuild"]:
        main("search", Settings, build, reach=reach, arguments=arguments)
        return 0
    wait = cli.parse_rebuild(arguments[1:])
    try:
        settings = read_settings(Settings, "search")
    except InvalidSettings as error:
        raise SystemExit(f"invalid settings:\n{error}") from None
    if settings.engine_url:
        raise SystemExit("nothing to do: an index in a database is not of one process")
    return cli.rebuild(Path(settings.data_dir), wait=wait)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
