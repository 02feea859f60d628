"""Wait for PostgreSQL in eventlet's hub.

psycopg's own wait functions either block every green thread or create a selector per
result, which costs more than most statements. psycopg looks the function up at every
wait, so it can be replaced.
"""

import select as cooperative
from typing import Any, Final

from eventlet.hubs import trampoline
from eventlet.patcher import original
from psycopg import waiting
from psycopg.abc import RV, PQGen

BLOCKING_SELECT: Final = original("select")
READY: Final = {
    waiting.WAIT_R: waiting.READY_R,
    waiting.WAIT_W: waiting.READY_W,
}
READABLE: Final = (
    BLOCKING_SELECT.POLLIN | BLOCKING_SELECT.POLLHUP | BLOCKING_SELECT.POLLERR
)


def wait_in_hub(  # noqa: PLR0917 - as psycopg calls it
    gen: PQGen[RV], fileno: int, interval: float = 0.0, timeout: float | None = None
) -> RV:
    """Run one of psycopg's exchanges with the server to its end.

    No timeout here: when the server's machine is gone the kernel wakes the socket (see
    `database.CONNECT_ARGS`), and a limit of the caller is raised inside the wait.
    """
    if timeout is not None:
        return waiting.wait_selector(gen, fileno, interval, timeout)
    try:
        wanted = next(gen)
        while True:
            wanted = gen.send(_ready(fileno, wanted))
    except StopIteration as ended:
        result: RV = ended.value
        return result


def _ready(fileno: int, wanted: waiting.Wait) -> waiting.Ready:
    """Wait until a socket is readable or writable, as wanted."""
    poll = BLOCKING_SELECT.poll()
    poll.register(fileno, _mask(wanted))
    for _, events in poll.poll(0):
        return _ready_of(events)
    if wanted in READY:
        trampoline(
            fileno, read=wanted == waiting.WAIT_R, write=wanted == waiting.WAIT_W
        )
        return READY[wanted]
    readable, writable, _ = cooperative.select([fileno], [fileno], [])
    return waiting.Ready(bool(readable) * 1 | bool(writable) * 2)


def _mask(wanted: waiting.Wait) -> int:
    reads = BLOCKING_SELECT.POLLIN if wanted & waiting.WAIT_R else 0
    writes = BLOCKING_SELECT.POLLOUT if wanted & waiting.WAIT_W else 0
    return int(reads | writes)


def _ready_of(events: int) -> waiting.Ready:
    reads = waiting.READY_R if events & READABLE else waiting.READY_NONE
    writes = waiting.READY_W if events & BLOCKING_SELECT.POLLOUT else waiting.READY_NONE
    return waiting.Ready(reads | writes)


def wait_for_postgres_in_hub() -> None:
    """Make every psycopg connection of this process wait in the hub."""
    module: Any = waiting
    module.wait = wait_in_hub
