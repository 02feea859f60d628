"""Tokenize a text: words, runs and pictographs, each at its position.

A position is one word, one pictograph, or one character of a script without spaces. A
token is a searchable form that leads from one position to a later one. A word has one
token, and more where it has other spellings.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property, partial
from typing import Any, Final, NamedTuple

from clp_search.analysis.characters import (
    APOSTROPHE,
    FLAGS,
    HYPHEN,
    MIDDLE_DOT,
    PICTOGRAPH,
    QUOTE,
    RUN,
    WORD,
)
from clp_search.analysis.normalization import fold, fold_spelled_out
from clp_search.analysis.work import WorkBudget

_GLUE: Final = frozenset((HYPHEN, APOSTROPHE, QUOTE, MIDDLE_DOT))
_TOKEN: Final = re.compile(
    f"([{RUN}]+)|([{WORD}]+)|([{PICTOGRAPH}]|[{FLAGS[0]}-{FLAGS[1]}]{{1,2}})"
)
_RUN_GROUP, _WORD_GROUP = 1, 2
_ONE_WORD: Final = re.compile(f"[{WORD}]+")
# Sufficient for most texts, and quick.
_ASCII_WORD: Final = re.compile("[a-z0-9]+")

# Parts that also form one word: e-mail, don't, U.S.A., 10,000.
_LETTER: Final = f"(?![0-9])[{WORD}]"
_DOTTED: Final = re.compile(rf"(?<![{WORD}.]){_LETTER}(?:\.{_LETTER})+(?![{WORD}])")
_GROUPED: Final = re.compile(
    rf"(?<![{WORD}.,])[0-9]{{1,3}}([,. ])[0-9]{{3}}(?:\1[0-9]{{3}})*(?![{WORD}])"
)
# Quick pre-checks that match whatever the two above can match.
_DOT_INSIDE: Final = re.compile(r"\.[^\s.]")
_GAP_IN_DIGITS: Final = re.compile("[0-9][,. ][0-9]")
_HYPHEN_ONLY: Final = frozenset(HYPHEN)
_JOINTS: Final = re.compile(f"[{re.escape(''.join(sorted(_GLUE)))}., ]")

# Signs that are part of a name: #urgent, C++, C#.
_TAG: Final = re.compile(f"(?<![{WORD}#])#([{WORD}]+)")
_LETTER_SIGNED: Final = re.compile(rf"(?<![{WORD}])([a-z])(?:\+\+|#)(?![{WORD}])")

# Season and episode, reel and scene: each part is searchable alone as well.
_COUNTED: Final = re.compile(r"(?:[a-z]+[0-9]+){2,}")
_COUNTED_PIECE: Final = re.compile(r"[a-z]+[0-9]+")

# The Arabic article, alone or after one of the words that attach to it.
_ARTICLE: Final = re.compile("([\u0648\u0641\u0628\u0643]?)(\u0627\u0644)(\\w{2,})")
_TO_THE: Final = "\u0644\u0644"
_FIRST_ARABIC: Final = "\u0600"
_MIN_AFTER_ARTICLE: Final = 2


# Work of a token, beside that of its characters.
_STEPS_OF_TOKEN: Final = 2


class TokenKind(Enum):
    """The origin of a token."""

    WORD = auto()
    RUN = auto()
    PICTOGRAPH = auto()
    SPELLED_OUT = auto()
    SIGNED = auto()
    JOINED = auto()
    PART = auto()


class Token(NamedTuple):
    """A form at a position, its length in positions, and its span in the folded text.

    ``unbroken`` is whether a run character directly follows the one before.
    """

    position: int
    position_length: int
    form: str
    kind: TokenKind
    start: int
    end: int
    unbroken: bool = False


# What `Token` itself does, without a Python call in between.
_token: Final = partial(tuple.__new__, Token)


@dataclass(frozen=True)
class TokenStream:
    """A folded text, its number of positions, and its tokens."""

    text: str
    length: int
    tokens: tuple[Token, ...]

    @cached_property
    def by_form(self) -> dict[str, list[Token]]:
        """The tokens of each form, in the order of the text."""
        by_form: dict[str, list[Token]] = {}
        for token in self.tokens:
            by_form.setdefault(token.form, []).append(token)
        return by_form

    @cached_property
    def step_cache(self) -> dict[Any, Any]:
        """Matches found in this text, kept for further keywords."""
        return {}


def tokenize(text: str, budget: WorkBudget | None = None) -> TokenStream:
    """Tokenize a text, for a step for each character and some for each token.

    Raises:
        OverBudget: when it does not fit into the budget.
    """
    folded = fold(text)
    if budget is not None:
        budget.spend_on(text, folded)
    simple = tuple(_simple_tokens(folded))
    length = simple[-1].position + 1 if simple else 0
    words = {token.start: token for token in simple if token.kind is TokenKind.WORD}
    tokens = (
        *simple,
        *_spelled_out_tokens(text, simple),
        *_signed_tokens(folded, words),
        *_joined_tokens(folded, words),
        *(p for w in words.values() if may_have_parts(w.form) for p in _part_tokens(w)),
    )
    if budget is not None:
        budget.spend(_STEPS_OF_TOKEN * len(tokens))
    return TokenStream(folded, length, tokens)


def word_forms(text: str) -> list[str] | None:
    """Return all forms of a text that is a single word, otherwise None."""
    folded = fold(text)
    if _ONE_WORD.fullmatch(folded) is None:
        return None
    forms = [folded, fold_spelled_out(text) or folded]
    return [*forms, *_parts_of(folded)] if may_have_parts(folded) else forms


def forms_and_runs(text: str) -> tuple[set[str], list[str]]:
    """Return all forms of a text but those of its runs, and the runs as they are.

    These are the forms of `tokenize`, without the tokens: an index needs no positions.
    """
    folded = fold(text)
    forms: set[str] = set()
    runs: list[str] = []
    words: dict[int, Token] = {}
    # A word is all that a text of ASCII has, and all that its pattern finds.
    word_group = 0 if folded.isascii() else _WORD_GROUP
    for match in (_TOKEN if word_group else _ASCII_WORD).finditer(folded):
        form = match.group()
        if match.lastindex == _RUN_GROUP:
            runs.append(form)
            continue
        forms.add(form)
        if not word_group or match.lastindex == word_group:
            start, end = match.span()
            words[start] = _token((0, 1, form, TokenKind.WORD, start, end, False))
    # Parts are of the words as they stand, and not of their other forms.
    parts = [part for form in forms if may_have_parts(form) for part in _parts_of(form)]
    forms.update(parts)
    forms.update(token.form for token in _signed_tokens(folded, words))
    forms.update(token.form for token in _joined_tokens(folded, words))
    forms.update(
        match.group()
        for match in _TOKEN.finditer(fold_spelled_out(text) or "")
        if match.lastindex != _RUN_GROUP
    )
    return forms, runs


def _simple_tokens(folded: str) -> list[Token]:
    """Tokenize in one loop over plain tuples: most of the time is spent here."""
    tokens: list[Token] = []
    if folded.isascii():
        word = TokenKind.WORD
        for at, match in enumerate(_ASCII_WORD.finditer(folded)):
            tokens.append(_token((at, 1, match.group(), word, *match.span(), False)))
        return tokens
    add = tokens.append
    for match in _TOKEN.finditer(folded):
        start, end = match.span()
        if match.lastindex == _RUN_GROUP:
            for place, sign in enumerate(match.group(), start):
                unbroken = place > start
                fields = (
                    len(tokens),
                    1,
                    sign,
                    TokenKind.RUN,
                    place,
                    place + 1,
                    unbroken,
                )
                add(_token(fields))
        else:
            kind = (
                TokenKind.WORD
                if match.lastindex == _WORD_GROUP
                else TokenKind.PICTOGRAPH
            )
            add(_token((len(tokens), 1, match.group(), kind, start, end, False)))
    return tokens


def _spelled_out_tokens(text: str, simple: tuple[Token, ...]) -> Iterator[Token]:
    """Second spellings: the text folded with ae and oe has the same words in order."""
    spelled_out = fold_spelled_out(text)
    if spelled_out is None:
        return
    for token, twin in zip(simple, _simple_tokens(spelled_out), strict=True):
        if token.form != twin.form:
            yield token._replace(form=twin.form, kind=TokenKind.SPELLED_OUT)


def _signed_tokens(folded: str, words: dict[int, Token]) -> Iterator[Token]:
    if "#" not in folded and "++" not in folded:
        return
    for pattern in (_TAG, _LETTER_SIGNED):
        for match in pattern.finditer(folded):
            word = words[match.start(1)]
            start, end = match.span()
            yield Token(word.position, 1, match.group(), TokenKind.SIGNED, start, end)


def _joined_tokens(folded: str, words: dict[int, Token]) -> Iterator[Token]:
    places = set(_chains(folded, words, _GLUE))
    if HYPHEN in folded:
        places.update(_chains(folded, words, _HYPHEN_ONLY))
    if _DOT_INSIDE.search(folded):
        places.update(match.span() for match in _DOTTED.finditer(folded))
    if _GAP_IN_DIGITS.search(folded):
        places.update(match.span() for match in _GROUPED.finditer(folded))
    if not places:
        return
    ends = {word.end: word.position for word in words.values()}
    for start, end in sorted(places):
        at = words[start].position
        form = _JOINTS.sub("", folded[start:end])
        yield Token(at, ends[end] - at + 1, form, TokenKind.JOINED, start, end)


def _chains(
    folded: str, words: dict[int, Token], glue: frozenset[str]
) -> Iterator[tuple[int, int]]:
    """Iterate chains of words joined by single signs of the glue."""
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
    """Return quickly whether a word may have parts: most are only letters."""
    return not form.isalpha() or form >= _FIRST_ARABIC


def _part_tokens(word: Token) -> Iterator[Token]:
    for part in _parts_of(word.form):
        yield word._replace(form=part, kind=TokenKind.PART)


def _parts_of(form: str) -> list[str]:
    """Return the searchable parts of a word: of s02e05, of a noun with its article."""
    if form >= _FIRST_ARABIC:
        return _without_article(form)
    return _COUNTED_PIECE.findall(form) if _COUNTED.fullmatch(form) else []


def _without_article(form: str) -> list[str]:
    if form.startswith(_TO_THE):
        rest = form[len(_TO_THE) :]
        return [rest] if len(rest) >= _MIN_AFTER_ARTICLE else []
    if (match := _ARTICLE.fullmatch(form)) is None:
        return []
    before, article, noun = match.groups()
    return [article + noun, noun] if before else [noun]
