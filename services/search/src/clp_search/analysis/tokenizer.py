"""Reading a text: its words, runs and pictures, each at its position.

A position is one word, one picture, or one character of a script without spaces. What
can be searched for are edges: a form that leads from one position to a later one. A
word has one edge, and more where it can be written in other ways.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Final, NamedTuple

from clp_search.analysis.characters import (
    APOSTROPHE,
    FLAGS,
    HYPHEN,
    MIDDLE_DOT,
    PICTURE,
    QUOTE,
    RUN,
    WORD,
)
from clp_search.analysis.normalization import fold, fold_spelled_out

_GLUE: Final = frozenset((HYPHEN, APOSTROPHE, QUOTE, MIDDLE_DOT))
_TOKEN: Final = re.compile(
    f"([{RUN}]+)|([{WORD}]+)|([{PICTURE}]|[{FLAGS[0]}-{FLAGS[1]}]{{1,2}})"
)
_RUN_GROUP, _WORD_GROUP = 1, 2
_ONE_WORD: Final = re.compile(f"[{WORD}]+")
# All there is in most texts, and quick to look for.
_ASCII_WORD: Final = re.compile("[a-z0-9]+")

# Parts that are also one word: e-mail, don't, U.S.A., 10,000.
_LETTER: Final = f"(?![0-9])[{WORD}]"
_DOTTED: Final = re.compile(rf"(?<![{WORD}.]){_LETTER}(?:\.{_LETTER})+(?![{WORD}])")
_GROUPED: Final = re.compile(
    rf"(?<![{WORD}.,])[0-9]{{1,3}}([,. ])[0-9]{{3}}(?:\1[0-9]{{3}})*(?![{WORD}])"
)
# Quick to look for, and met by whatever the two above can find.
_DOT_INSIDE: Final = re.compile(r"\.[^\s.]")
_GAP_IN_DIGITS: Final = re.compile("[0-9][,. ][0-9]")
_HYPHEN_ONLY: Final = frozenset(HYPHEN)
_JOINTS: Final = re.compile(f"[{re.escape(''.join(sorted(_GLUE)))}., ]")

# Signs that are part of a name: #urgent, C++, C#.
_TAG: Final = re.compile(f"(?<![{WORD}#])#([{WORD}]+)")
_LETTER_SIGNED: Final = re.compile(rf"(?<![{WORD}])([a-z])(?:\+\+|#)(?![{WORD}])")

# Season and episode, reel and scene: each piece is looked for alone as well.
_COUNTED: Final = re.compile(r"(?:[a-z]+[0-9]+){2,}")
_COUNTED_PIECE: Final = re.compile(r"[a-z]+[0-9]+")

# The Arabic article, alone or after one of the words that are written on to it.
_ARTICLE: Final = re.compile("([\u0648\u0641\u0628\u0643]?)(\u0627\u0644)(\\w{2,})")
_TO_THE: Final = "\u0644\u0644"
_FIRST_ARABIC: Final = "\u0600"
_SHORTEST_AFTER_ARTICLE: Final = 2


class Kind(Enum):
    """Why an edge is there."""

    WORD = auto()
    RUN = auto()
    PICTURE = auto()
    SPELLED_OUT = auto()
    SIGNED = auto()
    JOINED = auto()
    PART = auto()


class Edge(NamedTuple):
    """A form at a position, over some positions, at a place of the folded text.

    ``unbroken`` is whether nothing stands between a run's character and the one before.
    """

    at: int
    over: int
    form: str
    kind: Kind
    start: int
    end: int
    unbroken: bool = False


# What `Edge` itself does, without a call of Python's in between.
_edge: Final = partial(tuple.__new__, Edge)


@dataclass(frozen=True, slots=True)
class Reading:
    """A folded text, how many positions it has, and its edges."""

    text: str
    length: int
    edges: tuple[Edge, ...]


def read(text: str) -> Reading:
    """Read a text."""
    folded = fold(text)
    simple = tuple(_simple_edges(folded))
    length = simple[-1].at + 1 if simple else 0
    words = {edge.start: edge for edge in simple if edge.kind is Kind.WORD}
    edges = (
        *simple,
        *_spelled_out_edges(text, simple),
        *_signed_edges(folded, words),
        *_joined_edges(folded, words),
        *(p for w in words.values() if may_have_parts(w.form) for p in _part_edges(w)),
    )
    return Reading(folded, length, edges)


def word_forms(text: str) -> list[str] | None:
    """All forms of a text that is one word, as reading it finds; None if it is not."""
    folded = fold(text)
    if _ONE_WORD.fullmatch(folded) is None:
        return None
    forms = [folded, fold_spelled_out(text) or folded]
    return [*forms, *_parts_of(folded)] if may_have_parts(folded) else forms


def _simple_edges(folded: str) -> list[Edge]:
    """In one loop over plain tuples: most of the time of reading is spent here."""
    edges: list[Edge] = []
    if folded.isascii():
        word = Kind.WORD
        for at, token in enumerate(_ASCII_WORD.finditer(folded)):
            edges.append(_edge((at, 1, token.group(), word, *token.span(), False)))
        return edges
    add = edges.append
    for token in _TOKEN.finditer(folded):
        start, end = token.span()
        if token.lastindex == _RUN_GROUP:
            for place, sign in enumerate(token.group(), start):
                unbroken = place > start
                told = (len(edges), 1, sign, Kind.RUN, place, place + 1, unbroken)
                add(_edge(told))
        else:
            kind = Kind.WORD if token.lastindex == _WORD_GROUP else Kind.PICTURE
            add(_edge((len(edges), 1, token.group(), kind, start, end, False)))
    return edges


def _spelled_out_edges(text: str, simple: tuple[Edge, ...]) -> Iterator[Edge]:
    """Second spellings: the folded text with ae and oe has the same words in order."""
    spelled_out = fold_spelled_out(text)
    if spelled_out is None:
        return
    for edge, twin in zip(simple, _simple_edges(spelled_out), strict=True):
        if edge.form != twin.form:
            yield edge._replace(form=twin.form, kind=Kind.SPELLED_OUT)


def _signed_edges(folded: str, words: dict[int, Edge]) -> Iterator[Edge]:
    if "#" not in folded and "++" not in folded:
        return
    for pattern in (_TAG, _LETTER_SIGNED):
        for match in pattern.finditer(folded):
            word = words[match.start(1)]
            start, end = match.span()
            yield Edge(word.at, 1, match.group(), Kind.SIGNED, start, end)


def _joined_edges(folded: str, words: dict[int, Edge]) -> Iterator[Edge]:
    places = set(_chains(folded, words, _GLUE))
    if HYPHEN in folded:
        places.update(_chains(folded, words, _HYPHEN_ONLY))
    if _DOT_INSIDE.search(folded):
        places.update(match.span() for match in _DOTTED.finditer(folded))
    if _GAP_IN_DIGITS.search(folded):
        places.update(match.span() for match in _GROUPED.finditer(folded))
    if not places:
        return
    ends = {word.end: word.at for word in words.values()}
    for start, end in sorted(places):
        at = words[start].at
        form = _JOINTS.sub("", folded[start:end])
        yield Edge(at, ends[end] - at + 1, form, Kind.JOINED, start, end)


def _chains(
    folded: str, words: dict[int, Edge], glue: frozenset[str]
) -> Iterator[tuple[int, int]]:
    """Words with one sign of the glue between each two."""
    if glue.isdisjoint(folded):
        return
    start = end = -1
    parts = 0
    for word in words.values():
        if parts and word.start == end + 1 and folded[end] in glue:
            parts += 1
        else:
            if parts > 1:
                yield start, end
            start, parts = word.start, 1
        end = word.end
    if parts > 1:
        yield start, end


def may_have_parts(form: str) -> bool:
    """Quick to tell: most words have letters only, and no article."""
    return not form.isalpha() or form >= _FIRST_ARABIC


def _part_edges(word: Edge) -> Iterator[Edge]:
    for part in _parts_of(word.form):
        yield word._replace(form=part, kind=Kind.PART)


def _parts_of(form: str) -> list[str]:
    """What is found inside a word: the pieces of s02e05, a noun after its article."""
    if form >= _FIRST_ARABIC:
        return _without_article(form)
    return _COUNTED_PIECE.findall(form) if _COUNTED.fullmatch(form) else []


def _without_article(form: str) -> list[str]:
    if form.startswith(_TO_THE):
        rest = form[len(_TO_THE) :]
        return [rest] if len(rest) >= _SHORTEST_AFTER_ARTICLE else []
    if (match := _ARTICLE.fullmatch(form)) is None:
        return []
    before, article, noun = match.groups()
    return [article + noun, noun] if before else [noun]
