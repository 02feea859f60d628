"""While a segment is written step by step, everything is found as it is at that moment."""

from datetime import timedelta
from itertools import count

import pytest

from clp_search.index.segments import Segments
from clp_search.index.shard import Writing
from clp_search.index.sharded_index import Limits, ShardedIndex
from tests.services.search.scenario import (
    START,
    Workbench,
    deleted,
    document,
    edited,
    found,
    told,
)

LATER = START + timedelta(hours=9)
# Segments of ten; three neighbours become one.
STEPPED = Limits(
    shards=1, flush_at=10, writing=Writing(smallest=10, alike=3, most=500, surely=False)
)


def _begun(workbench: Workbench) -> ShardedIndex:
    """Two segments of ten on disk, ten documents being written, all to be merged."""
    engine = workbench.open(STEPPED)
    for first in (0, 10):
        told(engine, [document(n, f"common w{n}") for n in range(first, first + 10)])
        engine.checkpoint()
    told(engine, [document(n, f"common w{n}") for n in range(20, 30)])
    engine.begin(LATER)
    return engine


def _steps(workbench: Workbench) -> int:
    engine = _begun(workbench)
    return next(step for step in count() if not engine.work())


def test_a_merge_takes_several_steps_and_loses_nothing(workbench: Workbench) -> None:
    assert _steps(workbench) > 4
    engine = workbench.open(STEPPED)
    assert sorted(found(engine, "common")) == sorted(f"m{n}" for n in range(30))
    assert len(workbench.files("*.trm")) == 1


def test_changes_between_any_two_steps_are_found_then_and_ever_after(
    workbench: Workbench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One message of a merged segment, one being written, one new: edited or deleted."""
    for at in range(_steps(workbench) + 1):
        bench = Workbench(tmp_path_factory.mktemp("steps") / "index")
        engine = _begun(bench)
        for _ in range(at):
            engine.work()
        old = [document(n, f"common w{n}") for n in (3, 25, 12, 27)]
        changes = [edited(old[0], "common x3"), edited(old[1], "common x25")]
        changes += [deleted(old[2]), deleted(old[3]), document(40, "common w40")]
        told(engine, changes)
        expected = {f"m{n}" for n in (*range(30), 40)} - {"m12", "m27"}
        for state in ("meanwhile", "written", "all written", "opened again"):
            if state == "written":
                while engine.work():
                    pass
            if state == "all written":
                engine.checkpoint()
            if state == "opened again":
                engine = bench.open(STEPPED)
            where = (at, state)
            assert sorted(found(engine, "common")) == sorted(expected), where
            assert [found(engine, w) for w in ("w3", "w25", "w12", "w27")] == [
                []
            ] * 4, where
            assert found(engine, "x3") == ["m3"], where
            assert found(engine, "x25") == ["m25"], where
            assert engine.size().documents == len(expected), where
        bench.give_up()


def test_a_write_given_up_at_any_step_leaves_what_was_there(
    workbench: Workbench,
) -> None:
    for at in range(_steps(workbench)):
        engine = workbench.open(STEPPED)
        had = engine.cursor()
        told(engine, [document(100 + had + n, "common") for n in range(10)])
        engine.begin(LATER)
        for _ in range(at):
            engine.work()
        engine = workbench.open(STEPPED)
        assert engine.cursor() in {had, had + 10}
        assert len(found(engine, "common")) == engine.size().documents


def test_a_full_disk_in_the_middle_of_writing_costs_nothing(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = _begun(workbench)
    engine.work()
    newer = edited(document(25, "common w25"), "common x25")
    told(engine, [newer])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Segments, "_delete", full)
        with pytest.raises(OSError, match="No space"):
            engine.tidy(LATER)
        assert len(found(engine, "common")) == 30
    engine.checkpoint()
    engine = workbench.open(STEPPED)
    assert len(found(engine, "common")) == 30
    assert found(engine, "x25") == ["m25"]
    assert found(engine, "w25") == []


def test_who_tells_faster_than_can_be_written_waits_for_the_writing(
    workbench: Workbench,
) -> None:
    engine = workbench.open(STEPPED)
    for first in range(0, 200, 10):
        told(engine, [document(n, f"common w{n}") for n in range(first, first + 10)])
        engine.begin(START)
        engine.keep_up()
        assert engine._shards[0].waiting < 20
    assert len(found(engine, "common")) == 200


def test_everything_is_written_a_while_at_a_time(workbench: Workbench) -> None:
    engine = _begun(workbench)
    told(engine, [document(50, "common")])
    turns = next(n for n in count(1) if not engine.write_for(0.0))
    assert turns > 4
    engine = workbench.open(STEPPED)
    assert engine.cursor() == 31
    assert len(found(engine, "common")) == 31
