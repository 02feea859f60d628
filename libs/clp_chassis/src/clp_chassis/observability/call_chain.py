"""The chain of calls that led to what is happening now: the correlation id of logs.

Each green thread has its own. A call made from within it carries the chain on, so one
search in the logs of all processes finds everything that a call set in motion.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_CHAIN: Final[ContextVar[tuple[str, ...]]] = ContextVar("clp_chain", default=())


def chain_of_calls() -> tuple[str, ...]:
    """The ids of the calls that led here, the first one first; empty outside a call."""
    return _CHAIN.get()


@contextmanager
def in_chain(calls: Sequence[str]) -> Iterator[None]:
    """Work as part of a chain of calls."""
    before = _CHAIN.set(tuple(calls))
    try:
        yield
    finally:
        _CHAIN.reset(before)
