"""``python -m clp_suite.demo``: play the story and show what each person gets."""

import argparse
import logging
import shutil
import sys
from pathlib import Path

from rich.console import Console

from clp_suite import EmbeddedSuite
from clp_suite.demo.play import play
from clp_suite.demo.tables import show


def main() -> int:
    """Run the demo; 0 when all went as the help page says."""
    asked = argparse.ArgumentParser(
        prog="python -m clp_suite.demo",
        description="Play the help page's story on the embedded suite.",
    )
    asked.add_argument(
        "--data-dir",
        type=Path,
        default=Path("demo-data"),
        help="where databases, index and mails are left (emptied first)",
    )
    data_dir: Path = asked.parse_args().data_dir
    if (
        data_dir.exists()
        and not (data_dir / "keys").exists()
        and any(data_dir.iterdir())
    ):
        sys.stderr.write(
            f"{data_dir} holds files that are not a demo's; name another --data-dir\n"
        )
        return 2
    shutil.rmtree(data_dir, ignore_errors=True)
    logging.basicConfig(level=logging.ERROR)
    console = Console()
    with EmbeddedSuite(data_dir) as suite:
        played = play(suite, console)
        show(suite, played, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
