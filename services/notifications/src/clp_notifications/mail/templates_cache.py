"""Render the shared parts of one message's mails once for all of its readers.

A prerendered template is made from content without a reader, so it can hold nothing of
one. Where a reader's unsubscribe link belongs it holds a random mark. Quoted-printable
works line by line: lines without the mark are encoded once, a line with it for each
mail, after the link was put in. This saves a quarter of the time to compose a mail.
"""

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from clp_notifications.mail.content import MailContent
from clp_notifications.mail.mime_parts import CRLF, encoded_part, quoted

# Characters without a meaning in text, HTML, links and every encoding.
TOKEN: Final = re.compile("[A-Za-z0-9_-]+")
MAX_TEMPLATES: Final = 64


class BadToken(ValueError):
    """Our own token has a meaning in a mail: a fault of the program."""


def new_mark() -> str:
    """A random mark that occurs in no text but where we put it."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole lines, raw and, unless they hold the mark, encoded."""

    raw: bytes
    encoded: bytes | None

    def filled(self, mark: bytes, token: bytes) -> bytes:
        if self.encoded is not None:
            return self.encoded
        return quoted(self.raw.replace(mark, token))


class PrerenderedPart:
    """One body part of a prerendered template."""

    def __init__(self, kind: str, text: str, mark: str) -> None:
        self._kind = kind
        self._mark = mark.encode()
        self._raw = text.replace("\n", CRLF).encode()
        self._blocks = tuple(_blocks(self._raw, self._mark))

    def filled(self, token: str) -> bytes:
        """The part with a reader's unsubscribe token."""
        own = token.encode()
        lines = b"".join(block.filled(self._mark, own) for block in self._blocks)
        return encoded_part(self._kind, self._raw.replace(self._mark, own), lines)


@dataclass(frozen=True, slots=True)
class PrerenderedTemplate:
    """Shared header lines and body parts of mails with the same content."""

    headers: str
    parts: tuple[PrerenderedPart, ...]

    def filled(self, token: str) -> tuple[bytes, ...]:
        """The parts with a reader's unsubscribe token.

        Raises:
            BadToken: the token has a meaning where it is put in.
        """
        if not TOKEN.fullmatch(token):
            raise BadToken("a token cannot stand in a mail")
        return tuple(part.filled(token) for part in self.parts)


class TemplateCache:
    """Prerendered templates of the latest messages.

    The first mail of a message makes none: most messages with mentions have one mail.
    """

    def __init__(self, make: Callable[[MailContent], PrerenderedTemplate]) -> None:
        self._make = make
        self._entries: OrderedDict[MailContent, PrerenderedTemplate | None] = (
            OrderedDict()
        )

    def of(self, content: MailContent) -> PrerenderedTemplate | None:
        """The template for this content; None at the first request for it."""
        anonymous = content.without_reader()
        if anonymous not in self._entries:
            self._store(anonymous, None)
            return None
        if (entry := self._entries[anonymous]) is None:
            entry = self._make(anonymous)
        self._store(anonymous, entry)
        return entry

    def _store(
        self, anonymous: MailContent, template: PrerenderedTemplate | None
    ) -> None:
        self._entries[anonymous] = template
        self._entries.move_to_end(anonymous)
        while len(self._entries) > MAX_TEMPLATES:
            _ = self._entries.popitem(last=False)


def _blocks(raw: bytes, mark: bytes) -> Iterator[_Block]:
    ends = raw.splitlines(keepends=True)
    for is_own, lines in groupby(ends, key=lambda line: mark in line):
        block = b"".join(lines)
        yield _Block(block, None if is_own else quoted(block))
