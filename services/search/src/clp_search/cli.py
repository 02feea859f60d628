"""Operator commands of `search`."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from clp_search.index.generations import REBUILD_REQUESTED
from clp_search.index.live_index import LOCK, is_served, request_rebuild
from clp_search.rebuild import RebuildProgress, read_progress

BAR_WIDTH: Final = 40
POLL_INTERVAL_S: Final = 0.2

_REBUILD: Final = """\
Rebuild the index from the feed of messages while the old one serves; the new one
takes over when it has caught up. Another number of shards, or a version with another
analysis, starts a rebuild by itself.
"""


def parse_rebuild(arguments: Sequence[str]) -> bool:
    """Parse the command line of a rebuild: whether to wait for its end."""
    parser = ArgumentParser("python -m clp_search rebuild", description=_REBUILD)
    parser.add_argument(
        "--no-wait", action="store_true", help="request the rebuild and return at once"
    )
    return not parser.parse_args(arguments).no_wait


def rebuild(
    folder: Path, *, wait: bool, pause: Callable[[float], None] = time.sleep
) -> int:
    """Request a rebuild from the process that serves a folder, and show its progress.

    Return the exit status: 1 when no process serves the folder.
    """
    if not (folder / LOCK).is_file():
        _write(f"{folder} holds no index; name the folder of a search process.\n")
        return 1
    request_rebuild(folder)
    if not is_served(folder):
        _write("No process serves this index; the next one that does rebuilds it.\n")
        return 1
    if not wait:
        _write("Requested. The service rebuilds the index and continues to serve.\n")
        return 0
    while (folder / REBUILD_REQUESTED).exists():
        _write("\r" + bar(read_progress(folder)))
        if not is_served(folder):
            _write("\nThe process ended; the next one continues the rebuild.\n")
            return 1
        pause(POLL_INTERVAL_S)
    _write("\r" + bar(RebuildProgress(1, 1)) + "\nDone: the new index serves.\n")
    return 0


def bar(progress: RebuildProgress | None) -> str:
    """Format a progress bar."""
    if progress is None:
        return "[" + " " * BAR_WIDTH + "] waiting for the service to begin"
    share = min(1.0, progress.position / progress.of) if progress.of else 1.0
    full = round(BAR_WIDTH * share)
    options = f"{progress.position:,} of {progress.of:,} changes"
    return f"[{'#' * full}{' ' * (BAR_WIDTH - full)}] {share:4.0%} {options:<34}"


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
