"""Encode the body parts of a mail: seven bits, short lines, a unique boundary."""

import base64
import binascii
import re
from functools import lru_cache
from typing import Final

CRLF: Final = "\r\n"
MAX_LINE: Final = 76
TEXT, HTML = "text/plain", "text/html"
END_OF_HEAD: Final = b"</head>\r\n"
# A dot that ends the mail, or a line that begins the next one in an mbox. A pattern
# that begins with a literal is searched many times faster.
SHIELDED: Final = re.compile(rb"\n(?:\.+|From(?= ))")
SOFT_BREAK: Final = b"=\n"
# A trailing blank is encoded even where the line has no room left for it.
OVERLONG: Final = re.compile(rb"^([^\n]{74,})(=(?:09|20))(?=\r?$)", re.MULTILINE)


def part(kind: str, text: str) -> bytes:
    """One part with its headers; ``text`` has LF line ends."""
    raw = text.replace("\n", CRLF).encode()
    if kind != HTML:
        return encoded_part(kind, raw, quoted(raw))
    # The styles are most of a short mail and the same in every one.
    head, end, rest = raw.partition(END_OF_HEAD)
    return encoded_part(kind, raw, _cached_quoted(head + end) + quoted(rest))


def encoded_part(kind: str, raw: bytes, in_quotes: bytes) -> bytes:
    """A part in the shorter encoding, from its raw and quoted-printable form."""
    # Quoted-printable triples every byte that is not ASCII; base64 adds a third.
    if len(in_quotes) > len(raw) * 4 // 3 + MAX_LINE:
        return _headed(kind, "base64", base64.encodebytes(raw).replace(b"\n", b"\r\n"))
    return _headed(kind, "quoted-printable", in_quotes)


def quoted(raw: bytes) -> bytes:
    """Whole lines as quoted-printable.

    Each line becomes what it would become alone, so lines may be quoted apart.
    """
    lines = binascii.b2a_qp(raw, istext=True)
    # It ends soft breaks as the first line of its input ends; a single line has no end.
    if b"\r\n" not in raw:
        lines = lines.replace(SOFT_BREAK, b"=\r\n")
    if b"=09" in lines or b"=20" in lines:
        lines = OVERLONG.sub(rb"\1=\r\n\2", lines)
    if b"\n." in lines or b"\nFrom " in lines or lines.startswith((b".", b"From ")):
        return SHIELDED.sub(_shielded, b"\n" + lines)[1:]
    return lines


_cached_quoted = lru_cache(256)(quoted)


def _shielded(start: re.Match[bytes]) -> bytes:
    """A line start that a careless server would misread, encoded."""
    return b"\n" + b"".join(b"=%02X=\r\n" % byte for byte in start[0][1:])


def _headed(kind: str, encoding: str, body: bytes) -> bytes:
    head = (
        f"Content-Type: {kind}; charset=utf-8{CRLF}"
        f"Content-Transfer-Encoding: {encoding}{CRLF}{CRLF}"
    )
    return head.encode() + body


def alternatives(boundary: str, parts: tuple[bytes, ...]) -> bytes:
    """The body of a ``multipart/alternative``, plainest part first."""
    start = f"{CRLF}--{boundary}{CRLF}".encode()
    end = f"{CRLF}--{boundary}--{CRLF}".encode()
    return start.removeprefix(b"\r\n") + start.join(parts) + end


def boundary_of(key: str) -> str:
    """A boundary that no part can hold: neither encoding ever writes ``=_``."""
    return f"=_{key}"
