"""Where in a text a word could stand, found without reading the whole text.

A word stands between two spaces, and nothing is read across a space but the digits of
10 000. So it is enough to read the pieces that hold a form's letters, in their order
and with no more than one sign of a joined word between each two. Nothing is decided
here: a piece that is named may hold no such word, but one that is not named holds none.
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

# As many as may stand between the parts of e-mail, don't, U.S.A. and 10,000.
_JOINT: Final = "[-'\"\N{MIDDLE DOT}.,]?"
_DIGITS_APART: Final = re.compile("[0-9] [0-9]")
# What folding makes one space of, character by character, in the texts of people.
_SPACES: Final = "\n\r\t\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"

_WORD: Final = re.compile(f"[{WORD}]")


class _Form(NamedTuple):
    """How the letters of a form stand in a text, and whether as a word."""

    letters: re.Pattern[str]
    begins_a_word: bool
    ends_a_word: bool

    def stands(self, folded: str, first: int, last: int) -> bool:
        """Whether no word goes on where this one has to begin or to end."""
        goes_on = (self.begins_a_word and first and _WORD.match(folded, first - 1)) or (
            self.ends_a_word and _WORD.match(folded, last)
        )
        return not goes_on


def pieces_to_read(
    text: str, steps: Iterable[Step]
) -> Iterator[tuple[int, int]] | None:
    """The pieces of a text in which one of some steps could be taken, in order.

    None where a piece alone would not tell: the whole text is to be read.
    """
    spaced = text
    for sign in _SPACES:
        spaced = spaced.replace(sign, " ")
    spaces = spaced.count(" ")
    patterns = _patterns(frozenset(steps))
    found: list[Iterator[int]] = []
    for folded in (fold(spaced), fold_spelled_out(spaced)):
        if folded is None:
            continue
        # Folding adds spaces and never takes one: as many are the same ones.
        if folded.count(" ") != spaces or _DIGITS_APART.search(folded):
            return None
        found += [_numbers_of_pieces(folded, one) for one in patterns]
    return _places(spaced, merge(*found))


def _numbers_of_pieces(folded: str, form: _Form) -> Iterator[int]:
    number = counted = at = 0
    while match := form.letters.search(folded, at):
        first, last = match.span()
        if form.stands(folded, first, last):
            number += folded.count(" ", counted, first)
            counted, at = first, last
            yield number
        else:
            # The word may begin inside of what only looked like it: xa-aa.
            at = first + 1


def _places(spaced: str, numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    number, start, last = 0, 0, -1
    for wanted in numbers:
        if wanted == last:
            continue
        last = wanted
        while number < wanted:
            start = spaced.index(" ", start) + 1
            number += 1
        end = spaced.find(" ", start)
        # A mark belongs to what stands before it, be it a space.
        with_space = start and start < len(spaced) and continues(spaced[start])
        yield start - bool(with_space), len(spaced) if end < 0 else end


@lru_cache(maxsize=256)
def _patterns(steps: frozenset[Step]) -> tuple[_Form, ...]:
    forms = {(form, step.prefix) for step in steps for form in step.forms}
    return tuple(_form(form, prefix=prefix) for form, prefix in sorted(forms))


def _form(form: str, *, prefix: bool) -> _Form:
    """One that may be a piece of a longer word, or is a sign, stands anywhere."""
    letters = re.compile(_JOINT.join(map(re.escape, form)))
    whole = not may_have_parts(form)
    return _Form(letters, begins_a_word=whole, ends_a_word=whole and not prefix)
