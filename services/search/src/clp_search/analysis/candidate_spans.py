"""Find where a word could occur, without tokenizing the whole text.

A word lies between two spaces, and no token crosses a space except for the digits of 10
000. So it suffices to tokenize the chunks that contain the letters of a form, in order
and with at most one joining sign between each two. A candidate may contain no match,
but every match lies in a candidate.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from heapq import merge
from typing import Final, NamedTuple

from clp_search.analysis.characters import WORD, continues
from clp_search.analysis.normalization import fold, fold_spelled_out
from clp_search.analysis.query_terms import Step
from clp_search.analysis.tokenizer import may_have_parts
from clp_search.analysis.work import OverBudget, WorkBudget

# The signs that may stand between the parts of e-mail, don't, U.S.A. and 10,000.
_JOINT: Final = "[-'\"\N{MIDDLE DOT}.,]?"
_DIGITS_APART: Final = re.compile("[0-9] [0-9]")
# Characters that normalization maps to one space each, in the texts of people.
_SPACES: Final = "\n\r\t\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"

# Even a short text may be searched for so long.
_MIN_SEARCH_STEPS: Final = 1_000

_WORD: Final = re.compile(f"[{WORD}]")


class _FormPattern(NamedTuple):
    """The letters of a form as a pattern, and the word boundaries it needs."""

    letters: re.Pattern[str]
    starts_word: bool
    ends_word: bool

    def is_at_boundary(self, folded: str, first: int, last: int) -> bool:
        """Return whether the match begins and ends at the required word boundaries."""
        goes_on = (self.starts_word and first and _WORD.match(folded, first - 1)) or (
            self.ends_word and _WORD.match(folded, last)
        )
        return not goes_on


def candidate_spans(
    text: str, steps: Iterable[Step]
) -> Iterator[tuple[int, int]] | None:
    """Return the chunks of a text in which a step may match, in order.

    Return None where chunks alone do not decide, or are not found quickly: tokenize
    the whole text instead.
    """
    spaced = text
    for sign in _SPACES:
        spaced = spaced.replace(sign, " ")
    spaces = spaced.count(" ")
    patterns = _patterns(frozenset(steps))
    found: list[list[int]] = []
    for folded in (fold(spaced), fold_spelled_out(spaced)):
        if folded is None:
            continue
        # Normalization adds spaces and never removes one: equal counts mean equal
        # spaces.
        if folded.count(" ") != spaces or _DIGITS_APART.search(folded):
            return None
        budget = WorkBudget(len(folded) + _MIN_SEARCH_STEPS)
        try:
            found += [list(_chunk_numbers(folded, one, budget)) for one in patterns]
        except OverBudget:
            return None
    return _chunk_spans(spaced, merge(*found))


def _chunk_numbers(
    folded: str, form: _FormPattern, budget: WorkBudget
) -> Iterator[int]:
    number = counted = at = 0
    while match := form.letters.search(folded, at):
        first, last = match.span()
        budget.spend(last - first)
        if form.is_at_boundary(folded, first, last):
            number += folded.count(" ", counted, first)
            yield number
            # One match names its chunk: go on in the next one.
            counted, at = first, folded.find(" ", first)
            if at < 0:
                return
        else:
            # The word may begin inside a false match: xa-aa.
            at = first + 1


def _chunk_spans(spaced: str, numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    number, start, last = 0, 0, -1
    for target in numbers:
        if target == last:
            continue
        last = target
        while number < target:
            start = spaced.index(" ", start) + 1
            number += 1
        end = spaced.find(" ", start)
        # A mark belongs to the character before it, even to a space.
        with_space = start and start < len(spaced) and continues(spaced[start])
        yield start - bool(with_space), len(spaced) if end < 0 else end


@lru_cache(maxsize=256)
def _patterns(steps: frozenset[Step]) -> tuple[_FormPattern, ...]:
    forms = {(form, step.prefix) for step in steps for form in step.forms}
    return tuple(_form(form, prefix=prefix) for form, prefix in sorted(forms))


def _form(form: str, *, prefix: bool) -> _FormPattern:
    """Forms that may be a part of a longer word, and signs, match anywhere."""
    letters = re.compile(_JOINT.join(map(re.escape, form)))
    whole = not may_have_parts(form)
    return _FormPattern(letters, starts_word=whole, ends_word=whole and not prefix)
