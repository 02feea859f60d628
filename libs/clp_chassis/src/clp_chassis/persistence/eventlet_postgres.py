"""How a green thread waits for PostgreSQL: in the hub, with nothing built around it.

psycopg's own ways either stop every other green thread or make a selector for each
answer, at a cost above that of most statements. It looks its way up at every wait, so
another one can be put in its place.
"""

import select as cooperative
from typing import Any, Final

from eventlet.hubs import trampoline
from eventlet.patcher import original
from psycopg import waiting
from psycopg.abc import RV, PQGen

NOT_A_WAIT: Final = original("select")
READY: Final = {
    waiting.WAIT_R: waiting.READY_R,
    waiting.WAIT_W: waiting.READY_W,
}
READABLE: Final = NOT_A_WAIT.POLLIN | NOT_A_WAIT.POLLHUP | NOT_A_WAIT.POLLERR


def wait_in_hub(  # noqa: PLR0917 - as psycopg calls it
    gen: PQGen[RV], fileno: int, interval: float = 0.0, timeout: float | None = None
) -> RV:
    """Run one of psycopg's exchanges with the server to its end.

    No look at the clock in between: a server whose machine is gone makes the kernel
    wake the socket (see `database.SERVER`), and a limit of ours is raised in the wait.
    """
    if timeout is not None:
        return waiting.wait_selector(gen, fileno, interval, timeout)
    try:
        wanted = next(gen)
        while True:
            wanted = gen.send(_ready(fileno, wanted))
    except StopIteration as ended:
        answer: RV = ended.value
        return answer


def _ready(fileno: int, wanted: waiting.Wait) -> waiting.Ready:
    """Wait until a socket is what is wanted of it."""
    now = NOT_A_WAIT.poll()
    now.register(fileno, _mask(wanted))
    for _, found in now.poll(0):
        return _seen(found)
    if wanted in READY:
        trampoline(
            fileno, read=wanted == waiting.WAIT_R, write=wanted == waiting.WAIT_W
        )
        return READY[wanted]
    readable, writable, _ = cooperative.select([fileno], [fileno], [])
    return waiting.Ready(bool(readable) * 1 | bool(writable) * 2)


def _mask(wanted: waiting.Wait) -> int:
    reads = NOT_A_WAIT.POLLIN if wanted & waiting.WAIT_R else 0
    writes = NOT_A_WAIT.POLLOUT if wanted & waiting.WAIT_W else 0
    return int(reads | writes)


def _seen(found: int) -> waiting.Ready:
    reads = waiting.READY_R if found & READABLE else waiting.READY_NONE
    writes = waiting.READY_W if found & NOT_A_WAIT.POLLOUT else waiting.READY_NONE
    return waiting.Ready(reads | writes)


def wait_for_postgres_in_hub() -> None:
    """Have every connection of this process wait so."""
    replaced: Any = waiting
    replaced.wait = wait_in_hub
