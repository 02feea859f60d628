"""``python -m clp_suite.portal``: the portal with the demo's story, until Ctrl-C."""

import argparse
import io
import logging
import shutil
import signal
import sys
from pathlib import Path

import eventlet
from rich.console import Console

from clp_suite import EmbeddedSuite  # isort: skip - first: it patches the process

from clp_chassis.one_line_errors import in_one_line
from clp_suite.demo.play import play, set_up
from clp_suite.portal.more_projects import add_projects
from clp_suite.sample_data import CAST, PARTNERS

STUDIO = "the studio"


def main() -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m clp_suite.portal",
        description="Serve the portal with the sample world, on this machine only.",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path("portal-data"),
        help="databases, index, files and mails; emptied first",
    )
    parser.add_argument("--port", type=int, default=8080, help="0 for any free port")
    args = parser.parse_args()
    data_dir: Path = args.data_dir
    if _is_foreign(data_dir):
        sys.stderr.write(
            f"{data_dir} holds files that are not a suite's; name another --data-dir\n"
        )
        return 2
    shutil.rmtree(data_dir, ignore_errors=True)
    logging.basicConfig(level=logging.ERROR)
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, _interrupt)
    with EmbeddedSuite(data_dir, portal=True, portal_port=args.port) as suite:
        set_up(suite)
        play(suite, Console(file=io.StringIO()))
        add_projects(suite)
        _print_welcome(suite.portal_url)
        try:
            while True:
                eventlet.sleep(3600)
        except KeyboardInterrupt:
            sys.stdout.write("\n")
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _is_foreign(data_dir: Path) -> bool:
    return (
        data_dir.exists()
        and not (data_dir / "keys").exists()
        and any(data_dir.iterdir())
    )


def _print_welcome(url: str) -> None:
    sys.stdout.write(f"\n  Open {url} and sign in as one of:\n\n")
    for person in CAST:
        place = PARTNERS[person.partner] if person.partner else STUDIO
        sys.stdout.write(f"    {person.name:<14} {place}\n")
    sys.stdout.write("\n  Ctrl-C ends it.\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with in_one_line():
        sys.exit(main())
