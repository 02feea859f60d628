"""The projection: changes become searchable, whatever their order and repetition."""

import json
from pathlib import Path
from typing import Any

import pytest

from clp_contracts.errors import CallFailed
from clp_search.engine import Engine
from clp_search.projection import DEAD_LETTERS, MessagesProjection
from clp_search.use_cases.status import progress, status
from tests.services.search.query_helpers import NeighbourServices, dependencies_with
from tests.services.search.scenario import (
    START,
    IndexHarness,
    deleted,
    document,
    edited,
    search_ids,
)


def projection_of(
    engine: Engine, neighbours: NeighbourServices, folder: Path
) -> MessagesProjection:
    clients: Any = neighbours
    return MessagesProjection(engine, clients, clock=lambda: START, folder=folder)


def read_to_the_end(projection: MessagesProjection) -> None:
    """Read on as the feed reader does when it is woken."""
    while changes := projection.fetch(projection.cursor()).changes:
        projection.apply(changes)


def test_what_is_in_the_feed_is_searchable(engine: Engine, tmp_path: Path) -> None:
    neighbours = NeighbourServices()
    old = document(1, "final mix", attachments=("cue.pdf",))
    gone = document(2, "final gone")
    for state in (old, gone, edited(old, "final cut"), deleted(gone)):
        neighbours.stores(state)
    projection = projection_of(engine, neighbours, tmp_path)
    read_to_the_end(projection)
    assert search_ids(engine, "final") == ["m1"]
    assert search_ids(engine, "cue.pdf") == ["m1"]
    assert search_ids(engine, "mix") == []
    assert projection.cursor() == 4
    assert projection.lag == 0


def test_more_changes_than_one_response_holds_are_all_applied(
    engine: Engine, tmp_path: Path
) -> None:
    neighbours = NeighbourServices()
    for number in range(450):
        neighbours.stores(document(number, "many"))
    read_to_the_end(projection_of(engine, neighbours, tmp_path))
    assert len(search_ids(engine, "many")) == 450


def test_while_messages_is_unavailable_the_cursor_stays(
    engine: Engine, tmp_path: Path
) -> None:
    neighbours = NeighbourServices()
    neighbours.stores(document(1, "final"))
    projection = projection_of(engine, neighbours, tmp_path)
    changes = projection.fetch(0).changes
    neighbours.away = True
    with pytest.raises(CallFailed):
        projection.apply(changes)
    assert projection.cursor() == 0
    assert projection.lag == 1
    neighbours.away = False
    read_to_the_end(projection)
    assert search_ids(engine, "final") == ["m1"]


def test_a_dead_letter_holds_no_text(engine: Engine, tmp_path: Path) -> None:
    neighbours = NeighbourServices()
    for number in (1, 2):
        neighbours.stores(document(number, "secret words"))
    projection = projection_of(engine, neighbours, tmp_path)
    projection.add_dead_letter(neighbours.feed[0], "ValueError: secret words")
    note = json.loads((tmp_path / DEAD_LETTERS).read_text())
    assert (note["position"], note["subject"], note["error"]) == (1, "m1", "ValueError")
    assert "secret" not in str(note)
    read_to_the_end(projection)
    assert search_ids(engine, "secret") == ["m2"]


def test_a_damaged_shard_is_rebuilt_alone_from_the_feed(
    index_harness: IndexHarness, tmp_path: Path
) -> None:
    neighbours = NeighbourServices()
    for number in range(40):
        neighbours.stores(document(number, "many", channel=f"p{number % 6}/broadcast"))
    engine = index_harness.open()
    read_to_the_end(projection_of(engine, neighbours, tmp_path))
    engine.checkpoint()
    index_harness.abandon()
    next(iter(index_harness.files("*.pst"))).unlink()
    engine = index_harness.open()
    neighbours.calls.clear()
    read_to_the_end(projection_of(engine, neighbours, tmp_path))
    hits = [search_ids(engine, "many", [f"p{n}/broadcast"]) for n in range(6)]
    assert sum(map(len, hits)) == 40
    assert 0 < neighbours.contents_read() < 40


def test_status_and_progress_report_how_far_the_index_is(
    engine: Engine, tmp_path: Path
) -> None:
    neighbours = NeighbourServices()
    for number in range(10):
        neighbours.stores(document(number, "many"))
    deps = dependencies_with(engine, neighbours)
    changes = deps.projection.fetch(0).changes
    deps.projection.apply(changes[:6])
    engine.checkpoint()
    apply_to = status(deps=deps)
    assert (apply_to.position, apply_to.lag, apply_to.documents) == (6, 4, 6)
    assert apply_to.size > 0
    (reader,) = progress(deps=deps).readers
    assert (reader.reader, reader.source, reader.cursor) == ("search", "messages", 6)
