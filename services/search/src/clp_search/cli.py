"""Commands for whoever operates `search`."""

import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from clp_search.index.generations import WANTED
from clp_search.index.live_index import is_served, want_rebuild
from clp_search.rebuild import Built, built_so_far

BAR: Final = 40
LOOK_EVERY_S: Final = 0.2

_ABOUT: Final = """\
Without a command it serves. It is set by the environment: CLP_SEARCH_DATA_DIR is the
folder of the index, CLP_SEARCH_WORKERS how many processes search and index (0: this one
alone), CLP_SEARCH_SHARDS how many parts the index has. README.md lists them all.
"""
_REBUILD: Final = """\
Builds the index anew from the feed of messages, beside the one that serves: people find
what they did, and the new one takes over when it is level. Another number of shards, or
a version that reads texts in another way, does the same by itself.
"""


def parsed(arguments: Sequence[str]) -> tuple[str, bool]:
    """The command that was given, and whether to wait for its end."""
    parser = ArgumentParser(
        "python -m clp_search",
        description=_ABOUT,
        formatter_class=RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", title="commands")
    commands.add_parser("serve", help="answer calls (what happens without a command)")
    rebuild = commands.add_parser(
        "rebuild",
        help="build the index anew while the old one serves",
        description=_REBUILD,
        formatter_class=RawDescriptionHelpFormatter,
    )
    rebuild.add_argument(
        "--no-wait", action="store_true", help="ask for it and show no progress"
    )
    told = parser.parse_args(arguments)
    return told.command or "serve", not getattr(told, "no_wait", False)


def rebuild(
    folder: Path, *, wait: bool, pause: Callable[[float], None] = time.sleep
) -> int:
    """Ask the process that serves a folder to build its index anew; show how far it is.

    Returns what the command ends with: 1 when no process serves the folder.
    """
    want_rebuild(folder)
    if not is_served(folder):
        _say(
            "No process serves this index now; the next one that does builds it anew.\n"
        )
        return 1
    if not wait:
        _say("Asked for. The service builds the index anew and goes on serving.\n")
        return 0
    while (folder / WANTED).exists():
        _say("\r" + bar(built_so_far(folder)))
        if not is_served(folder):
            _say("\nThe process has ended; the next one goes on with it.\n")
            return 1
        pause(LOOK_EVERY_S)
    _say("\r" + bar(Built(1, 1)) + "\nDone: the new index serves.\n")
    return 0


def bar(built: Built | None) -> str:
    """A line that shows how far it is."""
    if built is None:
        return "[" + " " * BAR + "] waiting for the service to begin"
    share = min(1.0, built.position / built.of) if built.of else 1.0
    full = round(BAR * share)
    told = f"{built.position:,} of {built.of:,} changes"
    return f"[{'#' * full}{' ' * (BAR - full)}] {share:4.0%} {told:<34}"


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
