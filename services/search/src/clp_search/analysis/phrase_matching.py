"""Match a keyword against a tokenized text.

Sets of positions are bits of integers, so following a keyword through a text takes one
shift for each of its steps, however often its words repeat.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from clp_search.analysis.query_terms import Keyword, Path, Step
from clp_search.analysis.tokenizer import Token, TokenStream
from clp_search.analysis.work import WorkBudget

# Work of each token of a match that is followed through a text.
_STEPS_OF_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class Reach:
    """The distance after the first match in which spans are needed, in code points.

    ``starts`` are the offsets in the text of the characters of the folded text.
    """

    starts: Sequence[int]
    length: int


def matches(stream: TokenStream, keyword: Keyword, budget: WorkBudget) -> bool:
    """Return whether a text holds a keyword."""
    if keyword.run is not None:
        return keyword.run in stream.text
    positions = _Positions(stream, budget)
    return any(positions.after(p)[-1] for p in _paths_that_fit(stream, keyword))


def matching_spans(
    stream: TokenStream,
    keyword: Keyword,
    budget: WorkBudget,
    *,
    reach: Reach | None = None,
) -> list[tuple[int, int]]:
    """Return the spans of a keyword in the folded text, in order.

    With ``reach``, spans beyond it may be missing or cut.
    """
    if keyword.run is not None:
        return list(run_spans(stream.text, keyword.run, budget, reach=reach))
    positions = _Positions(stream, budget)
    found: set[tuple[int, int]] = set()
    for path in _paths_that_fit(stream, keyword):
        found.update(positions.matching_spans(path, reach))
    return sorted(found)


def _paths_that_fit(stream: TokenStream, keyword: Keyword) -> list[Path]:
    """Keep the paths that fit: each step advances by at least one position."""
    return [path for path in keyword.paths if len(path) <= stream.length]


def run_spans(
    text: str, run: str, budget: WorkBudget, *, reach: Reach | None = None
) -> Iterator[tuple[int, int]]:
    """Iterate the spans of a run in a folded text."""
    at = first = text.find(run)
    while at >= 0:
        if reach and reach.starts[at] > reach.starts[first] + reach.length:
            return
        budget.spend(1)
        yield at, at + len(run)
        at = text.find(run, at + 1)


class _StepTokens:
    """The tokens of a text at which one step of a keyword matches."""

    def __init__(self, step: Step, stream: TokenStream, budget: WorkBudget) -> None:
        tokens = [
            token
            for form in _forms_for(step, stream, budget)
            for token in stream.by_form[form]
            if token.unbroken or not step.unbroken
        ]
        budget.spend(len(tokens))
        self.by_position: dict[int, list[Token]] = {}
        for token in tokens:
            self.by_position.setdefault(token.position, []).append(token)
        self.positions = sorted(self.by_position)
        lengths = {token.position_length for token in tokens}
        self.masks = {
            length: _mask(
                (t.position for t in tokens if t.position_length == length),
                stream.length,
            )
            for length in lengths
        }
        budget.spend(len(lengths) * len(tokens))


class _Positions:
    """The positions of a text at which the steps of a keyword match."""

    def __init__(self, stream: TokenStream, budget: WorkBudget) -> None:
        self._stream = stream
        self._budget = budget
        self._steps: dict[Step, _StepTokens] = stream.step_cache
        self._everywhere = (1 << stream.length) - 1

    def after(self, path: Path) -> list[int]:
        """Return the reachable positions before the first step, and after each."""
        reached = [self._everywhere]
        for taken, step in enumerate(path):
            if not reached[-1]:
                return reached + [0] * (len(path) - taken)
            stand = 0
            for position_length, mask in self._at(step).masks.items():
                stand |= (reached[-1] & mask) << position_length
                self._spend_on_mask()
            reached.append(stand)
        return reached

    def matching_spans(
        self, path: Path, reach: Reach | None
    ) -> Iterator[tuple[int, int]]:
        """Iterate the spans of the matches of a path, in the order of the text."""
        useful = [_Bits(bits, self._stream.length) for bits in self._useful(path)]
        steps = [self._at(step) for step in path]
        limit = None
        for position in steps[0].positions:
            if position not in useful[0]:
                continue
            first, last = self._follow(steps, position, useful)
            if reach:
                start = reach.starts[first.start]
                limit = start + reach.length if limit is None else limit
                if start > limit:
                    return
            yield first.start, last.end
            # All that starts later and within reach is inside of this span.
            if reach and limit and reach.starts[last.end - 1] >= limit:
                return

    def _follow(
        self, steps: list[_StepTokens], position: int, useful: "list[_Bits]"
    ) -> tuple[Token, Token]:
        """Return the first and the last token of a match that begins at a position."""
        self._budget.spend(_STEPS_OF_TOKEN * len(steps))
        tokens: list[Token] = []
        for step, goal in zip(steps, useful[1:], strict=True):
            token = next(
                token
                for token in reversed(step.by_position[position])
                if token.position + token.position_length in goal
            )
            tokens.append(token)
            position = token.position + token.position_length
        return tokens[0], tokens[-1]

    def _useful(self, path: Path) -> list[int]:
        """Return the positions from which the rest of the path matches."""
        useful = self.after(path)
        for i in reversed(range(len(path))):
            before = 0
            for position_length, mask in self._at(path[i]).masks.items():
                before |= mask & (useful[i + 1] >> position_length)
                self._spend_on_mask()
            useful[i] &= before
        return useful

    def _at(self, step: Step) -> _StepTokens:
        known = self._steps.get(step)
        if known is None:
            known = _StepTokens(step, self._stream, self._budget)
            self._steps[step] = known
        return known

    def _spend_on_mask(self) -> None:
        """Spend a step for so many positions as are shifted in its time."""
        self._budget.spend(1 + (self._stream.length >> 9))


class _Bits:
    """A set of positions: as bytes, where a lookup does not shift all of them."""

    __slots__ = ("_bytes",)

    def __init__(self, bits: int, length: int) -> None:
        self._bytes = bits.to_bytes((length >> 3) + 1, "little")

    def __contains__(self, position: int) -> bool:
        return bool(self._bytes[position >> 3] >> (position & 7) & 1)


def _mask(positions: Iterable[int], length: int) -> int:
    bits = bytearray((length >> 3) + 1)
    for position in positions:
        bits[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(bits, "little")


def _forms_for(step: Step, stream: TokenStream, budget: WorkBudget) -> list[str]:
    """Return the forms of a text that a step matches."""
    if not step.prefix:
        return [form for form in dict.fromkeys(step.forms) if form in stream.by_form]
    budget.spend(len(stream.by_form))
    return [form for form in stream.by_form if form.startswith(step.forms)]
