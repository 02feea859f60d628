"""Analyse keywords of a query in the same way as the texts."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from clp_search.analysis.tokenizer import Token, TokenKind, TokenStream, tokenize

MIN_PREFIX_LENGTH: Final = 2

_SAME_WORD: Final = frozenset(
    {TokenKind.WORD, TokenKind.RUN, TokenKind.PICTOGRAPH, TokenKind.SPELLED_OUT}
)


@dataclass(frozen=True, slots=True)
class Step:
    """One position of a keyword: any of these forms, or words with one as a prefix."""

    forms: tuple[str, ...]
    unbroken: bool = False
    prefix: bool = False


Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Keyword:
    """Forms that must follow each other, along one of a few paths.

    ``run`` is set for a single run of a script without spaces, which matches wherever
    the folded text contains it. ``open_ended`` is whether it may end inside a word.
    """

    paths: tuple[Path, ...]
    run: str | None = None
    open_ended: bool = False


def parse_keyword(text: str, *, prefix: bool = False) -> Keyword | None:
    """Analyse a keyword; return None when it holds nothing to search for.

    With ``prefix`` its last word is a prefix.
    """
    stream = tokenize(text)
    if not stream.length:
        return None
    if _is_one_run(stream):
        run = "".join(token.form for token in stream.tokens)
        return Keyword((_parts(stream),), run, open_ended=True)
    paths = tuple(dict.fromkeys((_parts(stream), _with_joined(stream))))
    if prefix:
        paths = tuple(_as_prefix(path) for path in paths)
    in_run = any(
        e.kind is TokenKind.RUN and e.position == stream.length - 1
        for e in stream.tokens
    )
    open_ended = in_run or any(path[-1].prefix for path in paths)
    return Keyword(paths, open_ended=open_ended)


def _is_one_run(stream: TokenStream) -> bool:
    runs = all(token.kind is TokenKind.RUN for token in stream.tokens)
    return runs and all(after.unbroken for _, after in pairwise(stream.tokens))


def _parts(stream: TokenStream) -> Path:
    return tuple(_step(tokens) for tokens in _by_position(stream))


def _by_position(stream: TokenStream) -> list[list[Token]]:
    positions: list[list[Token]] = [[] for _ in range(stream.length)]
    for token in stream.tokens:
        if token.kind in _SAME_WORD or token.kind is TokenKind.SIGNED:
            positions[token.position].append(token)
    return positions


def _step(tokens: list[Token]) -> Step:
    """Keep the sign where it was typed: #urgent and C++ are not urgent and C."""
    signed = tuple(token.form for token in tokens if token.kind is TokenKind.SIGNED)
    forms = tuple(dict.fromkeys(token.form for token in tokens))
    return Step(signed or forms, tokens[0].unbroken)


def _with_joined(stream: TokenStream) -> Path:
    """Return the path that takes PKG-12345 as one word."""
    positions = _by_position(stream)
    joined: dict[int, Token] = {}
    for token in stream.tokens:
        if token.kind is TokenKind.JOINED and token.position_length > _span(
            joined.get(token.position)
        ):
            joined[token.position] = token
    steps: list[Step] = []
    at = 0
    while at < stream.length:
        step, joined_length = _step(positions[at]), _span(joined.get(at))
        if joined_length and not any(e.kind is TokenKind.SIGNED for e in positions[at]):
            step = Step((joined[at].form,))
            at += joined_length
        else:
            at += 1
        steps.append(step)
    return tuple(steps)


def _span(token: Token | None) -> int:
    return token.position_length if token else 0


def _as_prefix(path: Path) -> Path:
    last = path[-1]
    if any(len(form) < MIN_PREFIX_LENGTH for form in last.forms):
        return path
    return (*path[:-1], Step(last.forms, prefix=True))
