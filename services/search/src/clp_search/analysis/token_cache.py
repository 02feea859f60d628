"""Pieces of a text that mean the same alone: so a word said often is read once.

Nothing is read across a space but the digits of 10 000, and nothing across the border
between a run and a word. Whatever is not plainly so is left whole.
"""

import re
from typing import Final

from clp_search.analysis.normalization import fold

# Run characters that stand for themselves: they join nothing, and nothing joins them.
_PLAIN_RUN: Final = (
    "\u0e01-\u0e32\u0e34-\u0e3a\u0e40-\u0e4c\u3005-\u3007\u3041-\u3096\u30a1-\u30fa"
    "\u30fc\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
)
_RUN: Final = re.compile(f"[{_PLAIN_RUN}]")
_PARTS: Final = re.compile(f"[{_PLAIN_RUN}]+|[^{_PLAIN_RUN}]+")
_CUT_AT_RUNS: Final = re.compile(f"[{_PLAIN_RUN}!-~\u3001\u3002\u300c\u300d]*")
_DIGITS_APART: Final = re.compile("[0-9] [0-9]")
_DIGITS: Final = frozenset("0123456789")
_AROUND_WORDS: Final = ".,!?:;()\"'\u3002\u3001\u201c\u201d\u201e"


def pieces(text: str) -> list[str]:
    """A text between its spaces; whole where a number may have spaces inside."""
    return [text] if _DIGITS_APART.search(text) else text.split(" ")


def stands_alone(piece: str) -> bool:
    """Whether no number goes on beside a piece: digits in disguise may join others."""
    if piece.isascii():
        return True
    folded = fold(piece)
    return not any(
        end in _DIGITS and raw not in _DIGITS
        for end, raw in ((folded[:1], piece[:1]), (folded[-1:], piece[-1:]))
    )


def runs_and_others(piece: str) -> list[str]:
    """A piece cut around its runs; nothing where it has none, or may not be cut."""
    if _RUN.search(piece) is None or _CUT_AT_RUNS.fullmatch(piece) is None:
        return []
    return _PARTS.findall(piece)


def run_in(part: str) -> str | None:
    """The characters of a part that is a run, folded; None when it is none."""
    return fold(part) if _RUN.match(part) else None


def bare(piece: str) -> str:
    """A piece without the signs that stand around words and belong to none."""
    return piece.strip(_AROUND_WORDS)
