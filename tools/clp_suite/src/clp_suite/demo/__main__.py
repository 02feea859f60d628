"""``python -m clp_suite.demo``: play the story and print what each person gets."""

import argparse
import logging
import shutil
import sys
from pathlib import Path

from rich.console import Console

from clp_suite import EmbeddedSuite  # isort: skip - first: it patches the process

from clp_chassis.one_line_errors import in_one_line
from clp_suite.demo.play import play, set_up
from clp_suite.demo.tables import show_people, show_results


def main() -> int:
    """Run the demo; the exit code is 0 when every step went as the help page says."""
    parser = argparse.ArgumentParser(
        prog="python -m clp_suite.demo",
        description="Play the help page's story on the embedded suite.",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path("demo-data"),
        help="folder of databases, index and mails (emptied first)",
    )
    data_dir: Path = parser.parse_args().data_dir
    if not _is_disposable(data_dir):
        sys.stderr.write(
            f"{data_dir} holds files that are not a demo's; name another --data-dir\n"
        )
        return 2
    shutil.rmtree(data_dir, ignore_errors=True)
    # The demo prints its story and nothing else: a failed step raises.
    logging.disable(logging.CRITICAL)
    console = Console()
    with EmbeddedSuite(data_dir) as suite:
        set_up(suite)
        show_people(console)
        show_results(suite, play(suite, console), console)
    return 0


def _is_disposable(folder: Path) -> bool:
    """Whether a folder is missing, empty or the data folder of an earlier demo."""
    return (
        not folder.exists() or (folder / "keys").exists() or not any(folder.iterdir())
    )


if __name__ == "__main__":
    with in_one_line():
        sys.exit(main())
