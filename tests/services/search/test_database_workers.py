"""Worker processes on an index in PostgreSQL: like the index itself, each replaced."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from clp_contracts.errors import Refused
from clp_search.engine import QueryTooExpensive
from clp_search.postgres.engine import PostgresIndex
from clp_search.query import parse
from clp_search.use_cases.status import progress, status
from clp_search.workers import remote_database
from clp_search.workers.process import Worker, WorkerLost
from clp_search.workers.remote_database import RemoteDatabase
from tests.services.search.query_helpers import (
    dependencies_with,
    sample_neighbours,
)
from tests.services.search.scenario import (
    START,
    DatabaseHarness,
    apply_to,
    document,
    edited,
    request_for,
    search_ids,
)

pytestmark = pytest.mark.broker
QUERIES = ("mix", "final mix", '"final mix"', "fin*", "-cut final", "from:nat", "字幕")


@pytest.fixture(scope="module")
def workers(database_harness: DatabaseHarness) -> Iterator[RemoteDatabase]:
    opened = RemoteDatabase(database_harness.url, workers=2, generation="in workers")
    yield opened
    opened.close()


@pytest.fixture
def local(database_harness: DatabaseHarness) -> PostgresIndex:
    """Return the index of the workers, in this process."""
    return database_harness.another("in workers")


@pytest.fixture
def index(workers: RemoteDatabase, local: PostgresIndex) -> RemoteDatabase:
    """Return an index without documents, in workers that serve several tests."""
    with local.database.writing() as session:
        connection = session.connection()
        for table in ("documents", "generations"):
            column = "generation" if table == "documents" else "name"
            connection.exec_driver_sql(
                f"delete from {table} where {column} = 'in workers'"  # noqa: S608 - our own names only
            )
    for _ in workers.workers:
        # In turn: a test before this one may have ended some.
        workers.cursor()
    return workers


def test_workers_respond_like_the_index_itself(
    index: RemoteDatabase, local: PostgresIndex
) -> None:
    first = document(1, "final mix", attachments=("cue_sheet.pdf",))
    second = document(2, "final take", author="nat", author_name="Nat Moreau")
    third = document(3, "字幕を確認 mix")
    apply_to(index, [first, second, third, edited(second, "final cut")])
    for query in QUERIES:
        request, read = request_for(query, limit=2), parse(query)
        page = index.search(request)
        assert page == local.search(request), query
        assert search_ids(index, query) == search_ids(local, query), query
        assert index.highlight(page.documents, read) == local.highlight(
            page.documents, read
        ), query
    assert (index.cursor(), index.size()) == (local.cursor(), local.size())
    assert (index.wants("p1", 5), index.wants("p1", 4)) == (True, False)


def test_a_killed_worker_is_replaced(index: RemoteDatabase) -> None:
    apply_to(index, [document(1, "mix")])
    ended = {_killed(worker) for worker in index.workers}
    assert search_ids(index, "mix") == ["m1"]
    index.maintain(START)
    assert index.cursor() == 1
    assert not ended.intersection(worker.pid for worker in index.workers)


def _killed(worker: Worker) -> int:
    """Kill a worker, and return the process id that it had."""
    assert worker.pid is not None
    assert worker._process is not None
    pid = worker.pid
    os.kill(pid, signal.SIGKILL)
    worker._process.wait()
    return pid


def test_a_stuck_worker_is_killed_after_its_timeout(
    index: RemoteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_to(index, [document(1, "mix")])
    stuck = [worker.pid for worker in index.workers]
    for pid in stuck:
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(remote_database, "SEARCH_TIMEOUT_S", 0.2)
    for _ in stuck:
        with pytest.raises(WorkerLost):
            index.search(request_for("mix"))
    monkeypatch.undo()
    assert not any(Path(f"/proc/{pid}").exists() for pid in stuck)
    assert search_ids(index, "mix") == ["m1"]


def test_without_a_free_worker_a_call_is_refused_after_its_timeout(
    index: RemoteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_database, "SEARCH_TIMEOUT_S", 0.01)
    taken = [index._free.get() for _ in index.workers]
    for call in (index.size, index.cursor, partial(search_ids, index, "mix")):
        with pytest.raises(WorkerLost):
            call()
    deps = dependencies_with(index, sample_neighbours())
    for use_case in (status, progress):
        with pytest.raises(Refused, match="unavailable"):
            use_case(deps=deps)
    for worker in taken:
        index._free.put(worker)
    monkeypatch.undo()
    assert index.cursor() == 0


def test_t28_a_database_worker_that_refuses_a_query_lives(
    index: RemoteDatabase,
) -> None:
    pids = [worker.pid for worker in index.workers]
    long = document(1, f"{'other ' * 400_000}common common")
    with pytest.raises(QueryTooExpensive):
        index.highlight([long], parse('"common common"'))
    assert search_ids(index, "common") == []
    assert [worker.pid for worker in index.workers] == pids


def test_t28_the_service_itself_matches_and_analyses_nothing(
    index: RemoteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("other calls would wait for it")

    for path in (
        "clp_search.result_pages.VerifiedHit",
        "clp_search.snippets.text_snippet",
        "clp_search.postgres.rows.document_terms",
    ):
        monkeypatch.setattr(path, refuse)
    apply_to(index, [document(n, "a-" * 2_000) for n in range(1, 5)])
    page = index.search(request_for('"a a a"', limit=4))
    assert len(index.highlight(page.documents, parse('"a a a"'))) == 4


def test_no_command_line_shows_the_password_of_the_database(
    index: RemoteDatabase,
) -> None:
    for worker in index.workers:
        shown = Path(f"/proc/{worker.pid}/cmdline").read_bytes()
        assert b"clp_search.workers" in shown
        assert b"postgresql" not in shown
