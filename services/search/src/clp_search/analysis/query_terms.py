"""What a person looks for, read the same way as the texts it is looked for in."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from clp_search.analysis.tokenizer import Edge, Kind, Reading, read

SHORTEST_PREFIX: Final = 2

_SAME_WORD: Final = frozenset({Kind.WORD, Kind.RUN, Kind.PICTURE, Kind.SPELLED_OUT})


@dataclass(frozen=True, slots=True)
class Step:
    """One position of a keyword: any of these forms, or words that begin with one."""

    forms: tuple[str, ...]
    unbroken: bool = False
    prefix: bool = False


Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Keyword:
    """Forms that must follow each other, in any of a few ways.

    ``run`` is set when it is one run of a script without spaces: it is found wherever a
    folded text holds it. ``open_ended`` is whether its end may be the middle of a word.
    """

    paths: tuple[Path, ...]
    run: str | None = None
    open_ended: bool = False


def keyword_of(text: str, *, prefix: bool = False) -> Keyword | None:
    """Read a keyword; None when there is nothing to look for in it.

    With ``prefix`` its last word is the beginning of one.
    """
    reading = read(text)
    if not reading.length:
        return None
    if _is_one_run(reading):
        run = "".join(edge.form for edge in reading.edges)
        return Keyword((_parts(reading),), run, open_ended=True)
    paths = tuple(dict.fromkeys((_parts(reading), _with_joined(reading))))
    if prefix:
        paths = tuple(_beginning(path) for path in paths)
    in_run = any(
        e.kind is Kind.RUN and e.at == reading.length - 1 for e in reading.edges
    )
    open_ended = in_run or any(path[-1].prefix for path in paths)
    return Keyword(paths, open_ended=open_ended)


def _is_one_run(reading: Reading) -> bool:
    runs = all(edge.kind is Kind.RUN for edge in reading.edges)
    return runs and all(after.unbroken for _, after in pairwise(reading.edges))


def _parts(reading: Reading) -> Path:
    return tuple(_step(edges) for edges in _by_position(reading))


def _by_position(reading: Reading) -> list[list[Edge]]:
    positions: list[list[Edge]] = [[] for _ in range(reading.length)]
    for edge in reading.edges:
        if edge.kind in _SAME_WORD or edge.kind is Kind.SIGNED:
            positions[edge.at].append(edge)
    return positions


def _step(edges: list[Edge]) -> Step:
    """The sign counts when it was typed: #urgent and C++ are not urgent and C."""
    signed = tuple(edge.form for edge in edges if edge.kind is Kind.SIGNED)
    forms = tuple(dict.fromkeys(edge.form for edge in edges))
    return Step(signed or forms, edges[0].unbroken)


def _with_joined(reading: Reading) -> Path:
    """The same with PKG-12345 as the one word that it also is."""
    positions = _by_position(reading)
    joined: dict[int, Edge] = {}
    for edge in reading.edges:
        if edge.kind is Kind.JOINED and edge.over > _span(joined.get(edge.at)):
            joined[edge.at] = edge
    steps: list[Step] = []
    at = 0
    while at < reading.length:
        step, edge_over = _step(positions[at]), _span(joined.get(at))
        if edge_over and not any(e.kind is Kind.SIGNED for e in positions[at]):
            step = Step((joined[at].form,))
            at += edge_over
        else:
            at += 1
        steps.append(step)
    return tuple(steps)


def _span(edge: Edge | None) -> int:
    return edge.over if edge else 0


def _beginning(path: Path) -> Path:
    last = path[-1]
    if any(len(form) < SHORTEST_PREFIX for form in last.forms):
        return path
    return (*path[:-1], Step(last.forms, prefix=True))
