"""Split texts into chunks that can be analysed alone, so that their terms are cached.

No token crosses a space except for the digits of 10 000, nor the boundary between a run
and a word. Whatever is not clearly independent stays whole.
"""

import re
from typing import Final

from clp_search.analysis.normalization import fold

# Run characters that never combine with others.
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


def split_chunks(text: str) -> list[str]:
    """Split a text at its spaces; keep it whole where a number may contain spaces."""
    return [text] if _DIGITS_APART.search(text) else text.split(" ")


def is_context_free(chunk: str) -> bool:
    """Return whether no number continues beside a chunk."""
    if chunk.isascii():
        return True
    folded = fold(chunk)
    return not any(
        end in _DIGITS and raw not in _DIGITS
        for end, raw in ((folded[:1], chunk[:1]), (folded[-1:], chunk[-1:]))
    )


def split_runs(chunk: str) -> list[str]:
    """Split a chunk around its runs; return nothing where it has none."""
    if _RUN.search(chunk) is None or _CUT_AT_RUNS.fullmatch(chunk) is None:
        return []
    return _PARTS.findall(chunk)


def folded_run(part: str) -> str | None:
    """Return the folded characters of a part that is a run, otherwise None."""
    return fold(part) if _RUN.match(part) else None


def strip_punctuation(chunk: str) -> str:
    """Remove the punctuation around the words of a chunk."""
    return chunk.strip(_AROUND_WORDS)
