"""One worker process, as the service holds it: asked in turn, watched, begun again."""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from clp_search.engine import IndexDamaged
from clp_search.workers import protocol
from clp_search.workers.server import DAMAGED, DISK, DONE, Task

log = logging.getLogger(__name__)

START_S: Final = 30.0
END_S: Final = 20.0
LONGEST_PAUSE_S: Final = 5.0

Answer = Callable[[], Any]


class WorkerLost(IndexDamaged, ConnectionError):
    """A worker ended or was too slow; another one takes its place."""


class WorkerFailed(Exception):
    """A worker met a mistake of ours; its log says which."""


class Worker:
    """Asks its process one thing at a time; whoever comes meanwhile waits.

    A process that ends, or takes longer than it may, is killed. The next to ask begins
    another one, which reads on from what the last one wrote; who asks again and again
    while none stays alive is turned away at once.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.cursors: Mapping[int, int] = dict.fromkeys(task.mine, 0)
        self._turn = threading.Lock()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        """The id of the process; None between two."""
        return self._process.pid if self._process and self._line else None

    def ask(self, what: str, *given: Any, within_s: float) -> Any:
        """Ask, and wait for the answer."""
        return self.begin(what, *given, within_s=within_s)()

    def begin(self, what: str, *given: Any, within_s: float) -> Answer:
        """Ask; what is returned waits for the answer and must be called.

        Raises:
            WorkerLost: when it cannot be asked in time.
        """
        if not self._turn.acquire(timeout=within_s):
            raise WorkerLost("a worker of the index is busy")
        try:
            line = self._connected()
            deadline = time.monotonic() + within_s
            line.settimeout(within_s)
            protocol.send(line, (what, *given))
        except BaseException as error:
            self._give_up(error)
            raise WorkerLost("a worker of the index is gone") from error
        return lambda: self._answer(line, deadline)

    def close(self) -> None:
        """Have it write everything and end; kill it when it does not."""
        with self._turn:
            if self._line is None or self._process is None:
                return
            try:
                self._line.settimeout(END_S)
                protocol.send(self._line, ("close",))
                protocol.receive(self._line)
                self._process.wait(END_S)
            except (OSError, subprocess.TimeoutExpired):
                log.warning("a worker of the index did not end in time")
            self._let_go()

    def _answer(self, line: socket.socket, deadline: float) -> Any:
        try:
            line.settimeout(max(0.001, deadline - time.monotonic()))
            outcome, told = self._hear(line)
        except BaseException as error:
            self._give_up(error)
            raise WorkerLost("a worker of the index was lost") from error
        self._failures = 0
        self._turn.release()
        return _meant(outcome, told)

    def _connected(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            log.error("a worker of the index had ended and is replaced")
            self._let_go()
        if self._line is None:
            if time.monotonic() < self._not_before:
                raise WorkerLost("a worker of the index has just ended")
            self._start()
        assert self._line is not None  # noqa: S101 - for the type checker
        return self._line

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            told = protocol.encoded(self.task)
            command = [
                "-m",
                "clp_search.workers",
                str(theirs.fileno()),
                str(os.getpid()),
            ]
            self._line = ours
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, *command, told],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
            )
        ours.settimeout(START_S)
        outcome, told = self._hear(ours)
        _meant(outcome, told)

    def _hear(self, line: socket.socket) -> tuple[str, Any]:
        outcome, cursors, told = protocol.receive(line)
        self.cursors = dict(cursors)
        return outcome, told

    def _give_up(self, why: BaseException) -> None:
        """Kill what is left; called by who has the turn, which is over."""
        self._failures += 1
        pause = min(LONGEST_PAUSE_S, 0.05 * 2**self._failures)
        self._not_before = time.monotonic() + (pause if self._failures > 1 else 0)
        if not isinstance(why, WorkerLost):
            log.error("a worker of the index is replaced: %s", type(why).__name__)
        self._let_go()
        self._turn.release()

    def _let_go(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._line = self._process = None


def _meant(outcome: str, told: Any) -> Any:
    if outcome == DONE:
        return told
    if outcome == DAMAGED:
        raise IndexDamaged(told)
    if outcome == DISK:
        raise OSError(told)
    raise WorkerFailed(told)
