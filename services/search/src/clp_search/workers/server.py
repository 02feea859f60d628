"""The worker's side: started by the service, serves one index, ends with it."""

import ctypes
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from select import select
from typing import Any, Final, TypeVar

from clp_search.engine import EngineUnavailable, IndexDamaged, QueryTooExpensive
from clp_search.workers import protocol
from clp_search.workers.protocol import CLOSE, Method, Outcome, Response

log = logging.getLogger(__name__)

Config = TypeVar("Config")

_DIE_WITH_PARENT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedIndex:
    """The methods of a worker, and steps of work between two requests."""

    methods: Mapping[Method, Callable[..., Any]]
    cursors: Callable[[], dict[int, int]]
    step: Callable[[], bool]
    close: Callable[[], None]


def serve(
    arguments: list[str],
    shape: type[Config],
    open_index: Callable[[Config], ServedIndex],
) -> None:
    """Open the index that the service describes and serve the inherited socket."""
    handle, parent = map(int, arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    exit_with(parent)
    with socket.socket(fileno=handle) as connection:
        # The service's own sockets never block, and this one came from there.
        connection.settimeout(None)
        index = open_index(protocol.decode(protocol.receive(connection), shape))
        # What was imported stays: no search waits until it was looked through.
        gc.freeze()
        try:
            EngineServer(index, connection).run()
        finally:
            index.close()


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

    def __init__(self, index: ServedIndex, connection: socket.socket) -> None:
        self._index = index
        self._connection = connection

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
            self._respond(partial(self._index.methods[method], *arguments))

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
        except EngineUnavailable as error:
            outcome, result = Outcome.UNAVAILABLE, str(error)
        except OSError as error:
            outcome, result = Outcome.DISK, str(error)
        except Exception as error:
            # The text of the error could contain what somebody wrote.
            log.exception("a worker of the index failed")
            outcome, result = Outcome.FAILED, type(error).__name__
        response = Response(outcome, self._index.cursors(), result)
        protocol.send(self._connection, response)
