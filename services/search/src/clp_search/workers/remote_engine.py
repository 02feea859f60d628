"""An engine whose shards are held by worker processes, one per group of them."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from clp_search.engine import Document, IndexDamaged, Key, Page, Shown, Size, Wanted
from clp_search.index.documents import document_in, record_of
from clp_search.index.generations import Generation
from clp_search.index.sharded_index import Limits, shard_of
from clp_search.query import Query
from clp_search.workers import protocol
from clp_search.workers.process import Worker
from clp_search.workers.server import Task

log = logging.getLogger(__name__)

# A search that takes longer has met a stuck worker; writing may have much to do.
SEARCH_S: Final = 5.0
WRITE_S: Final = 60.0


class WorkerIndex:
    """An `Engine`; each worker searches what it has in memory and what it wrote."""

    def __init__(self, generation: Generation, limits: Limits, *, workers: int) -> None:
        self._shards = generation.shards
        count = max(1, min(workers, self._shards))
        tasks = [_task(generation, limits, of=count, number=n) for n in range(count)]
        self.workers = [Worker(task) for task in tasks]
        try:
            _each(self.workers, "size")
        except BaseException:
            for worker in self.workers:
                worker.close()
            raise

    def cursor(self) -> int:
        """The position up to which every shard has been told."""
        return min(min(worker.cursors.values()) for worker in self.workers)

    def wants(self, project: str, position: int) -> bool:
        """Whether a change of a project is news to its shard."""
        shard = shard_of(project, self._shards)
        return self._worker(shard).cursors[shard] < position

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Give each worker its documents, all at the same time."""
        records: dict[int, list[Any]] = defaultdict(list)
        for document in documents:
            shard = shard_of(document.project, self._shards)
            records[shard % len(self.workers)].append(record_of(document))
        _gathered(
            [
                partial(
                    worker.begin, "apply", records[n], after, upto, within_s=WRITE_S
                )
                for n, worker in enumerate(self.workers)
            ]
        )

    def search(self, wanted: Wanted) -> Page:
        """Ask the worker that has the project."""
        worker = self._worker(shard_of(wanted.project, self._shards))
        told = worker.ask("search", protocol.told(wanted), within_s=SEARCH_S)
        records, total, exact, after = told
        return Page(
            documents=tuple(document_in(tuple(record)) for record in records),
            total=total,
            total_is_exact=exact,
            next=protocol.read(Key | None, after),
        )

    def show(self, documents: Sequence[Document], query: Query) -> tuple[Shown, ...]:
        """Have the worker that found a page mark it: one message there, one back."""
        if not documents:
            return ()
        worker = self._worker(shard_of(documents[0].project, self._shards))
        records = [record_of(document) for document in documents]
        told = worker.ask("show", records, protocol.told(query), within_s=SEARCH_S)
        return protocol.read(tuple[Shown, ...], told)  # type: ignore[no-any-return]

    def tidy(self, now: datetime) -> None:
        """Have each do what waits; one that has ended begins again."""
        _each(self.workers, "tidy", protocol.told(now))

    def checkpoint(self) -> None:
        """Have each write everything to disk, a while at a time."""
        while any(_each(self.workers, "write")):
            pass

    def size(self) -> Size:
        """How much they hold together."""
        sizes: list[Size] = [
            protocol.read(Size, told) for told in _each(self.workers, "size")
        ]
        return Size(
            documents=sum(size.documents for size in sizes),
            size_bytes=sum(size.size_bytes for size in sizes),
        )

    def close(self) -> None:
        """Have each write everything to disk and end; what it cannot is read again."""
        try:
            self.checkpoint()
        except (IndexDamaged, OSError) as trouble:
            log.warning("the index was not written: %s", trouble)
        for worker in self.workers:
            worker.close()

    def _worker(self, shard: int) -> Worker:
        return self.workers[shard % len(self.workers)]


def _task(generation: Generation, limits: Limits, *, of: int, number: int) -> Task:
    return Task(
        folder=str(generation.folder),
        shards=generation.shards,
        mine=tuple(range(number, generation.shards, of)),
        flush_at=limits.flush_at,
        flush_after_s=limits.flush_after.total_seconds(),
        unwritten=limits.unwritten,
        smallest=limits.writing.smallest,
        alike=limits.writing.alike,
        most=limits.writing.most,
    )


def _each(workers: Iterable[Worker], what: str, *given: Any) -> list[Any]:
    return _gathered(
        [partial(worker.begin, what, *given, within_s=WRITE_S) for worker in workers]
    )


def _gathered(begun: Iterable[Callable[[], Callable[[], Any]]]) -> list[Any]:
    """Ask all, then wait for all; the first trouble is told when all have answered."""
    answers: list[Callable[[], Any]] = []
    results: list[Any] = []
    troubles: list[Exception] = []
    for begin in begun:
        try:
            answers.append(begin())
        except Exception as trouble:  # noqa: BLE001 - told below
            troubles.append(trouble)
    for answer in answers:
        try:
            results.append(answer())
        except Exception as trouble:  # noqa: BLE001 - told below
            troubles.append(trouble)
    if troubles:
        raise troubles[0]
    return results
