"""T28: parts of searches run in slots, and each partner has so many steps a second."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import eventlet
import pytest
from eventlet.event import Event
from typing_extensions import override

from clp_contracts.errors import Refused
from clp_search import snippets
from clp_search.analysis.work import MAX_STEPS_OF_TEXT
from clp_search.dependencies import Dependencies
from clp_search.engine import (
    Document,
    Engine,
    HighlightedSlice,
    QueryTooExpensive,
    Slots,
    at_once,
)
from clp_search.query import Query, parse
from clp_search.search_slots import (
    MAX_SAVED_STEPS,
    MAX_WAIT_S,
    STEPS_PER_S,
    SearchSlots,
)
from clp_search.snippets import highlight_slice, snippets_of
from tests.services.search.query_helpers import find_as
from tests.services.search.scenario import apply_to, document, fresh_engine

HOSTILE = ("mabel", "mallory", "marvin", "milo")


class Clock:
    """A clock that sleeping advances, and what was slept."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds
        eventlet.sleep(0)


def steps(count: int) -> Callable[[object], int]:
    return lambda _: count


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slots(clock: Clock) -> SearchSlots:
    return SearchSlots(1, monotonic=clock, sleep=clock.sleep)


def test_t28_a_search_waits_for_one_part_of_a_long_one(slots: SearchSlots) -> None:
    order: list[str] = []
    gate = Event()

    def long_search(person: str) -> None:
        own = slots.of(person, "south")

        def part() -> None:
            gate.wait()
            order.append(person)

        for _ in range(5):
            own(part, steps(0))

    def short_search() -> None:
        slots.of("nat", "north")(lambda: order.append("nat"), steps(0))

    work = [eventlet.spawn(long_search, one) for one in HOSTILE]
    eventlet.sleep(0)
    work.append(eventlet.spawn(short_search))
    eventlet.sleep(0)
    gate.send()
    for one in work:
        one.wait()
    assert order.index("nat") <= 2
    assert len(order) == 5 * len(HOSTILE) + 1


def test_t28_the_people_of_one_partner_leave_a_slot_to_others(clock: Clock) -> None:
    slots = SearchSlots(2, monotonic=clock, sleep=clock.sleep)
    gate = Event()
    busy = [
        eventlet.spawn(slots.of(one, "south"), gate.wait, steps(0)) for one in HOSTILE
    ]
    eventlet.sleep(0)
    with eventlet.Timeout(5):
        assert slots.of("nat", "north")(lambda: "found", steps(0)) == "found"
    gate.send()
    for one in busy:
        one.wait()


def test_t28_a_partner_beyond_its_steps_waits_and_nobody_else_does(
    slots: SearchSlots, clock: Clock
) -> None:
    south = [slots.of(person, "south") for person in ("mabel", "marvin")]
    for _ in range(2):
        for one in south:
            one(lambda: None, steps(MAX_SAVED_STEPS // 4))
    assert clock.slept == 0
    south[0](lambda: None, steps(STEPS_PER_S))
    slots.of("nat", "north")(lambda: None, steps(100))
    assert clock.slept == 0
    south[1](lambda: None, steps(0))
    assert clock.slept == pytest.approx(1.0)


def test_t28_a_query_that_is_too_expensive_is_paid_as_well(
    slots: SearchSlots, clock: Clock
) -> None:
    south = slots.of("mabel", "south")

    def refused(own: Slots) -> None:
        def part() -> None:
            raise QueryTooExpensive

        with pytest.raises(QueryTooExpensive):
            own(part, steps(0))

    for _ in range(MAX_SAVED_STEPS // MAX_STEPS_OF_TEXT + 2):
        refused(south)
    assert clock.slept > 0


def test_t28_steps_come_back_with_time(slots: SearchSlots, clock: Clock) -> None:
    south = slots.of("mabel", "south")
    south(lambda: None, steps(MAX_SAVED_STEPS + STEPS_PER_S))
    clock.now += 1.0
    south(lambda: None, steps(0))
    assert clock.slept == 0


def test_t28_a_search_beyond_the_steps_of_its_partner_is_refused_in_time(
    deps: Dependencies, engine: Engine, clock: Clock
) -> None:
    apply_to(engine, [document(20, "final mix")])
    slots = SearchSlots(1, monotonic=clock, sleep=clock.sleep)
    deps = replace(deps, search_slots=slots)
    spent = MAX_SAVED_STEPS + int((MAX_WAIT_S + 1) * STEPS_PER_S)
    slots.of("mabel", "partner north")(lambda: None, steps(spent))

    with pytest.raises(Refused) as refused:
        find_as(deps, "nat", '"final mix"')
    assert refused.value.code == "calls.too_many"
    assert refused.value.detail == {"max_per_second": STEPS_PER_S}
    assert clock.slept < MAX_WAIT_S

    clock.now += 2.0
    assert find_as(deps, "nat", '"final mix"').hits


def test_t28_the_rest_of_a_page_beyond_its_budget_has_no_highlights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snippets, "MAX_PART_LENGTH", 1_000)
    monkeypatch.setattr(snippets, "MAX_STEPS_OF_PAGE", 2_000)
    texts = [document(n, "common " * 400) for n in range(12)]
    with fresh_engine() as engine:
        apply_to(engine, texts)
        found = engine.highlight(texts, parse('"common common"'))
    marked = [bool(hit.snippet.highlights) for hit in found]
    assert marked[0]
    assert not marked[-1]
    assert marked == sorted(marked, reverse=True)
    assert found[-1].snippet.text
    assert len(found) == 12


def test_t28_signs_that_expand_are_highlighted_in_parts_of_what_they_expand_to() -> (
    None
):
    slices: list[int] = []

    def highlight(documents: Sequence[Document], query: Query) -> HighlightedSlice:
        slices.append(len(documents))
        return highlight_slice(documents, query)

    texts = [document(n, "\ufdfa" * 500) for n in range(4)]
    snippets_of(texts, parse("mix"), highlight=highlight, slots=at_once)
    assert slices == [1, 1, 1, 1]


def test_t28_every_part_of_a_search_has_a_slot(
    deps: Dependencies, engine: Engine
) -> None:
    apply_to(engine, [document(20 + n, "common words " * 400) for n in range(8)])
    taken: list[tuple[str, str]] = []

    class Noting(SearchSlots):
        @override
        def of(self, person: str, group: str) -> Slots:
            in_slot = super().of(person, group)

            def noted(part: Any, steps_of: Any) -> Any:
                taken.append((person, group))
                return in_slot(part, steps_of)

            return noted

    page = find_as(replace(deps, search_slots=Noting(1)), "nat", '"common words"')
    assert page.hits
    assert set(taken) == {("nat", "partner north")}
    assert len(taken) > 2
