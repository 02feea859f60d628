"""Request bodies, read in chunks and within limits."""

import io
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import eventlet
from eventlet.wsgi import Input
from typing_extensions import override
from werkzeug.wrappers import Request

from clp_chassis.http.chunked_coding import read_end, read_size
from clp_contracts.errors import Refused

CHUNK_BYTES: Final = 256 * 1024
# The first chunk is small: it often decides whether the rest is needed.
FIRST_CHUNK_BYTES: Final = 64 * 1024
# A body that takes longer is refused; the timeout of the socket covers one that stops.
MAX_BODY_S: Final = 120.0
# A chunk has so much time, and more the larger it is: the least rate of a client.
CHUNK_TIMEOUT_S: Final = 10.0
MIN_BYTES_PER_S: Final = 16 * 1024
# How much a refused client may still send before its connection is closed: enough that
# a client which sends all before it reads gets its refusal.
MAX_DISCARDED_BYTES: Final = 32 * 1024 * 1024
# A rest of a body up to this size is read, so that the connection can be reused.
MAX_DRAINED_BYTES: Final = 64 * 1024


class Body(Input):  # type: ignore[misc]
    """eventlet's request body, which knows how much of it is left, read strictly."""

    # Of the current chunk: its length, negative before the first one, and how much of
    # it was read. Without chunks, how much of the body was.
    chunk_length: int
    position: int

    def unread(self) -> bool:
        """Whether the client may still be sending the body."""
        if self.chunked_input:
            return bool(self.chunk_length != 0)
        return bool(self.position < (self.content_length or 0))

    def much_unread(self) -> bool:
        """Whether the rest is large or of unknown length."""
        if self.chunked_input:
            return self.unread()
        return bool((self.content_length or 0) - self.position > MAX_DRAINED_BYTES)

    def _chunked_read(self, rfile: Any, length: int | None = None, *_: Any) -> bytes:
        """Read a part of a chunked body; a line of it, which nobody wants, likewise."""
        if self.should_send_hundred_continue:
            self.send_hundred_continue_response()
            self.is_hundred_continue_response_sent = True
        left = sys.maxsize if length is None or length < 0 else length
        pieces: list[bytes] = []
        while left and self._is_in_chunk(rfile):
            piece = rfile.read(min(left, self.chunk_length - self.position))
            if not piece:
                raise OSError("the body ended within a chunk")
            pieces.append(piece)
            left -= len(piece)
            self.position += len(piece)
            if self.position == self.chunk_length:
                read_end(rfile)
        return b"".join(pieces)

    def _is_in_chunk(self, rfile: Any) -> bool:
        """Go to the next chunk where one has ended; return false after the last."""
        if self.chunk_length and self.position >= self.chunk_length:
            self.chunk_length, self.position = read_size(rfile), 0
        return bool(self.chunk_length)


def body_from(original: Any) -> Body:
    """Return the same request body as a `Body`."""
    return Body(
        original.rfile,
        original.content_length,
        original.get_socket(),
        wfile=original.wfile,
        wfile_line=original.wfile_line,
        chunked_input=original.chunked_input,
    )


class BodyFile(io.RawIOBase):
    """A body as a file, for parsers that read one, with the limits of `iter_chunks`."""

    def __init__(self, request: Request) -> None:
        self._chunks = iter_chunks(request)
        self._rest = memoryview(b"")

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def declared_length(request: Request) -> int | None:
    """Return the declared length of the body; None for chunked encoding.

    The server has checked that it is a number.
    """
    if request.environ.get("HTTP_TRANSFER_ENCODING"):
        return None
    return int(request.environ.get("CONTENT_LENGTH") or 0)


def iter_chunks(request: Request, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the body in chunks, read on demand.

    Raises:
        Refused: ``body.broken`` when it ends early or is malformed, ``body.too_slow``
            when it takes too long.
    """
    stream = request.environ["eventlet.input"]
    expected = declared_length(request)
    deadline = time.monotonic() + MAX_BODY_S
    got = 0
    while True:
        wanted = size if got else min(size, FIRST_CHUNK_BYTES)
        left = deadline - time.monotonic()
        timeout_s = min(left, CHUNK_TIMEOUT_S + wanted / MIN_BYTES_PER_S)
        chunk = _read_chunk(stream, wanted, timeout_s)
        if not chunk:
            break
        got += len(chunk)
        yield chunk
    if expected is not None and got < expected:
        raise Refused("body.broken")


def _read_chunk(stream: Any, size: int, timeout_s: float) -> bytes:
    if timeout_s <= 0:
        raise Refused("body.too_slow")
    try:
        with eventlet.Timeout(timeout_s, TimeoutError()):
            chunk: bytes = stream.read(size)
    except TimeoutError:
        raise Refused("body.too_slow") from None
    except (OSError, ValueError):
        # The connection broke, or the chunked encoding is malformed.
        raise Refused("body.broken") from None
    return chunk
