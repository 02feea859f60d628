"""The chunked transfer coding, line by line and within limits (RFC 9112, section 7.1).

What proxies may read differently is malformed: where a body ends decides what the next
request is. A line or a trailer section without an end would fill the memory.
"""

import re
from typing import Any, Final

from clp_chassis.http.head import END, HEADER_LINE

# A size in hexadecimal digits, perhaps with extensions, which mean nothing here.
SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
MAX_LINE_BYTES: Final = 4_096
MAX_TRAILERS: Final = 32


class MalformedChunk(ValueError):
    """A part of a body that a proxy may have read in another way."""


def read_size(rfile: Any) -> int:
    """Read the size of the next chunk; after the last one, the trailers as well."""
    size_line = SIZE_LINE.fullmatch(rfile.readline(MAX_LINE_BYTES))
    if size_line is None:
        raise MalformedChunk
    size = int(size_line[1], 16)
    if not size:
        _discard_trailers(rfile)
    return size


def read_end(rfile: Any) -> None:
    """Read what stands after the bytes of a chunk."""
    if rfile.read(len(END)) != END:
        raise MalformedChunk


def _discard_trailers(rfile: Any) -> None:
    for _ in range(MAX_TRAILERS):
        line = rfile.readline(MAX_LINE_BYTES)
        if line == END:
            return
        if not HEADER_LINE.fullmatch(line):
            raise MalformedChunk
    raise MalformedChunk
