"""The place of a handle in a text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start` up to, not including, `end`, in code points of the original text.

    >>> "hello @nat"[Span(6, 10).start : Span(6, 10).end]
    '@nat'
    """

    start: int
    end: int
