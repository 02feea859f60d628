"""Bodies of requests, read in pieces and within bounds."""

import time
from collections.abc import Iterator
from typing import Any, Final

from eventlet.wsgi import Input
from werkzeug.wrappers import Request

from clp_contracts.errors import Refused

PIECE: Final = 256 * 1024
# The first piece is small: it often decides whether the rest is wanted.
FIRST_PIECE: Final = 64 * 1024
# A body that trickles in longer than this is given up; the socket's own timeout takes
# care of one that stops.
MOST_SECONDS: Final = 120.0
# What an answered client may still send before the connection is closed on it: enough
# that a client which sends first and listens afterwards gets to hear its refusal.
MOST_LEFT_OVER: Final = 32 * 1024 * 1024
# Up to here, what is left of a body is read so that the connection can be used again.
LITTLE: Final = 64 * 1024


class Body(Input):  # type: ignore[misc]
    """The request body of eventlet, which knows how much of it is left."""

    def unread(self) -> bool:
        """Whether the client may still be sending the body."""
        if self.chunked_input:
            return bool(self.chunk_length != 0)
        return bool(self.position < (self.content_length or 0))

    def much_unread(self) -> bool:
        """Whether reading on would take a while, or nobody knows how long."""
        if self.chunked_input:
            return self.unread()
        return bool((self.content_length or 0) - self.position > LITTLE)


def body_like(given: Any) -> Body:
    """The same request body, able to say what is left of it."""
    return Body(
        given.rfile,
        given.content_length,
        given.get_socket(),
        wfile=given.wfile,
        wfile_line=given.wfile_line,
        chunked_input=given.chunked_input,
    )


def declared_length(request: Request) -> int | None:
    """The length that the client announces, or None when it sends in chunks.

    The server has seen to it that it is a number, and that nothing follows it.
    """
    if request.environ.get("HTTP_TRANSFER_ENCODING"):
        return None
    return int(request.environ.get("CONTENT_LENGTH") or 0)


def chunks_of(request: Request, size: int = PIECE) -> Iterator[bytes]:
    """The body in pieces, read only as far as they are asked for.

    Raises:
        Refused: ``body.broken`` when it ends early or is not what HTTP says it is,
            ``body.too_slow`` when it takes for ever.
    """
    stream = request.environ["wsgi.input"]
    expected = declared_length(request)
    deadline = time.monotonic() + MOST_SECONDS
    got = 0
    while piece := _piece(stream, size if got else min(size, FIRST_PIECE)):
        got += len(piece)
        yield piece
        if time.monotonic() > deadline:
            raise Refused("body.too_slow")
    if expected is not None and got < expected:
        raise Refused("body.broken")


def _piece(stream: Any, size: int) -> bytes:
    try:
        piece: bytes = stream.read(size)
    except TimeoutError:
        raise Refused("body.too_slow") from None
    except (OSError, ValueError):
        # The connection broke, or the chunks are not chunks.
        raise Refused("body.broken") from None
    return piece
