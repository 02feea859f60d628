"""T33: the time of a search does not tell how often a word stands in hidden channels."""

from types import SimpleNamespace
from typing import Any

import pytest
from typing_extensions import override

from clp_search.index.documents import channel_number
from clp_search.index.query_evaluator import MIN_EXAMINED, Scope, _in_scope
from clp_search.index.segments import Segment
from tests.services.search.scenario import (
    BROADCAST,
    WITH_NORTH,
    WITH_SOUTH,
    IndexHarness,
    apply_to,
    document,
    search_ids,
)

SCOPE = Scope("p1", frozenset({WITH_NORTH}))
DOCUMENTS = 1_000


class CountedChannels(list[int]):
    """The channels of documents; counts how many were read."""

    def __init__(self, channels: list[str]) -> None:
        super().__init__(map(channel_number, channels))
        self.read = 0

    @override
    def __getitem__(self, number: Any) -> Any:
        self.read += 1
        return super().__getitem__(number)


@pytest.mark.parametrize("hidden", [0, 1, 64, 200])
def test_t33_hidden_documents_take_as_long_as_none(hidden: int) -> None:
    channels = CountedChannels([WITH_SOUTH] * DOCUMENTS)
    segment: Any = SimpleNamespace(channels=channels, size=DOCUMENTS)
    assert _in_scope(segment, range(hidden), SCOPE) == []
    assert channels.read == MIN_EXAMINED


def test_t33_segments_of_hidden_channels_only_are_passed_over(
    index_harness: IndexHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = index_harness.open()
    looked_up: list[int] = []
    term_info = Segment.term_info

    def noted(segment: Segment, term: str) -> Any:
        looked_up.append(1)
        return term_info(segment, term)

    def lookups(query: str) -> int:
        looked_up.clear()
        assert search_ids(engine, query, {WITH_NORTH, BROADCAST}) == ["m1"]
        return len(looked_up)

    apply_to(engine, [document(1, "final mix", channel=WITH_NORTH)])
    engine.checkpoint()
    monkeypatch.setattr(Segment, "term_info", noted)
    queries = ("final", "fi* mi*", "final -zebra")
    without = [lookups(query) for query in queries]
    apply_to(engine, [document(2, "final mix zebra", channel=WITH_SOUTH)])
    engine.checkpoint()
    assert all(without)
    assert [lookups(query) for query in queries] == without
