"""Does a text hold a keyword, and where?

Positions are bits of whole numbers, so that following a keyword through a text takes
one shift for each of its steps, however often its words are repeated.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from clp_search.analysis.query_terms import Keyword, Path, Step
from clp_search.analysis.tokenizer import Edge, Reading

Masks = dict[int, int]


def holds(reading: Reading, keyword: Keyword) -> bool:
    """Whether a text holds a keyword."""
    if keyword.run is not None:
        return keyword.run in reading.text
    paths = _short_enough(reading, keyword)
    places = _Places(reading, paths)
    return any(places.after(path)[-1] for path in paths)


def spans(reading: Reading, keyword: Keyword) -> list[tuple[int, int]]:
    """Where a text holds a keyword: pieces of the folded text, in order."""
    if keyword.run is not None:
        return list(run_spans(reading.text, keyword.run))
    paths = _short_enough(reading, keyword)
    places = _Places(reading, paths)
    return sorted({span for path in paths for span in places.spans(path)})


def _short_enough(reading: Reading, keyword: Keyword) -> list[Path]:
    """Each step goes on by a position at least: a text may have too few."""
    return [path for path in keyword.paths if len(path) <= reading.length]


def run_spans(text: str, run: str) -> Iterator[tuple[int, int]]:
    """Where a folded text holds a run: wherever its characters stand together."""
    at = text.find(run)
    while at >= 0:
        yield at, at + len(run)
        at = text.find(run, at + 1)


class _Places:
    """At which positions of a text the steps of a keyword can be taken."""

    def __init__(self, reading: Reading, paths: Iterable[Path]) -> None:
        steps = {step for path in paths for step in path}
        self._edges = {step: list(_edges_for(step, reading.edges)) for step in steps}
        self._masks = {step: _masks(edges) for step, edges in self._edges.items()}
        self._everywhere = (1 << reading.length) - 1

    def after(self, path: Path) -> list[int]:
        """Where one can stand before the first step, and after each."""
        reached = [self._everywhere]
        for taken, step in enumerate(path):
            if not reached[-1]:
                return reached + [0] * (len(path) - taken)
            stand = 0
            for over, mask in self._masks[step].items():
                stand |= (reached[-1] & mask) << over
            reached.append(stand)
        return reached

    def spans(self, path: Path) -> Iterator[tuple[int, int]]:
        """Each way through the text, from its first to its last character."""
        useful = self._useful(path)
        ways = [self._ways(step, useful[i + 1]) for i, step in enumerate(path)]
        for first in ways[0].values():
            if useful[0] >> first.at & 1:
                last = first
                for way in ways[1:]:
                    last = way[last.at + last.over]
                yield first.start, last.end

    def _useful(self, path: Path) -> list[int]:
        """The positions from which the rest of the path can be gone."""
        useful = self.after(path)
        for i in reversed(range(len(path))):
            before = 0
            for over, mask in self._masks[path[i]].items():
                before |= mask & (useful[i + 1] >> over)
            useful[i] &= before
        return useful

    def _ways(self, step: Step, useful: int) -> dict[int, Edge]:
        """For each position one edge that leads to a useful one."""
        return {
            edge.at: edge
            for edge in self._edges[step]
            if useful >> (edge.at + edge.over) & 1
        }


def _edges_for(step: Step, edges: Iterable[Edge]) -> Iterator[Edge]:
    for edge in edges:
        fits = (
            edge.form.startswith(step.forms) if step.prefix else edge.form in step.forms
        )
        if fits and (edge.unbroken or not step.unbroken):
            yield edge


def _masks(edges: Iterable[Edge]) -> Masks:
    masks: Masks = defaultdict(int)
    for edge in edges:
        masks[edge.over] |= 1 << edge.at
    return dict(masks)
