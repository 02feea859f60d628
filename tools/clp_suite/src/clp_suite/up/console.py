"""Merge the logs of many processes, each line with its process in front."""

import sys
import threading
from typing import Final, TextIO

from rich.console import Console
from rich.markup import escape
from rich.text import Text

COLOURS: Final = {
    "projects": "cyan",
    "messages": "green",
    "search": "magenta",
    "notifications": "yellow",
    "delivery": "blue",
}
WIDTH: Final = 16
MAX_LINE_BYTES: Final = 4_000


class LogConsole:
    """Print the output of processes line by line."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._console = Console(file=out, soft_wrap=True, highlight=False)
        self._partial: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def write(self, name: str, chunk: bytes) -> None:
        """Print the complete lines of a chunk and buffer the rest."""
        *lines, rest = (self._partial.pop(name, b"") + chunk).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            lines.append(rest)
            rest = b""
        self._partial[name] = rest
        for line in lines:
            self._put(name, line.decode(errors="replace"))

    def flush(self, name: str) -> None:
        """Print the buffered rest of a process that has ended."""
        if rest := self._partial.pop(name, b""):
            self._put(name, rest.decode(errors="replace"))

    def notice(self, text: str) -> None:
        """Print a line of the supervisor."""
        self._console.print(Text(f"{'up':<{WIDTH}} ", style="bold"), escape(text))

    def _put(self, name: str, line: str) -> None:
        with self._lock:
            self._print(name, line)

    def _print(self, name: str, line: str) -> None:
        prefix = Text(
            f"{name:<{WIDTH}} ", style=COLOURS.get(name.partition(".")[0], "")
        )
        # Control characters of a log must not reach the terminal.
        printable = "".join(
            c if c.isprintable() or c == "\t" else "\ufffd" for c in line
        )
        self._console.print(prefix + Text(printable))
