"""The terms of a segment to be written, in their order, each with its documents."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import chain, groupby
from operator import itemgetter

from clp_search.index.documents import SegmentWrite

# A term, and the numbers of the documents that have it, ascending.
TermPostings = tuple[str, Sequence[int]]


def merged_terms(
    write: SegmentWrite, terms_in: Callable[[str], Iterator[TermPostings]]
) -> Iterator[TermPostings]:
    """All terms in order: those of new documents, and those that are moved.

    ``terms_in`` gives the terms of the segment of a name.
    """
    fresh: dict[str, int | list[int]] = {}
    moved: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for number, indexed in enumerate(write.documents):
        if indexed.moved_from:
            segment, old = indexed.moved_from
            moved[segment][old] = number
        _collect(fresh, indexed.terms, number)
    sources = [_moved(terms_in(name), numbers) for name, numbers in moved.items()]
    ordered = _in_order(fresh)
    if not sources:
        yield from ordered
        return
    # Kept lazy: the terms of large segments are never all in memory.
    merged = merge(ordered, *sources, key=itemgetter(0))
    for term, same in groupby(merged, key=itemgetter(0)):
        yield term, sorted(chain.from_iterable(numbers for _, numbers in same))


def _collect(
    fresh: dict[str, int | list[int]], terms: Iterable[str], number: int
) -> None:
    """Add the terms of a document; most stand in one only, and need no list."""
    known = fresh.setdefault
    for term in terms:
        numbers = known(term, number)
        if isinstance(numbers, list):
            numbers.append(number)
        elif numbers != number:
            fresh[term] = [numbers, number]


def _in_order(
    fresh: Mapping[str, int | list[int]],
) -> Iterator[TermPostings]:
    for term in sorted(fresh):
        numbers = fresh[term]
        yield term, numbers if isinstance(numbers, list) else (numbers,)


def _moved(
    terms: Iterator[TermPostings], numbers: Mapping[int, int]
) -> Iterator[TermPostings]:
    """The terms of a segment with the new numbers of its documents that are left."""
    for term, olds in terms:
        if here := [numbers[old] for old in olds if old in numbers]:
            yield term, here
