"""An engine whose shards are held by worker processes, one per group of them."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from typing_extensions import override

from clp_search.engine import Document, IndexDamaged, IndexSize
from clp_search.index.generations import Generation
from clp_search.index.sharded_index import FlushPolicy, shard_of
from clp_search.workers.configs import ShardsConfig
from clp_search.workers.process import Worker, call_all, call_each
from clp_search.workers.protocol import (
    APPLY,
    FLUSH,
    MAINTAIN,
    SIZE,
    Method,
)
from clp_search.workers.remote_searches import RemoteSearches

log = logging.getLogger(__name__)

# A search beyond this met a stuck worker; writing may take longer.
SEARCH_TIMEOUT_S: Final = 5.0
WRITE_TIMEOUT_S: Final = 60.0


class RemoteEngine(RemoteSearches):
    """An `Engine` on worker processes; each searches its own buffer and segments."""

    def __init__(
        self, generation: Generation, policy: FlushPolicy, *, workers: int
    ) -> None:
        self._shards = generation.shards
        count = max(1, min(workers, self._shards))
        self.workers = [
            _worker(generation, policy, of=count, number=n) for n in range(count)
        ]
        try:
            call_each(self.workers, SIZE, timeout_s=WRITE_TIMEOUT_S)
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
        call_all(
            partial(
                worker.start_call,
                APPLY,
                (by_worker[number], after, upto),
                timeout_s=WRITE_TIMEOUT_S,
            )
            for number, worker in enumerate(self.workers)
        )

    @override
    def _read(self, project: str, method: Method, arguments: Sequence[Any]) -> Any:
        worker = self._worker(shard_of(project, self._shards))
        return worker.call(method, arguments, timeout_s=SEARCH_TIMEOUT_S)

    def maintain(self, now: datetime) -> None:
        """Do due maintenance in each worker; restart workers that ended."""
        call_each(self.workers, MAINTAIN, (now,), timeout_s=WRITE_TIMEOUT_S)

    def checkpoint(self) -> None:
        """Flush everything to disk, a slice at a time."""
        while any(call_each(self.workers, FLUSH, timeout_s=WRITE_TIMEOUT_S)):
            pass

    def size(self) -> IndexSize:
        """Return the total size."""
        sizes: list[IndexSize] = call_each(
            self.workers, SIZE, timeout_s=WRITE_TIMEOUT_S
        )
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


def _worker(
    generation: Generation, policy: FlushPolicy, *, of: int, number: int
) -> Worker:
    own_shards = tuple(range(number, generation.shards, of))
    config = ShardsConfig(
        folder=str(generation.folder),
        policy=policy.of(generation),
        own_shards=own_shards,
    )
    return Worker(config, own_shards)
