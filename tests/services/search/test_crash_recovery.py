"""Crash recovery: killed processes, torn files, wrong manifests, lost folders."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from clp_search.engine import Document, IndexDamaged
from clp_search.index.manifest import NAME as MANIFEST
from clp_search.index.sharded_index import ShardedIndex
from tests.services.search.scenario import (
    START,
    IndexHarness,
    apply_to,
    deleted,
    document,
    edited,
    search_ids,
)

# Posts, edits and deletes without end; every position is one change of message N % 97.
WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from clp_search.index.sharded_index import ShardedIndex
from tests.services.search.scenario import SMALL, START
from tests.services.search.test_crash_recovery import state_at

engine = ShardedIndex(Path(sys.argv[1]), SMALL)
position = engine.cursor()
print(position, flush=True)
while True:
    after, position = position, position + 5
    engine.apply(
        [state_at(p, position) for p in range(after + 1, position + 1)],
        after=after, upto=position,
    )
    engine.maintain(START + timedelta(seconds=position))
"""
MESSAGES = 97


def state_at(change: int, position: int) -> Document:
    """Return the message of a change, as of a later position of the feed."""
    which = change % MESSAGES
    changes = range(which or MESSAGES, position + 1, MESSAGES)
    message = document(which, f"common first{which}", channel=f"p{which % 5}/broadcast")
    for revision in range(1, len(changes)):
        if revision == 4:
            return deleted(message)
        message = edited(message, f"common changed{which} revision{revision}")
    return message


def _compare_with_scan(engine: ShardedIndex, position: int) -> None:
    stored = {
        state_at(p, position).message: state_at(p, position)
        for p in range(max(1, position - MESSAGES + 1), position + 1)
    }
    alive = [kept for kept in stored.values() if not kept.deleted]
    assert engine.size().documents == len(alive)
    for project in range(5):
        channel = f"p{project}/broadcast"
        here = sorted(k.message for k in alive if k.channel == channel)
        assert sorted(search_ids(engine, "common", [channel])) == here
    for kept in alive:
        last = kept.text.split()[-1]
        assert kept.message in search_ids(engine, last, [kept.channel])


@pytest.mark.parametrize("round_", range(2))
def test_a_killed_writer_loses_nothing_and_doubles_nothing(
    index_harness: IndexHarness, round_: int
) -> None:
    reached = 0
    for kill in range(3):
        command = [sys.executable, "-c", WRITER, str(index_harness.folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            started_at = int(writer.stdout.readline())
            assert started_at >= reached
            time.sleep(0.11 + 0.07 * kill + 0.05 * round_)
            os.kill(writer.pid, signal.SIGKILL)
        engine = index_harness.open()
        reached = engine.cursor()
        upto = reached + 2 * MESSAGES
        engine.apply(
            [state_at(p, upto) for p in range(reached + 1, upto + 1)],
            after=reached,
            upto=upto,
        )
        _compare_with_scan(engine, upto)
        engine.checkpoint()
        _compare_with_scan(engine, upto)
        reached = upto
        index_harness.abandon()
    assert reached > 0


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _zero_the_middle(path: Path) -> None:
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[: half - 8] + bytes(16) + content[half + 8 :])


def _filled(index_harness: IndexHarness) -> ShardedIndex:
    engine = index_harness.open()
    for number in range(60):
        channel = f"p{number % 6}/broadcast"
        apply_to(engine, [document(number, f"common w{number}", channel=channel)])
        if number % 10 == 9:
            engine.checkpoint()
    return engine


def _told_again(engine: ShardedIndex) -> None:
    after = engine.cursor()
    documents = [
        document(n, f"common w{n}", channel=f"p{n % 6}/broadcast")
        for n in range(after, 60)
    ]
    engine.apply(documents, after=after, upto=60)
    assert engine.cursor() == 60
    hits = [search_ids(engine, "common", [f"p{n}/broadcast"]) for n in range(6)]
    assert sum(map(len, hits)) == 60
    assert engine.size().documents == 60


@pytest.mark.parametrize("damage", [_cut, Path.unlink], ids=["cut", "gone"])
@pytest.mark.parametrize(
    "pattern", ["*.trm", "*.pst", "*_stored.col", "*.k.col", "*.toc"]
)
def test_a_torn_file_is_detected_at_start_and_its_shard_rebuilt(
    index_harness: IndexHarness, damage: Callable[[Path], None], pattern: str
) -> None:
    _filled(index_harness)
    index_harness.abandon()
    damage(index_harness.files(pattern)[0])
    engine = index_harness.open()
    assert engine.cursor() == 0
    assert len(list(index_harness.folder.rglob("*.damaged"))) == 1
    kept = [engine.wants(f"p{n}", 1) for n in range(6)]
    assert True in kept
    assert False in kept
    _told_again(engine)


@pytest.mark.parametrize("pattern", ["*.trm", "*.pst", "*_stored.col"])
def test_a_file_that_changed_inside_is_detected_in_the_background(
    index_harness: IndexHarness, pattern: str
) -> None:
    _filled(index_harness)
    index_harness.abandon()
    _zero_the_middle(max(index_harness.files(pattern), key=lambda f: f.stat().st_size))
    try:
        engine = index_harness.open()
        for _ in range(200):
            engine.maintain(document(1).posted_at)
        assert engine.cursor() == 0
    except IndexDamaged:
        pytest.fail("damage is not an error of a caller")
    _told_again(engine)


def test_damage_found_by_a_search_resets_its_shard(
    index_harness: IndexHarness,
) -> None:
    engine = _filled(index_harness)
    for path in index_harness.files("*.pst"):
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
    with pytest.raises(IndexDamaged):
        search_ids(engine, "common", ["p1/broadcast"])
    assert engine.cursor() == 0
    assert search_ids(engine, "common", ["p1/broadcast"]) == []
    assert [path.suffix for path in index_harness.folder.glob("*.damaged")]
    told_anew = [
        document(n, f"common w{n}", channel=f"p{n % 6}/broadcast") for n in range(60)
    ]
    engine.apply(told_anew, after=0, upto=60)
    engine.checkpoint()
    assert len(search_ids(index_harness.open(), "common", ["p1/broadcast"])) == 10


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"files": 1}'])
def test_an_unreadable_manifest_is_damage(
    index_harness: IndexHarness, content: str
) -> None:
    _filled(index_harness)
    index_harness.abandon()
    index_harness.files(MANIFEST)[0].write_text(content)
    _told_again(index_harness.open())


def test_a_commit_missing_in_the_manifest_is_applied_again_without_effect(
    index_harness: IndexHarness,
) -> None:
    engine = index_harness.open()
    apply_to(
        engine, [document(n, f"common w{n}", channel="p1/broadcast") for n in range(5)]
    )
    engine.checkpoint()
    before = {path: path.read_bytes() for path in index_harness.files(MANIFEST)}
    apply_to(
        engine,
        [document(n, f"common w{n}", channel="p1/broadcast") for n in range(5, 9)],
    )
    engine.checkpoint()
    index_harness.abandon()
    for path, content in before.items():
        path.write_bytes(content)
    engine = index_harness.open()
    assert engine.cursor() == 5
    apply_to(
        engine,
        [document(n, f"common w{n}", channel="p1/broadcast") for n in range(5, 9)],
    )
    assert len(search_ids(engine, "common", ["p1/broadcast"])) == 9
    assert engine.size().documents == 9


def test_the_manifest_lists_every_file_of_its_shard(
    index_harness: IndexHarness,
) -> None:
    _filled(index_harness)
    for path in index_harness.files(MANIFEST):
        files = json.loads(path.read_text())["files"]
        there = {p.name for p in path.parent.iterdir()}
        assert set(files) == {
            n for n in there if n.startswith(("MAIN_", "_MAIN_")) and "LOCK" not in n
        }


def test_a_segment_that_cannot_be_opened_leaves_no_file_open(
    index_harness: IndexHarness,
) -> None:
    engine = index_harness.open()
    for number in range(40):
        apply_to(engine, [document(number, f"common w{number}")])
        engine.maintain(START + timedelta(seconds=10 * number))
    engine.checkpoint()
    index_harness.abandon()
    before = _open_files()
    # The newest one, so that others are open when it is reached.
    torn = max(index_harness.files("*.trm"), key=lambda path: path.stat().st_mtime_ns)
    torn.write_bytes(torn.read_bytes()[:-4] + b"torn")
    index_harness.open()
    index_harness.abandon()
    assert _open_files() == before


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_lost_folder_is_an_empty_index(index_harness: IndexHarness) -> None:
    assert index_harness.open().cursor() == 0
    assert index_harness.open().size().documents == 0
