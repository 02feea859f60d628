"""What the mails of one message share, made once for all of its readers.

A skeleton is written from a letter for nobody, so nothing of a reader can be in it.
Where a reader's own link belongs it holds a mark that nobody can know and type.
Quoted-printable goes line by line: lines without the mark are encoded once, a line with
it again for each mail, after the link was put in.
"""

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from clp_notifications.mail.content import Letter
from clp_notifications.mail.mime_parts import CRLF, encoded_part, quoted

# Letters that mean themselves in text, in markup, in a link and in every encoding.
TOKEN: Final = re.compile("[A-Za-z0-9_-]+")
MOST_KEPT: Final = 64


class BadToken(ValueError):
    """Our own token could mean something in a mail: a fault of the program."""


def new_mark() -> str:
    """A mark that stands in no text but where we put it."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole lines: as they are, and encoded unless they hold the mark."""

    raw: bytes
    encoded: bytes | None

    def filled(self, mark: bytes, token: bytes) -> bytes:
        if self.encoded is not None:
            return self.encoded
        return quoted(self.raw.replace(mark, token))


class PartSkeleton:
    """One part of such mails."""

    def __init__(self, kind: str, text: str, mark: str) -> None:
        self._kind = kind
        self._mark = mark.encode()
        self._raw = text.replace("\n", CRLF).encode()
        self._blocks = tuple(_blocks(self._raw, self._mark))

    def filled(self, token: str) -> bytes:
        """The part for the reader whose token this is."""
        own = token.encode()
        lines = b"".join(block.filled(self._mark, own) for block in self._blocks)
        return encoded_part(self._kind, self._raw.replace(self._mark, own), lines)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Mails without their readers: the header lines and the parts that they share."""

    headers: str
    parts: tuple[PartSkeleton, ...]

    def filled(self, token: str) -> tuple[bytes, ...]:
        """The parts for the reader whose token this is.

        Raises:
            BadToken: when the token could mean something where it is put in.
        """
        if not TOKEN.fullmatch(token):
            raise BadToken("a token cannot stand in a mail")
        return tuple(part.filled(token) for part in self.parts)


class Skeletons:
    """The skeletons of the last messages.

    The first mail of a message makes none: most messages that mention people have one.
    """

    def __init__(self, make: Callable[[Letter], Skeleton]) -> None:
        self._make = make
        self._kept: OrderedDict[Letter, Skeleton | None] = OrderedDict()

    def of(self, letter: Letter) -> Skeleton | None:
        """The skeleton of a letter like one that was asked for before."""
        bare = letter.for_nobody()
        if bare not in self._kept:
            self._keep(bare, None)
            return None
        if (kept := self._kept[bare]) is None:
            kept = self._make(bare)
        self._keep(bare, kept)
        return kept

    def _keep(self, bare: Letter, skeleton: Skeleton | None) -> None:
        self._kept[bare] = skeleton
        self._kept.move_to_end(bare)
        while len(self._kept) > MOST_KEPT:
            _ = self._kept.popitem(last=False)


def _blocks(raw: bytes, mark: bytes) -> Iterator[_Block]:
    ends = raw.splitlines(keepends=True)
    for is_own, lines in groupby(ends, key=lambda line: mark in line):
        block = b"".join(lines)
        yield _Block(block, None if is_own else quoted(block))
