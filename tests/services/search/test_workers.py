"""Worker processes: they respond like the index itself, and each is replaced."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clp_search.engine import HitPage, IndexDamaged, SearchRequest, SortKey
from clp_search.index.generations import Generation, Generations
from clp_search.index.sharded_index import ShardedIndex, shard_of
from clp_search.query import parse
from clp_search.workers import protocol, remote_engine
from clp_search.workers.process import WorkerLost
from clp_search.workers.remote_engine import RemoteEngine
from tests.services.search.scenario import (
    EVERYWHERE,
    SMALL,
    START,
    WITH_NORTH,
    IndexHarness,
    apply_to,
    deleted,
    document,
    edited,
    request_for,
    search_ids,
)
from tests.support.waiting import until

PARENT = """
import sys, time
from pathlib import Path
from clp_search.index.generations import Generations
from clp_search.workers.remote_engine import RemoteEngine
from tests.services.search.scenario import SMALL
generation = Generations(Path(sys.argv[1]), SMALL.shards).current
index = RemoteEngine(generation, SMALL, workers=2)
print(*(worker.pid for worker in index.workers), flush=True)
sys.stdin.read()
"""
QUERIES = (
    "mix", "final mix", '"final mix"', "fin*", "-cut final", "from:nat", "has:attachment",
    "file:cue", "字幕", "before:2026-11-03 mix", "after:2026-11-03", "nowhere",
)  # fmt: skip


@pytest.fixture
def generation(tmp_path: Path) -> Generation:
    return Generations(tmp_path / "index", SMALL.shards).current


@pytest.fixture
def index(generation: Generation) -> Iterator[RemoteEngine]:
    opened = RemoteEngine(generation, SMALL, workers=2)
    yield opened
    opened.close()


def _history() -> list[Any]:
    first = document(1, "final mix", attachments=("cue_sheet.pdf",))
    second = document(2, "final take", author="nat", author_name="Nat Moreau")
    third = document(3, "字幕を確認 mix", channel=WITH_NORTH)
    gone = document(4, "final mix gone")
    return [first, second, third, gone, edited(second, "final cut"), deleted(gone)]


def test_workers_respond_like_the_index_itself(
    index: RemoteEngine, index_harness: IndexHarness
) -> None:
    local_index = index_harness.open()
    for change in _history():
        apply_to(index, [change])
        apply_to(local_index, [change])
    for written in (False, True):
        for query in QUERIES:
            request = request_for(query, EVERYWHERE, limit=2)
            assert index.search(request) == local_index.search(request), (
                query,
                written,
            )
            assert search_ids(index, query) == search_ids(local_index, query), (
                query,
                written,
            )
            page, read = local_index.search(request).documents, parse(query)
            assert index.highlight(page, read) == local_index.highlight(page, read), (
                query,
                written,
            )
        assert index.size().documents == local_index.size().documents == 3
        assert index.cursor() == local_index.cursor() == 6
        assert index.wants("p1", 7)
        assert not index.wants("p1", 6)
        index.checkpoint()
        local_index.checkpoint()


def test_a_killed_worker_is_replaced_and_continues_from_its_flush(
    index: RemoteEngine,
) -> None:
    apply_to(index, [document(1, "written")])
    index.checkpoint()
    apply_to(index, [document(2, "in memory")])
    for worker in index.workers:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
    index.workers[0]._process.wait()  # type: ignore[union-attr]
    index.workers[1]._process.wait()  # type: ignore[union-attr]
    assert search_ids(index, "written") == ["m1"]
    index.maintain(START)
    assert index.cursor() == 1
    apply_to(index, [document(2, "in memory")])
    assert search_ids(index, "memory") == ["m2"]


def test_a_stuck_worker_is_killed_after_its_timeout(
    index: RemoteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_to(index, [document(1, "mix")])
    index.checkpoint()
    worker = index.workers[shard_of("p1", SMALL.shards)]
    stuck = worker.pid
    assert stuck is not None
    os.kill(stuck, signal.SIGSTOP)
    monkeypatch.setattr(remote_engine, "SEARCH_TIMEOUT_S", 0.2)
    with pytest.raises(WorkerLost):
        search_ids(index, "mix")
    monkeypatch.undo()
    assert not Path(f"/proc/{stuck}").exists()
    assert search_ids(index, "mix") == ["m1"]
    assert worker.pid not in {None, stuck}


def test_concurrent_calls_wait_for_each_other(index: RemoteEngine) -> None:
    apply_to(index, [document(n, "mix") for n in range(20)])
    hits: list[int] = []
    threads = [
        threading.Thread(target=lambda: hits.append(len(search_ids(index, "mix"))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hits == [20] * 8


@pytest.mark.parametrize("stopped", [False, True], ids=["at rest", "stuck"])
def test_workers_end_with_a_killed_service(
    generation: Generation, tmp_path: Path, *, stopped: bool
) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "index")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(workers) == 2
        if stopped:
            os.kill(workers[0], signal.SIGSTOP)
        parent.kill()
    until(lambda: not any(_alive(pid) for pid in workers), 30.0)
    ShardedIndex(generation.folder, SMALL).close()


def _alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_closed_index_is_flushed_and_its_workers_ended(
    generation: Generation,
) -> None:
    index = RemoteEngine(generation, SMALL, workers=2)
    apply_to(index, [document(1, "mix")])
    pids = [worker.pid for worker in index.workers]
    index.close()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    again = ShardedIndex(generation.folder, SMALL)
    assert search_ids(again, "mix") == ["m1"]
    assert again.cursor() == 1
    again.close()


def test_while_no_worker_can_start_calls_are_refused_at_once(
    index: RemoteEngine,
) -> None:
    apply_to(index, [document(1, "mix")])
    shard = shard_of("p1", SMALL.shards)
    worker = index.workers[shard]
    in_the_way = Path(worker.config.folder) / f"shard-{shard:02}.lock"
    worker._process.kill()  # type: ignore[union-attr]
    worker._process.wait()  # type: ignore[union-attr]
    in_the_way.unlink()
    in_the_way.mkdir()
    for _ in range(2):
        with pytest.raises(WorkerLost):
            index.search(request_for("mix"))
    before = time.process_time()
    with pytest.raises(WorkerLost):
        index.search(request_for("mix"))
    assert time.process_time() - before < 0.1
    assert worker.pid is None
    in_the_way.rmdir()
    worker._retry_at = 0.0
    assert index.search(request_for("mix")).total == 0


def test_damage_reaches_the_service_as_damage_of_one_shard(
    index: RemoteEngine, generation: Generation
) -> None:
    changes = [document(n, "mix", channel=f"p{n % 4}/broadcast") for n in range(12)]
    apply_to(index, changes)
    index.checkpoint()
    hit = shard_of("p1", SMALL.shards)
    for path in (generation.folder / f"shard-{hit:02}").glob("*.pst"):
        path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(IndexDamaged):
        search_ids(index, "mix", ["p1/broadcast"])
    assert index.cursor() == 0
    kept = [index.wants(f"p{n}", 12) for n in range(4)]
    assert kept == [shard_of(f"p{n}", SMALL.shards) == hit for n in range(4)]
    index.apply(changes, after=0, upto=12)
    assert len(search_ids(index, "mix", ["p1/broadcast"])) == 3


VALUES = [
    (SearchRequest, request_for('"final mix" fin* -cut from:nat 字幕 before:2026-11-03')),
    (SearchRequest, request_for("mix", after=SortKey(START, 3, "m3"))),
    (SortKey | None, None),
    (datetime, datetime(2026, 11, 2, 9, 1, 2, 345, tzinfo=UTC)),
    (HitPage, HitPage(documents=(document(1, "a\ud800b"),), total=1, total_is_exact=True, next=None)),
]  # fmt: skip


def test_a_page_is_highlighted_in_the_worker_that_found_it(index: RemoteEngine) -> None:
    apply_to(index, [document(1, "final mix", attachments=("mix.pdf",))])
    request, query = request_for("mix"), parse("mix")
    page = index.search(request).documents
    for worker in index.workers:
        worker.close()
    (hit,) = index.highlight(page, query)
    assert [(s.start, s.end) for s in hit.snippet.highlights] == [(6, 9)]
    assert [s.text for s in hit.attachments] == ["mix.pdf"]
    at = shard_of("p1", SMALL.shards)
    assert [worker.pid is not None for worker in index.workers] == [at == 0, at == 1]
    assert index.highlight((), query) == ()


@pytest.mark.parametrize(("shape", "value"), VALUES)
def test_values_survive_the_protocol(shape: Any, value: Any) -> None:
    local, remote = socket.socketpair()
    with local, remote:
        sender = threading.Thread(target=lambda: protocol.send(local, value))
        sender.start()
        assert protocol.decode(protocol.receive(remote), shape) == value
        sender.join()


def test_a_frame_that_ends_early_means_the_connection_ended(tmp_path: Path) -> None:
    local, remote = socket.socketpair()
    with remote:
        with local:
            local.sendall(b"\x00\x00\x00\x09[1,")
        with pytest.raises(protocol.Ended):
            protocol.receive(remote)
