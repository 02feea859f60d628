"""Match a keyword against a tokenized text.

Sets of positions are bits of integers, so following a keyword through a text takes one
shift for each of its steps, however often its words repeat.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from clp_search.analysis.query_terms import Keyword, Path, Step
from clp_search.analysis.tokenizer import Token, TokenStream

Masks = dict[int, int]


def matches(stream: TokenStream, keyword: Keyword) -> bool:
    """Return whether a text holds a keyword."""
    if keyword.run is not None:
        return keyword.run in stream.text
    paths = _paths_that_fit(stream, keyword)
    positions = _Positions(stream, paths)
    return any(positions.after(path)[-1] for path in paths)


def matching_spans(stream: TokenStream, keyword: Keyword) -> list[tuple[int, int]]:
    """Return the spans of a keyword in the folded text, in order."""
    if keyword.run is not None:
        return list(run_spans(stream.text, keyword.run))
    paths = _paths_that_fit(stream, keyword)
    positions = _Positions(stream, paths)
    return sorted({span for path in paths for span in positions.matching_spans(path)})


def _paths_that_fit(stream: TokenStream, keyword: Keyword) -> list[Path]:
    """Keep the paths that fit: each step advances by at least one position."""
    return [path for path in keyword.paths if len(path) <= stream.length]


def run_spans(text: str, run: str) -> Iterator[tuple[int, int]]:
    """Iterate the spans of a run in a folded text."""
    at = text.find(run)
    while at >= 0:
        yield at, at + len(run)
        at = text.find(run, at + 1)


class _Positions:
    """The positions of a text at which each step of a keyword matches."""

    def __init__(self, stream: TokenStream, paths: Iterable[Path]) -> None:
        steps = {step for path in paths for step in path}
        self._tokens = {step: list(_tokens_for(step, stream.tokens)) for step in steps}
        self._masks = {step: _masks(tokens) for step, tokens in self._tokens.items()}
        self._everywhere = (1 << stream.length) - 1

    def after(self, path: Path) -> list[int]:
        """Return the reachable positions before the first step, and after each."""
        reached = [self._everywhere]
        for taken, step in enumerate(path):
            if not reached[-1]:
                return reached + [0] * (len(path) - taken)
            stand = 0
            for position_length, mask in self._masks[step].items():
                stand |= (reached[-1] & mask) << position_length
            reached.append(stand)
        return reached

    def matching_spans(self, path: Path) -> Iterator[tuple[int, int]]:
        """Iterate the spans of all matches of a path."""
        useful = self._useful(path)
        ways = [self._steps_from(step, useful[i + 1]) for i, step in enumerate(path)]
        for first in ways[0].values():
            if useful[0] >> first.position & 1:
                last = first
                for way in ways[1:]:
                    last = way[last.position + last.position_length]
                yield first.start, last.end

    def _useful(self, path: Path) -> list[int]:
        """Return the positions from which the rest of the path matches."""
        useful = self.after(path)
        for i in reversed(range(len(path))):
            before = 0
            for position_length, mask in self._masks[path[i]].items():
                before |= mask & (useful[i + 1] >> position_length)
            useful[i] &= before
        return useful

    def _steps_from(self, step: Step, useful: int) -> dict[int, Token]:
        """Return, for each position, one token that leads to a useful one."""
        return {
            token.position: token
            for token in self._tokens[step]
            if useful >> (token.position + token.position_length) & 1
        }


def _tokens_for(step: Step, tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        fits = (
            token.form.startswith(step.forms)
            if step.prefix
            else token.form in step.forms
        )
        if fits and (token.unbroken or not step.unbroken):
            yield token


def _masks(tokens: Iterable[Token]) -> Masks:
    masks: Masks = defaultdict(int)
    for token in tokens:
        masks[token.position_length] |= 1 << token.position
    return dict(masks)
