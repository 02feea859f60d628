"""A message's text in segments: plain, a mention, or a link."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol


class SegmentKind(StrEnum):
    """The form of a piece of a text."""

    PLAIN = "plain"
    MENTION = "mention"
    # A mention of the reader.
    MENTION_OF_ME = "mention_of_me"
    LINK = "link"
    # A word that a search found.
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a text; ``kind`` says how it is drawn."""

    text: str
    kind: SegmentKind = SegmentKind.PLAIN


class Mark(Protocol):
    """A mention in a text, in code points."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def me(self) -> bool: ...


class Highlight(Protocol):
    """A found word in a snippet, in code points."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


# What ends a sentence is no part of an address, and neither is a bracket around it.
_LINK: Final = re.compile(r"https?://[^\s<>\"'`」』】》。、]+", re.IGNORECASE)
_TRAILING: Final = ".,;:!?)]}'\""


def segments_of(text: str, marks: Iterable[Mark] = ()) -> tuple[Segment, ...]:
    """Cut a text at its mentions and links; joined, the pieces are the text."""
    found: list[Segment] = []
    at = 0
    for mark in sorted(marks, key=lambda mark: mark.start):
        if mark.start < at or mark.end > len(text):
            continue
        found.extend(_linked(text[at : mark.start]))
        kind = SegmentKind.MENTION_OF_ME if mark.me else SegmentKind.MENTION
        found.append(Segment(text[mark.start : mark.end], kind))
        at = mark.end
    found.extend(_linked(text[at:]))
    return tuple(found)


def highlighted(text: str, highlights: Iterable[Highlight]) -> tuple[Segment, ...]:
    """Cut a snippet at the words that were found."""
    found: list[Segment] = []
    at = 0
    for span in highlights:
        if at < span.start:
            found.append(Segment(text[at : span.start]))
        found.append(Segment(text[span.start : span.end], SegmentKind.FOUND))
        at = span.end
    if at < len(text):
        found.append(Segment(text[at:]))
    return tuple(found)


def _linked(text: str) -> Iterator[Segment]:
    at = 0
    for match in _LINK.finditer(text):
        address = match[0].rstrip(_TRAILING)
        if at < match.start():
            yield Segment(text[at : match.start()])
        yield Segment(address, SegmentKind.LINK)
        at = match.start() + len(address)
    if at < len(text):
        yield Segment(text[at:])
