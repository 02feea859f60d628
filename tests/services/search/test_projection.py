"""The projection: changes become found messages, whatever order and however often."""

import json
from pathlib import Path
from typing import Any

import pytest

from clp_contracts.errors import CallFailed
from clp_search.engine import Engine
from clp_search.projection import SET_ASIDE, MessagesProjection
from clp_search.use_cases.status import progress, status
from tests.services.search.query_helpers import Neighbours, parts_with
from tests.services.search.scenario import (
    START,
    Workbench,
    deleted,
    document,
    edited,
    found,
)


def projection_of(
    engine: Engine, neighbours: Neighbours, folder: Path
) -> MessagesProjection:
    callers: Any = neighbours
    return MessagesProjection(engine, callers, clock=lambda: START, folder=folder)


def read_to_the_end(projection: MessagesProjection) -> None:
    """What a feed reader does when it is woken."""
    while changes := projection.fetch(projection.cursor()).changes:
        projection.apply(changes)


def test_what_is_in_the_feed_is_found(engine: Engine, tmp_path: Path) -> None:
    neighbours = Neighbours()
    old = document(1, "final mix", attachments=("cue.pdf",))
    gone = document(2, "final gone")
    for state in (old, gone, edited(old, "final cut"), deleted(gone)):
        neighbours.stores(state)
    projection = projection_of(engine, neighbours, tmp_path)
    read_to_the_end(projection)
    assert found(engine, "final") == ["m1"]
    assert found(engine, "cue.pdf") == ["m1"]
    assert found(engine, "mix") == []
    assert projection.cursor() == 4
    assert projection.lag == 0


def test_more_changes_than_one_answer_holds_are_all_applied(
    engine: Engine, tmp_path: Path
) -> None:
    neighbours = Neighbours()
    for number in range(450):
        neighbours.stores(document(number, "many"))
    read_to_the_end(projection_of(engine, neighbours, tmp_path))
    assert len(found(engine, "many")) == 450


def test_while_messages_is_away_nothing_moves(engine: Engine, tmp_path: Path) -> None:
    neighbours = Neighbours()
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
    assert found(engine, "final") == ["m1"]


def test_a_change_set_aside_is_noted_without_a_word_of_it(
    engine: Engine, tmp_path: Path
) -> None:
    neighbours = Neighbours()
    for number in (1, 2):
        neighbours.stores(document(number, "secret words"))
    projection = projection_of(engine, neighbours, tmp_path)
    projection.set_aside(neighbours.feed[0], "ValueError: secret words")
    note = json.loads((tmp_path / SET_ASIDE).read_text())
    assert (note["position"], note["subject"], note["error"]) == (1, "m1", "ValueError")
    assert "secret" not in str(note)
    read_to_the_end(projection)
    assert found(engine, "secret") == ["m2"]


def test_a_damaged_shard_is_rebuilt_alone_from_the_feed(
    workbench: Workbench, tmp_path: Path
) -> None:
    neighbours = Neighbours()
    for number in range(40):
        neighbours.stores(document(number, "many", channel=f"p{number % 6}/broadcast"))
    engine = workbench.open()
    read_to_the_end(projection_of(engine, neighbours, tmp_path))
    engine.checkpoint()
    workbench.give_up()
    next(iter(workbench.files("*.pst"))).unlink()
    engine = workbench.open()
    neighbours.asked.clear()
    read_to_the_end(projection_of(engine, neighbours, tmp_path))
    hits = [found(engine, "many", [f"p{n}/broadcast"]) for n in range(6)]
    assert sum(map(len, hits)) == 40
    refetched = sum(
        len(asked) for what, asked in neighbours.asked if what == "contents"
    )
    assert 0 < refetched < 40


def test_status_and_progress_tell_how_far_the_index_is(
    engine: Engine, tmp_path: Path
) -> None:
    neighbours = Neighbours()
    for number in range(10):
        neighbours.stores(document(number, "many"))
    parts = parts_with(engine, neighbours)
    changes = parts.projection.fetch(0).changes
    parts.projection.apply(changes[:6])
    engine.checkpoint()
    told = status(parts=parts)
    assert (told.position, told.lag, told.documents) == (6, 4, 6)
    assert told.size_bytes > 0
    (reader,) = progress(parts=parts).readers
    assert (reader.reader, reader.source, reader.cursor) == ("search", "messages", 6)
