"""The chain of calls behind the current work: the correlation id of logs.

Each green thread has its own. A call made from within it passes the chain on, so one
search in the logs of all processes finds everything that a call caused.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_CHAIN: Final[ContextVar[tuple[str, ...]]] = ContextVar("clp_chain", default=())


def current_chain() -> tuple[str, ...]:
    """Return the ids of the calls that led here, oldest first; empty outside a call."""
    return _CHAIN.get()


@contextmanager
def in_chain(calls: Sequence[str]) -> Iterator[None]:
    """Work as part of a chain of calls."""
    before = _CHAIN.set(tuple(calls))
    try:
        yield
    finally:
        _CHAIN.reset(before)
