"""An engine on worker processes that share an index in PostgreSQL."""

import queue
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast

from typing_extensions import override

from clp_search.engine import Document, IndexSize
from clp_search.postgres.engine import GENERATION, SEARCH_TIMEOUT
from clp_search.workers.configs import DatabaseConfig
from clp_search.workers.process import Worker, WorkerLost, call_each
from clp_search.workers.protocol import (
    APPLY,
    CURSOR,
    FLUSH,
    MAINTAIN,
    SIZE,
    Method,
)
from clp_search.workers.remote_searches import RemoteSearches

# PostgreSQL cancels a statement before that.
SEARCH_TIMEOUT_S: Final = SEARCH_TIMEOUT.total_seconds() + 1.0
WRITE_TIMEOUT_S: Final = 60.0


class RemoteDatabase(RemoteSearches):
    """An `Engine` in a database; any worker that is free does the next call.

    Each worker has a connection of its own, and the service has none.
    """

    def __init__(self, url: str, *, workers: int, generation: str = GENERATION) -> None:
        config = DatabaseConfig(url=url, generation=generation)
        self.workers = [Worker(config) for _ in range(workers)]
        # In rotation, so that calls replace each one that ended.
        self._free: queue.Queue[Worker] = queue.Queue()
        for worker in self.workers:
            self._free.put(worker)
        self._cursor = 0
        # Start them together; whether there is a database, the first call will tell.
        call_each(self.workers, FLUSH, timeout_s=WRITE_TIMEOUT_S)

    def cursor(self) -> int:
        """Return the position up to which any process has applied changes."""
        self._cursor = self._call(CURSOR, timeout_s=SEARCH_TIMEOUT_S)
        return self._cursor

    def wants(self, project: str, position: int) -> bool:
        """Return whether a change is new, as far as this process knows."""
        del project
        return self._cursor < position

    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        """Analyse and apply documents in a worker."""
        self._call(APPLY, (documents, after, upto), timeout_s=WRITE_TIMEOUT_S)

    def maintain(self, now: datetime) -> None:
        """Mark the generation as used; remove a part of an unused one."""
        self._call(MAINTAIN, (now,), timeout_s=WRITE_TIMEOUT_S)

    def checkpoint(self) -> None:
        """Do nothing: changes are durable when applied."""

    def size(self) -> IndexSize:
        """Return how much is stored."""
        return cast("IndexSize", self._call(SIZE, timeout_s=SEARCH_TIMEOUT_S))

    def close(self) -> None:
        """End the workers and their connections."""
        for worker in self.workers:
            worker.close()

    @override
    def _read(self, project: str, method: Method, arguments: Sequence[Any]) -> Any:
        del project
        return self._call(method, arguments, timeout_s=SEARCH_TIMEOUT_S)

    def _call(
        self, method: Method, arguments: Sequence[Any] = (), *, timeout_s: float
    ) -> Any:
        try:
            worker = self._free.get(timeout=timeout_s)
        except queue.Empty:
            raise WorkerLost("all workers of the index are busy") from None
        try:
            return worker.call(method, arguments, timeout_s=timeout_s)
        finally:
            self._free.put(worker)
