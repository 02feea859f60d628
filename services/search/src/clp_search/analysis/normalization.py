"""Folding a text: what writing it in another way does not change."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from clp_search.analysis.characters import (
    HAS_SPELLINGS,
    MIDDLE_DOT,
    PLAIN,
    RUN,
    SPELLED,
    continues,
)

# Signs that would glue themselves to the word before when taken apart into letters.
_NO_LETTERS: Final = "\N{TRADE MARK SIGN}\N{SERVICE MARK}"

# A dot between two such characters joins a name, and many leave it out.
_DOT_IN_RUN: Final = re.compile(f"(?<=[{RUN}]){MIDDLE_DOT}(?=[{RUN}])")

# A Thai or Lao nikhahit typed before the tone mark looks like one typed after it.
_NIKHAHIT: Final = "\u0e4d\u0ecd"
_TONE_LATE: Final = re.compile(f"([{_NIKHAHIT}])([\u0e48-\u0e4b\u0ec8-\u0ecb])")


# Who remembers clusters remembers so many, of so many characters at most.
_MOST_CLUSTERS: Final = 20_000
_LONGEST_CLUSTER: Final = 8


def fold(text: str) -> str:
    """Fold a text."""
    if text.isascii() and text.isprintable():
        return text.lower()
    return _in_context(_normal(text).translate(PLAIN))


def fold_spelled_out(text: str) -> str | None:
    """Fold with umlauts spelled out (ae, oe); None where that changes nothing."""
    if text.isascii():
        return None
    normal = _normal(text)
    if HAS_SPELLINGS.search(normal) is None:
        return None
    return _in_context(normal.translate(SPELLED))


def _normal(text: str) -> str:
    bare = text
    for sign in _NO_LETTERS:
        bare = bare.replace(sign, " ")
    if unicodedata.is_normalized("NFKC", bare):
        return bare
    return unicodedata.normalize("NFKC", bare)


def _in_context(folded: str) -> str:
    if MIDDLE_DOT in folded:
        folded = _DOT_IN_RUN.sub("", folded)
    if not folded.isascii():
        folded = _TONE_LATE.sub(r"\2\1", folded)
    return folded


@dataclass(frozen=True, slots=True)
class Mapped:
    """A folded text, and for each of its characters the piece of the text as sent."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The piece of the text as sent that a piece of the folded text stands for."""
        return min(self.starts[start:end]), max(self.ends[start:end])


def fold_mapped(text: str) -> Mapped:
    """Fold a text and remember where each character came from, in code points."""
    if _folds_in_place(text):
        return Mapped(fold(text), range(len(text)), range(1, len(text) + 1))
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        piece = _FOLDED[text[start:end]]
        folded.append(piece)
        starts.extend([start] * len(piece))
        ends.extend([end] * len(piece))
    return _mapped_in_context("".join(folded), starts, ends)


def _folds_in_place(text: str) -> bool:
    """Whether each character alone becomes one, as in most texts."""
    if text.isascii():
        return True
    if not unicodedata.is_normalized("NFKC", text):
        return False
    unknown = set(text) - _IN_PLACE
    if not all(map(_is_in_place, unknown)):
        return False
    if len(_IN_PLACE) > _MOST_CLUSTERS:
        _IN_PLACE.clear()
    _IN_PLACE.update(unknown)
    return True


def _is_in_place(character: str) -> bool:
    folded = PLAIN[ord(character)]
    return len(folded) == 1 and folded != MIDDLE_DOT and not continues(character)


# Characters known to fold in place.
_IN_PLACE: Final[set[str]] = set()


class _Clusters(dict[str, str]):
    """What clusters fold to: in a language they are few, and each is met often."""

    def __missing__(self, cluster: str) -> str:
        if len(self) >= _MOST_CLUSTERS:
            self.clear()
        folded = _normal(cluster).translate(PLAIN)
        if len(cluster) <= _LONGEST_CLUSTER:
            self[cluster] = folded
        return folded


_FOLDED: Final = _Clusters()


def _clusters(text: str) -> list[tuple[int, int]]:
    cuts = [i for i, character in enumerate(text) if i and not continues(character)]
    return list(pairwise([0, *cuts, len(text)])) if text else []


def _mapped_in_context(folded: str, starts: list[int], ends: list[int]) -> Mapped:
    for match in reversed(list(_DOT_IN_RUN.finditer(folded))):
        at = match.start()
        del starts[at], ends[at]
    folded = _DOT_IN_RUN.sub("", folded)
    # A tone mark belongs to the sign before it: both have the same place already.
    return Mapped(_TONE_LATE.sub(r"\2\1", folded), tuple(starts), tuple(ends))
