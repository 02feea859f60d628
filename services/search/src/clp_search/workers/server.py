"""What a worker is started with, and how it serves one line until that ends."""

import ctypes
import logging
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from select import select
from typing import Any, Final

from clp_search.engine import IndexDamaged, Wanted
from clp_search.index.documents import document_in, record_of
from clp_search.index.shard import Writing
from clp_search.index.sharded_index import Limits, ShardedIndex
from clp_search.query import Query
from clp_search.workers import protocol

log = logging.getLogger(__name__)

# How an answer begins: it worked, a part is read anew, the disk, or a mistake of ours.
DONE, DAMAGED, DISK, FAILED = "done", "damaged", "disk", "failed"
_DIE_WITH_PARENT: Final = 1

# So long at a time is everything written, for others to get their turn.
WRITE_FOR_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The shards of a worker: these ``mine`` of a generation's folder."""

    folder: str
    shards: int
    mine: tuple[int, ...]
    flush_at: int
    flush_after_s: float
    unwritten: int
    smallest: int
    alike: int
    most: int

    @property
    def limits(self) -> Limits:
        """The same as the index takes it."""
        return Limits(
            shards=self.shards,
            flush_at=self.flush_at,
            flush_after=timedelta(seconds=self.flush_after_s),
            unwritten=self.unwritten,
            writing=Writing(smallest=self.smallest, alike=self.alike, most=self.most),
        )


def end_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends, however that happens.

    Signals that a terminal or supervisor sends to all are for the parent alone: it ends
    its workers when its own work is done.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the service is gone")


class Serving:
    """Answers one line, one request after the other."""

    def __init__(self, index: ShardedIndex, line: socket.socket) -> None:
        self._index = index
        self._line = line
        self._answers: dict[str, Callable[..., Any]] = {
            "apply": self._apply,
            "search": self._search,
            "show": self._show,
            "tidy": self._tidy,
            "write": lambda: index.write_for(WRITE_FOR_S),
            "size": lambda: protocol.told(index.size()),
            "close": index.checkpoint,
        }

    def run(self) -> None:
        """Say that the index is open, then answer until the line ends."""
        self._answer(lambda: None)
        method = ""
        while method != "close":
            try:
                self._work_until_asked()
                method, *given = protocol.receive(self._line)
            except protocol.Ended:
                return
            self._answer(lambda: self._answers[method](*given))  # noqa: B023 - called at once

    def _work_until_asked(self) -> None:
        """Write in small steps, and let who asks wait for no more than one of them."""
        try:
            while self._index.work():
                if select([self._line], [], [], 0)[0]:
                    return
        except (IndexDamaged, OSError) as error:
            log.warning("the index cannot be written: %s", error)

    def _answer(self, work: Callable[[], Any]) -> None:
        outcome, told = DONE, None
        try:
            told = work()
        except IndexDamaged as damage:
            outcome, told = DAMAGED, str(damage)
        except OSError as error:
            outcome, told = DISK, str(error)
        except Exception as error:
            # The error's own text could hold what somebody wrote.
            log.exception("a worker of the index failed")
            outcome, told = FAILED, type(error).__name__
        protocol.send(self._line, (outcome, list(self._index.cursors().items()), told))

    def _apply(self, records: list[list[Any]], after: int, upto: int) -> None:
        documents = [document_in(tuple(record)) for record in records]
        self._index.apply(documents, after=after, upto=upto)
        self._index.keep_up()

    def _search(self, wanted: Any) -> Any:
        page = self._index.search(protocol.read(Wanted, wanted))
        return (
            [record_of(document) for document in page.documents],
            page.total,
            page.total_is_exact,
            protocol.told(page.next),
        )

    def _show(self, records: list[list[Any]], query: Any) -> Any:
        documents = [document_in(tuple(record)) for record in records]
        return protocol.told(self._index.show(documents, protocol.read(Query, query)))

    def _tidy(self, now: str) -> None:
        self._index.begin(protocol.read(datetime, now))


def open_index(task: Task) -> ShardedIndex:
    """The shards of a task."""
    return ShardedIndex(Path(task.folder), task.limits, mine=task.mine)
