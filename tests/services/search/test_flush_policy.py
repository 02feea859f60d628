"""Between any two steps of a flush, searches see the state of that moment."""

from datetime import timedelta
from itertools import count

import pytest

from clp_search.index.segments import Segments
from clp_search.index.shard import MergePolicy
from clp_search.index.sharded_index import FlushPolicy, ShardedIndex
from tests.services.search.scenario import (
    START,
    IndexHarness,
    apply_to,
    deleted,
    document,
    edited,
    search_ids,
)

LATER = START + timedelta(hours=9)
# Segments of ten; three neighbours are merged.
STEPPED = FlushPolicy(
    shards=1,
    flush_docs=10,
    merge_policy=MergePolicy(
        floor_docs=10, merge_factor=3, max_merge_docs=500, fsync=False
    ),
)


def _begun(index_harness: IndexHarness) -> ShardedIndex:
    """Two segments of ten on disk, ten documents being written, all to be merged."""
    engine = index_harness.open(STEPPED)
    for first in (0, 10):
        apply_to(
            engine, [document(n, f"common w{n}") for n in range(first, first + 10)]
        )
        engine.checkpoint()
    apply_to(engine, [document(n, f"common w{n}") for n in range(20, 30)])
    engine.begin_flush(LATER)
    return engine


def _steps(index_harness: IndexHarness) -> int:
    engine = _begun(index_harness)
    return next(step for step in count() if not engine.step())


def test_a_merge_takes_several_steps_and_loses_nothing(
    index_harness: IndexHarness,
) -> None:
    assert _steps(index_harness) > 4
    engine = index_harness.open(STEPPED)
    assert sorted(search_ids(engine, "common")) == sorted(f"m{n}" for n in range(30))
    assert len(index_harness.files("*.trm")) == 1


def test_changes_between_any_two_steps_stay_visible(
    index_harness: IndexHarness, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One message of a merged segment, one being written, one new: edited or deleted."""
    for at in range(_steps(index_harness) + 1):
        bench = IndexHarness(tmp_path_factory.mktemp("steps") / "index")
        engine = _begun(bench)
        for _ in range(at):
            engine.step()
        old = [document(n, f"common w{n}") for n in (3, 25, 12, 27)]
        changes = [edited(old[0], "common x3"), edited(old[1], "common x25")]
        changes += [deleted(old[2]), deleted(old[3]), document(40, "common w40")]
        apply_to(engine, changes)
        expected = {f"m{n}" for n in (*range(30), 40)} - {"m12", "m27"}
        for state in ("meanwhile", "written", "all written", "opened again"):
            if state == "written":
                while engine.step():
                    pass
            if state == "all written":
                engine.checkpoint()
            if state == "opened again":
                engine = bench.open(STEPPED)
            where = (at, state)
            assert sorted(search_ids(engine, "common")) == sorted(expected), where
            assert [search_ids(engine, w) for w in ("w3", "w25", "w12", "w27")] == [
                []
            ] * 4, where
            assert search_ids(engine, "x3") == ["m3"], where
            assert search_ids(engine, "x25") == ["m25"], where
            assert engine.size().documents == len(expected), where
        bench.abandon()


def test_a_flush_abandoned_at_any_step_leaves_the_old_state(
    index_harness: IndexHarness,
) -> None:
    for at in range(_steps(index_harness)):
        engine = index_harness.open(STEPPED)
        had = engine.cursor()
        apply_to(engine, [document(100 + had + n, "common") for n in range(10)])
        engine.begin_flush(LATER)
        for _ in range(at):
            engine.step()
        engine = index_harness.open(STEPPED)
        assert engine.cursor() in {had, had + 10}
        assert len(search_ids(engine, "common")) == engine.size().documents


def test_a_full_disk_during_a_flush_loses_nothing(
    index_harness: IndexHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = _begun(index_harness)
    engine.step()
    newer = edited(document(25, "common w25"), "common x25")
    apply_to(engine, [newer])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Segments, "_delete", full)
        with pytest.raises(OSError, match="No space"):
            engine.maintain(LATER)
        assert len(search_ids(engine, "common")) == 30
    engine.checkpoint()
    engine = index_harness.open(STEPPED)
    assert len(search_ids(engine, "common")) == 30
    assert search_ids(engine, "x25") == ["m25"]
    assert search_ids(engine, "w25") == []


def test_applying_faster_than_flushing_waits_for_the_flush(
    index_harness: IndexHarness,
) -> None:
    engine = index_harness.open(STEPPED)
    for first in range(0, 200, 10):
        apply_to(
            engine, [document(n, f"common w{n}") for n in range(first, first + 10)]
        )
        engine.begin_flush(START)
        engine.flush_backlog()
        assert engine._shards[0].buffered < 20
    assert len(search_ids(engine, "common")) == 200


def test_a_full_flush_runs_in_slices(index_harness: IndexHarness) -> None:
    engine = _begun(index_harness)
    apply_to(engine, [document(50, "common")])
    turns = next(n for n in count(1) if not engine.flush_for(0.0))
    assert turns > 4
    engine = index_harness.open(STEPPED)
    assert engine.cursor() == 31
    assert len(search_ids(engine, "common")) == 31
