"""Print JSON for programs, and sentences for people."""

import json
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from clp_contracts.serialization import dump


def print_json(console: Console, content: Any) -> None:
    """Print a value of a contract, or of such values, as JSON."""
    console.print_json(json.dumps(dump(content)))


def print_line(console: Console, sentence: str) -> None:
    """Print a sentence; what it quotes is no markup."""
    console.print(sentence, markup=False, soft_wrap=True)


def progress_bar(console: Console, verb: str) -> Progress:
    """Return a bar that counts; on a console that is a file it prints nothing."""
    bar = (TextColumn(verb), BarColumn(), MofNCompleteColumn())
    return Progress(*bar, console=console, disable=not console.is_terminal)
