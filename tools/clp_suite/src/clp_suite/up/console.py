"""One view of many logs: each line with its process in front, in its colour."""

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
LONGEST_LINE: Final = 4_000


class View:
    """Puts lines out as they come, whole lines only."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._console = Console(file=out, soft_wrap=True, highlight=False)
        self._begun: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def feed(self, name: str, chunk: bytes) -> None:
        """Take what a process wrote; what ends no line waits for its end."""
        *lines, rest = (self._begun.pop(name, b"") + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines.append(rest)
            rest = b""
        self._begun[name] = rest
        for line in lines:
            self._put(name, line.decode(errors="replace"))

    def end(self, name: str) -> None:
        """A process is gone: what it left unended is put out as well."""
        if rest := self._begun.pop(name, b""):
            self._put(name, rest.decode(errors="replace"))

    def say(self, words: str) -> None:
        """A line of our own."""
        self._console.print(Text(f"{'up':<{WIDTH}} ", style="bold"), escape(words))

    def _put(self, name: str, line: str) -> None:
        with self._lock:
            self._print(name, line)

    def _print(self, name: str, line: str) -> None:
        front = Text(f"{name:<{WIDTH}} ", style=COLOURS.get(name.partition(".")[0], ""))
        # Control characters of a log must not steer the terminal.
        shown = "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)
        self._console.print(front + Text(shown))
