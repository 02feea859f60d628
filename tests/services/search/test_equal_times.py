"""T33: the time of a search does not tell how often a word stands in hidden channels."""

from types import SimpleNamespace
from typing import Any

import pytest
from typing_extensions import override

from clp_search.index.documents import channel_number
from clp_search.index.query_evaluator import MIN_EXAMINED, Scope, _in_scope
from tests.services.search.scenario import WITH_NORTH, WITH_SOUTH

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
