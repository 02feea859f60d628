"""Write header lines, because the standard library breaks some of them.

It turns a long link or id into encoded words, loses quotes when it folds a name, and
decodes what a person typed. Here every line is printable ASCII (or UTF-8 inside an
address that needs it), at most 998 bytes (RFC 5322, section 2.1.1), and an encoded word
is at most 75 (RFC 2047, section 2).
"""

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from clp_contracts.mail_addresses import MailAddress
from clp_notifications.mail.display_text import cut, graphemes, one_line

# RFC 2047, section 2: a line with encoded words; RFC 5322 advises 78.
WIDTH: Final = 76
MAX_LINE: Final = 998  # RFC 5322, section 2.1.1
MAX_ENCODED_WORD: Final = 75  # RFC 2047, section 2
OPEN_BASE64, OPEN_QUOTED, CLOSE = "=?utf-8?b?", "=?utf-8?q?", "?="
OVERHEAD: Final = len(OPEN_BASE64) + len(CLOSE)
# What fits into an encoded word right after the longest header name.
MIN_ROOM: Final = WIDTH - len("Subject: ") - OVERHEAD

MAX_NAME: Final = 120
MAX_TITLE: Final = 400

PRINTABLE: Final = re.compile("[ -~]+")
UNSAFE_TO_FOLD: Final = re.compile(r"=\?|  |\S{61}")
UNSAFE_TO_QUOTE: Final = re.compile(r'=\?|  |["\\]')
MAX_QUOTED_PHRASE: Final = 60
# Bytes that need no encoding, even inside a phrase (RFC 2047, section 5).
PLAIN_IN_WORD: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
)


class BadHeader(ValueError):
    """Our own value would break a header line: a fault of the program."""


# The same titles occur in many mails.
@lru_cache(1024)
def text_header(name: str, text: str) -> str:
    """A header of free text, such as a subject."""
    line = cut(one_line(text), MAX_TITLE)
    if PRINTABLE.fullmatch(line) and not UNSAFE_TO_FOLD.search(line):
        return _folded(f"{name}:", line.split(" "))
    return _folded(f"{name}:", list(_encoded_words(line, len(name) + 2)))


def mailbox_header(name: str, name_shown: str, address: MailAddress) -> str:
    """A header with exactly one mailbox; without a name the address stands alone."""
    phrase = _phrase(name_shown, len(name) + 2)
    return _folded(f"{name}:", [*phrase, f"<{address}>"])


@lru_cache(1024)
def list_id_header(title: str, list_id: str) -> str:
    """``List-Id``: only the title may be encoded, never the id in brackets."""
    return _folded("List-Id:", [*_phrase(title, len("List-Id: ")), f"<{list_id}>"])


def plain_header(name: str, value: str) -> str:
    """A header without text from people, on one line whatever its length."""
    line = f"{name}: {value}"
    if not PRINTABLE.fullmatch(line) or len(line) > MAX_LINE:
        raise BadHeader(f"{name} cannot be written")
    return line


def _phrase(name_shown: str, column: int) -> list[str]:
    line = cut(one_line(name_shown), MAX_NAME)
    if not line.strip():
        return []
    if (
        PRINTABLE.fullmatch(line)
        and len(line) <= MAX_QUOTED_PHRASE
        and not UNSAFE_TO_QUOTE.search(line)
    ):
        return [f'"{line}"']
    return list(_encoded_words(line, column))


def _folded(start: str, words: list[str]) -> str:
    lines = [start]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > WIDTH and lines[-1] != start:
            lines.append("")
        lines[-1] += f" {word}"
    if any(len(line.encode()) > MAX_LINE for line in lines):
        raise BadHeader(f"{start} has a line that is too long")
    return "\r\n".join(lines)


def _encoded_words(text: str, column: int) -> Iterator[str]:
    """Encoded words (RFC 2047), each decodable alone; none splits a grapheme."""
    quoted = len(_quoted(text.encode())) < len(text.encode()) * 4 / 3
    room = min(WIDTH - column, MAX_ENCODED_WORD) - OVERHEAD
    pending = b""
    for piece in _pieces(text, quoted=quoted):
        if pending and _length(pending + piece, quoted=quoted) > room:
            yield _word(pending, quoted=quoted)
            pending, room = b"", MAX_ENCODED_WORD - OVERHEAD
        pending += piece
    if pending:
        yield _word(pending, quoted=quoted)


def _pieces(text: str, *, quoted: bool) -> Iterator[bytes]:
    """Graphemes; one too large for any encoded word comes character by character."""
    for grapheme in graphemes(text):
        encoded = grapheme.encode()
        if _length(encoded, quoted=quoted) <= MIN_ROOM:
            yield encoded
        else:
            yield from (character.encode() for character in grapheme)


def _length(piece: bytes, *, quoted: bool) -> int:
    return len(_quoted(piece)) if quoted else (len(piece) + 2) // 3 * 4


def _word(piece: bytes, *, quoted: bool) -> str:
    if quoted:
        return f"{OPEN_QUOTED}{_quoted(piece)}{CLOSE}"
    return f"{OPEN_BASE64}{base64.b64encode(piece).decode()}{CLOSE}"


def _quoted(piece: bytes) -> str:
    return "".join(
        chr(byte)
        if byte in PLAIN_IN_WORD
        else "_"
        if byte == ord(" ")
        else f"={byte:02X}"
        for byte in piece
    )
