"""An engine whose shards are held by worker processes, one per group of them."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, cast

from clp_search.engine import (
    Document,
    HighlightedSlice,
    HitPage,
    HitSnippets,
    IndexDamaged,
    IndexSize,
    SearchRequest,
    SliceRequest,
    Slots,
    VerifiedSlice,
    at_once,
    without_steps,
)
from clp_search.index.generations import Generation
from clp_search.index.sharded_index import FlushPolicy, shard_of
from clp_search.query import Query
from clp_search.result_pages import verified_page
from clp_search.snippets import snippets_of
from clp_search.workers.process import PendingResult, Worker
from clp_search.workers.protocol import (
    APPLY,
    FLUSH,
    HIGHLIGHT,
    MAINTAIN,
    SEARCH,
    SIZE,
    VERIFY,
    Method,
)
from clp_search.workers.server import WorkerConfig

log = logging.getLogger(__name__)

# A search beyond this met a stuck worker; writing may take longer.
SEARCH_TIMEOUT_S: Final = 5.0
WRITE_TIMEOUT_S: Final = 60.0

Starter = Callable[[], PendingResult]


class RemoteEngine:
    """An `Engine` on worker processes; each searches its own buffer and segments."""

    def __init__(
        self, generation: Generation, policy: FlushPolicy, *, workers: int
    ) -> None:
        self._shards = generation.shards
        count = max(1, min(workers, self._shards))
        configs = [
            _worker_config(generation, policy, of=count, number=n) for n in range(count)
        ]
        self.workers = [Worker(config) for config in configs]
        try:
            _call_each(self.workers, SIZE)
        except BaseException:
            for worker in self.workers:
                worker.close()
            raise

    def cursor(self) -> int:
        """Return the lowest cursor of all shards."""
        return min(min(worker.cursors.values()) for worker in self.workers)

    def wants(self, project: str, position: int) -> bool:
        """Return whether a change of a project is new to its shard."""
        shard = shard_of(project, self._shards)
        return self._worker(shard).cursors[shard] < position

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Apply the documents of each worker, in parallel."""
        by_worker: dict[int, list[Document]] = defaultdict(list)
        for document in documents:
            shard = shard_of(document.project, self._shards)
            by_worker[shard % len(self.workers)].append(document)
        _call_all(
            _starter(worker, APPLY, (by_worker[number], after, upto))
            for number, worker in enumerate(self.workers)
        )

    def search(self, request: SearchRequest, slots: Slots = at_once) -> HitPage:
        """Search in the worker that holds the project, slice by slice."""
        if request.plan.verify:
            return verified_page(request, self._verify, slots)
        worker = self._worker(shard_of(request.project, self._shards))
        call = partial(worker.call, SEARCH, (request,), timeout_s=SEARCH_TIMEOUT_S)
        return cast("HitPage", slots(call, without_steps))

    def _verify(self, request: SliceRequest) -> VerifiedSlice:
        worker = self._worker(shard_of(request.search.project, self._shards))
        result = worker.call(VERIFY, (request,), timeout_s=SEARCH_TIMEOUT_S)
        return cast("VerifiedSlice", result)

    def highlight(
        self, documents: Sequence[Document], query: Query, slots: Slots = at_once
    ) -> tuple[HitSnippets, ...]:
        """Highlight in the worker that found the page, in one more round trip.

        Long texts take more of them, and other calls get through in between.
        """
        return snippets_of(documents, query, highlight=self._highlight, slots=slots)

    def _highlight(
        self, documents: Sequence[Document], query: Query
    ) -> HighlightedSlice:
        worker = self._worker(shard_of(documents[0].project, self._shards))
        result = worker.call(HIGHLIGHT, (documents, query), timeout_s=SEARCH_TIMEOUT_S)
        return cast("HighlightedSlice", result)

    def maintain(self, now: datetime) -> None:
        """Do due maintenance in each worker; restart workers that ended."""
        _call_each(self.workers, MAINTAIN, (now,))

    def checkpoint(self) -> None:
        """Flush everything to disk, a slice at a time."""
        while any(_call_each(self.workers, FLUSH)):
            pass

    def size(self) -> IndexSize:
        """Return the total size."""
        sizes: list[IndexSize] = _call_each(self.workers, SIZE)
        return IndexSize(
            documents=sum(size.documents for size in sizes),
            size_bytes=sum(size.size_bytes for size in sizes),
        )

    def close(self) -> None:
        """Flush and end each worker; what cannot be written is read again later."""
        try:
            self.checkpoint()
        except (IndexDamaged, OSError) as error:
            log.warning("the index was not flushed: %s", error)
        for worker in self.workers:
            worker.close()

    def _worker(self, shard: int) -> Worker:
        return self.workers[shard % len(self.workers)]


def _worker_config(
    generation: Generation, policy: FlushPolicy, *, of: int, number: int
) -> WorkerConfig:
    return WorkerConfig(
        folder=str(generation.folder),
        policy=policy.of(generation),
        own_shards=tuple(range(number, generation.shards, of)),
    )


def _call_each(
    workers: Iterable[Worker], method: Method, arguments: Sequence[Any] = ()
) -> list[Any]:
    return _call_all(_starter(worker, method, arguments) for worker in workers)


def _starter(worker: Worker, method: Method, arguments: Sequence[Any]) -> Starter:
    return partial(worker.start_call, method, arguments, timeout_s=WRITE_TIMEOUT_S)


def _call_all(starters: Iterable[Starter]) -> list[Any]:
    """Start all calls, then wait for all; raise the first error at the end."""
    pending: list[PendingResult] = []
    results: list[Any] = []
    errors: list[Exception] = []
    for start in starters:
        try:
            pending.append(start())
        except Exception as error:  # noqa: BLE001 - raised below
            errors.append(error)
    for receive in pending:
        try:
            results.append(receive())
        except Exception as error:  # noqa: BLE001 - raised below
            errors.append(error)
    if errors:
        raise errors[0]
    return results
