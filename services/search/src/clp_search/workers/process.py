"""A worker process as the service sees it: called, supervised, restarted."""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from clp_search.engine import (
    EngineTimeout,
    EngineUnavailable,
    IndexDamaged,
    QueryTooExpensive,
)
from clp_search.workers import protocol
from clp_search.workers.configs import WorkerConfig
from clp_search.workers.protocol import CLOSE, Method, Outcome, Response

log = logging.getLogger(__name__)

START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 20.0
MAX_BACKOFF_S: Final = 5.0

PendingResult = Callable[[], Any]
Starter = Callable[[], PendingResult]


class WorkerLost(IndexDamaged, ConnectionError):
    """A worker ended or timed out; another one replaces it."""


class WorkerTimedOut(WorkerLost, EngineTimeout):
    """A worker took too long and was killed; another one replaces it."""


class WorkerFailed(Exception):
    """A worker failed unexpectedly; see its log."""


class Worker:
    """Runs one call at a time on its process; concurrent callers wait.

    A process that ends or exceeds a timeout is killed. The next call starts another
    one, which continues from what was flushed; while processes keep failing, calls are
    refused at once with an exponential backoff.
    """

    def __init__(self, config: WorkerConfig, shards: Sequence[int] = ()) -> None:
        self.config = config
        self.cursors: Mapping[int, int] = dict.fromkeys(shards, 0)
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._retry_at = 0.0

    @property
    def pid(self) -> int | None:
        """The id of the process, if one runs."""
        return self._process.pid if self._process and self._connection else None

    def call(
        self, method: Method, arguments: Sequence[Any] = (), *, timeout_s: float
    ) -> Any:
        """Call a method and wait for its result."""
        return self.start_call(method, arguments, timeout_s=timeout_s)()

    def start_call(
        self, method: Method, arguments: Sequence[Any] = (), *, timeout_s: float
    ) -> PendingResult:
        """Start a call; the returned function waits for the result and must be called.

        Raises:
            WorkerLost: when the worker cannot be called in time.
        """
        if not self._lock.acquire(timeout=timeout_s):
            raise WorkerLost("a worker of the index is busy")
        try:
            connection = self._connected()
            deadline = time.monotonic() + timeout_s
            connection.settimeout(timeout_s)
            protocol.send_request(connection, method, arguments)
        except BaseException as error:
            self._discard(error)
            raise WorkerLost("a worker of the index is gone") from error
        return lambda: self._receive_result(connection, method, deadline)

    def close(self) -> None:
        """Flush and end the process; kill it when it does not end."""
        with self._lock:
            if self._connection is None or self._process is None:
                return
            try:
                self._connection.settimeout(STOP_TIMEOUT_S)
                protocol.send_request(self._connection, CLOSE)
                protocol.receive(self._connection)
                self._process.wait(STOP_TIMEOUT_S)
            except (OSError, subprocess.TimeoutExpired):
                log.warning("a worker of the index did not end in time")
            self._terminate()

    def _receive_result(
        self, connection: socket.socket, method: Method, deadline: float
    ) -> Any:
        try:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            response = self._receive(connection)
        except TimeoutError as error:
            self._discard(error)
            raise WorkerTimedOut("a worker of the index took too long") from error
        except BaseException as error:
            self._discard(error)
            raise WorkerLost("a worker of the index was lost") from error
        self._failures = 0
        self._lock.release()
        return _result_of(response, method.result)

    def _connected(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            log.error("a worker of the index had ended and is replaced")
            self._terminate()
        if self._connection is None:
            if time.monotonic() < self._retry_at:
                raise WorkerLost("a worker of the index has just ended")
            self._start()
        assert self._connection is not None  # noqa: S101 - for the type checker
        return self._connection

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            handles = str(theirs.fileno()), str(os.getpid())
            command = ["-m", self.config.module, *handles]
            self._connection = ours
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, *command],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
            )
        ours.settimeout(START_TIMEOUT_S)
        protocol.send(ours, self.config)
        _result_of(self._receive(ours), None)

    def _receive(self, connection: socket.socket) -> Response:
        plain = protocol.receive(connection)
        response: Response = protocol.decode(plain, Response)
        self.cursors = response.cursors
        return response

    def _discard(self, why: BaseException) -> None:
        """Kill the process and release the lock, which the caller holds."""
        self._failures += 1
        pause = min(MAX_BACKOFF_S, 0.05 * 2**self._failures)
        self._retry_at = time.monotonic() + (pause if self._failures > 1 else 0)
        if not isinstance(why, WorkerLost):
            log.error("a worker of the index is replaced: %s", type(why).__name__)
        self._terminate()
        self._lock.release()

    def _terminate(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._connection = self._process = None


def _result_of(response: Response, shape: Any) -> Any:
    if response.outcome is Outcome.DONE:
        return protocol.decode(response.result, shape)
    if response.outcome is Outcome.EXPENSIVE:
        raise QueryTooExpensive
    reason = response.result
    if response.outcome is Outcome.DAMAGED:
        raise IndexDamaged(reason)
    if response.outcome is Outcome.UNAVAILABLE:
        raise EngineUnavailable(reason)
    if response.outcome is Outcome.DISK:
        raise OSError(reason)
    raise WorkerFailed(reason)


def call_each(
    workers: Iterable[Worker],
    method: Method,
    arguments: Sequence[Any] = (),
    *,
    timeout_s: float,
) -> list[Any]:
    """Call a method of each worker, in parallel, and wait for all results."""
    return call_all(
        partial(worker.start_call, method, arguments, timeout_s=timeout_s)
        for worker in workers
    )


def call_all(starters: Iterable[Starter]) -> list[Any]:
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
