"""Header lines, written here because the standard library breaks some of them.

It turns a long link or id into encoded words, loses quotes when it folds a name, and
decodes what a person typed. Here every line is printable ASCII (or UTF-8 inside an
address that needs it), at most 998 bytes, and an encoded word is at most 75.
"""

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from clp_notifications.mail.addresses import Address
from clp_notifications.mail.display_text import clusters, cut, one_line

WIDTH: Final = 76
LONGEST_LINE: Final = 998
LONGEST_WORD: Final = 75
OPEN_BASE64, OPEN_QUOTED, CLOSE = "=?utf-8?b?", "=?utf-8?q?", "?="
OVERHEAD: Final = len(OPEN_BASE64) + len(CLOSE)
# What fits into an encoded word right after the longest name of such a header.
SMALLEST_ROOM: Final = WIDTH - len("Subject: ") - OVERHEAD

LONGEST_NAME: Final = 120
LONGEST_TITLE: Final = 400

PRINTABLE: Final = re.compile("[ -~]+")
UNSAFE_TO_FOLD: Final = re.compile(r"=\?|  |\S{61}")
UNSAFE_TO_QUOTE: Final = re.compile(r'=\?|  |["\\]')
LONGEST_QUOTED: Final = 60
# What an encoded word may show as it is, even inside a phrase.
PLAIN_IN_WORD: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
)


class BadHeader(ValueError):
    """Our own value would break a header line: a fault of the program."""


# The same titles stand in many mails.
@lru_cache(1024)
def text_header(name: str, text: str) -> str:
    """A header of free text, such as a subject."""
    line = cut(one_line(text), LONGEST_TITLE)
    if PRINTABLE.fullmatch(line) and not UNSAFE_TO_FOLD.search(line):
        return _folded(f"{name}:", line.split(" "))
    return _folded(f"{name}:", list(_encoded_words(line, len(name) + 2)))


def mailbox_header(name: str, shown: str, address: Address) -> str:
    """A header with exactly one mailbox; without a name the address stands alone."""
    phrase = _phrase(shown, len(name) + 2)
    return _folded(f"{name}:", [*phrase, f"<{address}>"])


@lru_cache(1024)
def list_id_header(title: str, list_id: str) -> str:
    """``List-Id``: only the title may be encoded, never the id in brackets."""
    return _folded("List-Id:", [*_phrase(title, len("List-Id: ")), f"<{list_id}>"])


def plain_header(name: str, value: str) -> str:
    """A header of our own making, on one line whatever its length."""
    line = f"{name}: {value}"
    if not PRINTABLE.fullmatch(line) or len(line) > LONGEST_LINE:
        raise BadHeader(f"{name} cannot be written")
    return line


def _phrase(shown: str, column: int) -> list[str]:
    line = cut(one_line(shown), LONGEST_NAME)
    if not line.strip():
        return []
    if (
        PRINTABLE.fullmatch(line)
        and len(line) <= LONGEST_QUOTED
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
    if any(len(line.encode()) > LONGEST_LINE for line in lines):
        raise BadHeader(f"{start} has a line that is too long")
    return "\r\n".join(lines)


def _encoded_words(text: str, column: int) -> Iterator[str]:
    """Encoded words (RFC 2047), each readable alone, none cutting a letter in two."""
    quoted = len(_quoted(text.encode())) < len(text.encode()) * 4 / 3
    room = min(WIDTH - column, LONGEST_WORD) - OVERHEAD
    held = b""
    for piece in _pieces(text, quoted=quoted):
        if held and _length(held + piece, quoted=quoted) > room:
            yield _word(held, quoted=quoted)
            held, room = b"", LONGEST_WORD - OVERHEAD
        held += piece
    if held:
        yield _word(held, quoted=quoted)


def _pieces(text: str, *, quoted: bool) -> Iterator[bytes]:
    """Letters with their accents; what is too big for any word, letter by letter."""
    for cluster in clusters(text):
        encoded = cluster.encode()
        if _length(encoded, quoted=quoted) <= SMALLEST_ROOM:
            yield encoded
        else:
            yield from (letter.encode() for letter in cluster)


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
