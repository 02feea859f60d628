"""Fold a text: remove differences of writing that do not change its words."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from clp_core.normalization import without_excess_marks
from clp_search.analysis.characters import (
    HAS_SPELLINGS,
    JAMO,
    MIDDLE_DOT,
    PLAIN,
    RUN,
    SPELLED,
    WIDE_JAMO,
    continues,
)

# Signs whose decomposition would join the word before them.
_NO_LETTERS: Final = "\N{TRADE MARK SIGN}\N{SERVICE MARK}"

# A dot between two run characters joins a name and is often omitted.
_DOT_IN_RUN: Final = re.compile(f"(?<=[{RUN}]){MIDDLE_DOT}(?=[{RUN}])")

# The old coding of Malayalam chillu letters: a consonant, a virama and a joiner.
_CHILLU_LETTERS: Final = dict(zip("ണനരലളക", "ൺൻർൽൾൿ", strict=True))
_JOINER: Final = "\u200d"
_CHILLU: Final = re.compile(f"([{''.join(_CHILLU_LETTERS)}])\u0d4d{_JOINER}")

# Flags of England, Scotland and Wales differ in tags only, which are invisible: spell
# them in letters that are pictographs, so that they count (UTS 51, emoji tags).
_FLAG: Final = "\N{WAVING BLACK FLAG}"
_TAGGED_FLAG: Final = re.compile(
    f"(?<={_FLAG})[\U000e0061-\U000e007a]{{3,6}}\U000e007f"
)
_TAG_LETTERS: Final = {
    0xE0061 + letter: chr(0x1F170 + letter) for letter in range(26)
} | {0xE007F: None}

# Thai and Lao sara ae typed as two sara e, which look the same.
_SINGLE_AE: Final = {"\u0e40\u0e40": "\u0e41", "\u0ec0\u0ec0": "\u0ec1"}
_DOUBLE_E: Final = re.compile("|".join(_SINGLE_AE))

# A Thai or Lao nikhahit before the tone mark looks the same as one after it.
_NIKHAHIT: Final = "\u0e4d\u0ecd"
_TONE_LATE: Final = re.compile(f"([{_NIKHAHIT}])([\u0e48-\u0e4b\u0ec8-\u0ecb])")


# Cache so many clusters, of so many characters at most.
_MAX_CLUSTERS: Final = 20_000
_MAX_CLUSTER_LENGTH: Final = 8


def fold(text: str) -> str:
    """Fold a text."""
    if text.isascii() and text.isprintable():
        return text.lower()
    return _in_context(normalize(text).translate(PLAIN))


def fold_spelled_out(text: str) -> str | None:
    """Fold with umlauts spelled out (ae, oe); None where that changes nothing."""
    if text.isascii():
        return None
    normal = normalize(text)
    if HAS_SPELLINGS.search(normal) is None:
        return None
    return _in_context(normal.translate(SPELLED))


def normalized_length(text: str) -> int:
    """Return how many characters a text has when normalized: up to 18 for one."""
    return len(normalize(text))


def normalize(text: str) -> str:
    """Normalize the spelling of characters; folding the result changes nothing more."""
    if text.isascii():
        return text
    bare = without_excess_marks(text)
    # To look for a character takes a fraction of looking for a pattern.
    if _JOINER in bare:
        bare = _CHILLU.sub(lambda match: _CHILLU_LETTERS[match[1]], bare)
    for double, single in _SINGLE_AE.items():
        bare = bare.replace(double, single)
    if _FLAG in bare:
        bare = _TAGGED_FLAG.sub(lambda match: match[0].translate(_TAG_LETTERS), bare)
    for sign in _NO_LETTERS:
        bare = bare.replace(sign, " ")
    if unicodedata.is_normalized("NFKC", bare):
        return bare
    if JAMO.search(bare) is None:
        return unicodedata.normalize("NFKC", bare)
    # Korean letters typed alone stay alone: composed, one would hide in its neighbour.
    return "".join(
        part.translate(WIDE_JAMO) if number % 2 else unicodedata.normalize("NFKC", part)
        for number, part in enumerate(JAMO.split(bare))
    )


def _in_context(folded: str) -> str:
    if MIDDLE_DOT in folded:
        folded = _DOT_IN_RUN.sub("", folded)
    return _with_early_tones(folded)


def _with_early_tones(folded: str) -> str:
    if any(sign in folded for sign in _NIKHAHIT):
        return _TONE_LATE.sub(r"\2\1", folded)
    return folded


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A folded text, with the source span of each of its characters."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Return the source span of a span of the folded text."""
        return min(self.starts[start:end]), max(self.ends[start:end])


def fold_with_offsets(text: str) -> FoldedText:
    """Fold a text and keep the source span of each character, in code points."""
    if _folds_in_place(text):
        return FoldedText(fold(text), range(len(text)), range(1, len(text) + 1))
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        cluster = _FOLDED[text[start:end]]
        folded.append(cluster)
        starts.extend([start] * len(cluster))
        ends.extend([end] * len(cluster))
    return _offsets_in_context("".join(folded), starts, ends)


def _folds_in_place(text: str) -> bool:
    """Return whether each character folds to one, as in most texts."""
    if text.isascii():
        return True
    if not unicodedata.is_normalized("NFKC", text) or _has_double_e(text):
        return False
    unknown = set(text) - _IN_PLACE
    if not all(map(_is_in_place, unknown)):
        return False
    if len(_IN_PLACE) > _MAX_CLUSTERS:
        _IN_PLACE.clear()
    _IN_PLACE.update(unknown)
    return True


def _has_double_e(text: str) -> bool:
    return any(double in text for double in _SINGLE_AE)


def _is_in_place(character: str) -> bool:
    folded = PLAIN[ord(character)]
    return len(folded) == 1 and folded != MIDDLE_DOT and not continues(character)


# Characters known to fold in place.
_IN_PLACE: Final[set[str]] = set()


class _Clusters(dict[str, str]):
    """Caches what clusters fold to: a language has few, and each is frequent."""

    def __missing__(self, cluster: str) -> str:
        if len(self) >= _MAX_CLUSTERS:
            self.clear()
        folded = normalize(cluster).translate(PLAIN)
        if len(cluster) <= _MAX_CLUSTER_LENGTH:
            self[cluster] = folded
        return folded


_FOLDED: Final = _Clusters()


def _clusters(text: str) -> list[tuple[int, int]]:
    pairs: set[int] = set()
    if _has_double_e(text):
        pairs = {match.start() + 1 for match in _DOUBLE_E.finditer(text)}
    cuts = [
        i
        for i, character in enumerate(text)
        if i and i not in pairs and not continues(character)
    ]
    return list(pairwise([0, *cuts, len(text)])) if text else []


def _offsets_in_context(folded: str, starts: list[int], ends: list[int]) -> FoldedText:
    for match in reversed(list(_DOT_IN_RUN.finditer(folded))):
        at = match.start()
        del starts[at], ends[at]
    folded = _DOT_IN_RUN.sub("", folded)
    # A tone mark belongs to the sign before it: both have the same span already.
    return FoldedText(_with_early_tones(folded), tuple(starts), tuple(ends))
