"""The worker's side: its configuration, and the loop that serves requests."""

import ctypes
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from select import select
from typing import Any, Final

import msgspec

from clp_search.engine import Document, IndexDamaged, QueryTooExpensive
from clp_search.index.sharded_index import FlushPolicy, ShardedIndex
from clp_search.snippets import highlight_slice
from clp_search.workers import protocol
from clp_search.workers.protocol import (
    APPLY,
    CLOSE,
    FLUSH,
    HIGHLIGHT,
    MAINTAIN,
    SEARCH,
    SIZE,
    VERIFY,
    Method,
    Outcome,
    Response,
)

log = logging.getLogger(__name__)

_DIE_WITH_PARENT: Final = 1

# Flush so long at a time, to let other requests through.
FLUSH_SLICE_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """Configuration of a worker: the shards it owns in a generation's folder."""

    folder: str
    policy: FlushPolicy
    own_shards: tuple[int, ...]

    def to_json(self) -> str:
        """Encode it as an argument of a command line."""
        return msgspec.json.encode(self).decode()


def config_from_json(content: str) -> WorkerConfig:
    """Decode what `WorkerConfig.to_json` encoded."""
    return msgspec.json.decode(content, type=WorkerConfig)


def exit_with(parent: int) -> None:
    """End this process with its parent, however the parent ends.

    Ignore signals of a terminal or supervisor: the parent ends its workers itself when
    its own work is done.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the service is gone")


class EngineServer:
    """Serves one socket, one request after the other."""

    def __init__(self, index: ShardedIndex, connection: socket.socket) -> None:
        self._index = index
        self._connection = connection
        self._methods: dict[Method, Callable[..., Any]] = {
            APPLY: self._apply,
            SEARCH: index.search,
            VERIFY: index.verify,
            HIGHLIGHT: highlight_slice,
            MAINTAIN: index.begin_flush,
            FLUSH: lambda: index.flush_for(FLUSH_SLICE_S),
            SIZE: index.size,
            CLOSE: index.checkpoint,
        }

    def run(self) -> None:
        """Report that the index is open, then serve until the socket closes."""
        self._respond(lambda: None)
        method: Method | None = None
        while method is not CLOSE:
            try:
                self._flush_until_requested()
                method, arguments = protocol.receive_request(self._connection)
            except protocol.Ended:
                return
            self._respond(partial(self._methods[method], *arguments))

    def _flush_until_requested(self) -> None:
        """Flush in small steps; a request waits for at most one of them."""
        try:
            while self._index.step():
                if select([self._connection], [], [], 0)[0]:
                    return
        except (IndexDamaged, OSError) as error:
            log.warning("the index cannot be written: %s", error)

    def _respond(self, work: Callable[[], Any]) -> None:
        outcome, result = Outcome.DONE, None
        try:
            result = work()
        except IndexDamaged as damage:
            outcome, result = Outcome.DAMAGED, str(damage)
        except QueryTooExpensive:
            outcome = Outcome.EXPENSIVE
        except OSError as error:
            outcome, result = Outcome.DISK, str(error)
        except Exception as error:
            # The text of the error could contain what somebody wrote.
            log.exception("a worker of the index failed")
            outcome, result = Outcome.FAILED, type(error).__name__
        response = Response(outcome, self._index.cursors(), result)
        protocol.send(self._connection, response)

    def _apply(self, documents: Sequence[Document], after: int, upto: int) -> None:
        self._index.apply(documents, after=after, upto=upto)
        self._index.flush_backlog()


def open_index(config: WorkerConfig) -> ShardedIndex:
    """Open the shards of a configuration."""
    return ShardedIndex(
        Path(config.folder), config.policy, own_shards=config.own_shards
    )
