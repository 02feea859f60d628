"""HTTP/1.1 on one connection: strict heads, time limits, responses before a close."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.errors import (
    CloseBoundaryNotFoundDefect,
    MultipartInvariantViolationDefect,
    StartBoundaryNotFoundDefect,
)
from typing import Any, Final

import eventlet
from eventlet.wsgi import HttpProtocol

from clp_chassis.http.client_socket import ClientSocket
from clp_chassis.http.head import (
    MalformedHead,
    StrictHead,
    require_clear_recipient,
    require_request_line,
)
from clp_chassis.http.request_body import MAX_DISCARDED_BYTES, body_from
from clp_chassis.http.responses import SAFE_HEADERS
from clp_chassis.http.seats import RELEASES, release_all
from clp_contracts.error_codes import CODES

log = logging.getLogger(__name__)

# The environ key of a function that closes the connection after the response.
CLOSE_CONNECTION: Final = "clp.close_connection"
# The environ key of the `ClientSocket`.
CLIENT_SOCKET: Final = "clp.client_socket"
# The parser of heads misses the body of a multipart form, which comes after the head.
BODY: Final = (
    CloseBoundaryNotFoundDefect,
    MultipartInvariantViolationDefect,
    StartBoundaryNotFoundDefect,
)
DRAIN_TIMEOUT_S: Final = 10.0
SHUT_WRITING: Final = 1
_SENTENCE: Final = CODES["request.malformed"]


class _HeadTimeout(Exception):
    """The head of a request did not arrive in time."""


class Protocol(HttpProtocol):  # type: ignore[misc]
    """eventlet's protocol for one connection."""

    rfile: Any

    # Malformed HTTP is refused like any other malformed request.
    error_content_type = "application/json"
    error_message_format = f'{{"code": "request.malformed", "sentence": "{_SENTENCE}"}}'

    def handle_one_request(self) -> None:
        """Read a head within its time, and respond; refuse a malformed head."""
        try:
            with self._time_limit_of_head():
                super().handle_one_request()
        except MalformedHead:
            self._refuse(400)
        except _HeadTimeout:
            self._refuse(408)

    def parse_request(self) -> bool:
        """Parse the head; accept only lines that every proxy reads alike."""
        require_request_line(self.raw_requestline)
        self.rfile = StrictHead(self.rfile)
        is_parsed: bool = super().parse_request()
        if not is_parsed:
            return False
        if not all(isinstance(d, BODY) for d in self.headers.defects):
            raise MalformedHead
        require_clear_recipient(self.headers, self.request_version)
        return True

    def get_environ(self) -> dict[str, Any]:
        """Return the request with a body that knows what is left of it."""
        self._head_timer.cancel()
        environ: dict[str, Any] = super().get_environ()
        body = body_from(environ["eventlet.input"])
        environ["wsgi.input"] = environ["eventlet.input"] = body
        environ[CLOSE_CONNECTION] = self._close_after_response
        environ[CLIENT_SOCKET] = ClientSocket(self.connection)
        environ[RELEASES] = []
        return environ

    def handle_one_response(self) -> None:
        """Respond; then drain for a while, if the connection closes amid a body."""
        try:
            super().handle_one_response()
        finally:
            release_all(self.environ)
        if self.close_connection and self.environ["eventlet.input"].unread():
            self._drain()

    def end_headers(self) -> None:
        """End the headers of a refused head with the defaults of every response."""
        for name, value in SAFE_HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing of a head that is refused: its query may hold a person's text."""

    def finish(self) -> None:
        """Close everything, also when the client left amid a response."""
        try:
            super().finish()
        except OSError as error:
            log.info("client disconnected early: %r", error)
        for part in (self.wfile, self.rfile, self.connection):
            with suppress(OSError):
                part.close()

    @contextmanager
    def _time_limit_of_head(self) -> Iterator[None]:
        """Raise `_HeadTimeout` unless the head arrives in time.

        A connection may be idle between two requests; the time runs from the first
        byte of the next one. The first request has to come at once.
        """
        if hasattr(self, "_head_timer"):
            self._wait_for_first_byte()
        self._head_timer = eventlet.Timeout(self.server.head_timeout_s, _HeadTimeout())
        try:
            yield
        finally:
            self._head_timer.cancel()

    def _wait_for_first_byte(self) -> None:
        self.connection.settimeout(self.server.keepalive)
        with suppress(OSError, ValueError):
            self.rfile.peek(1)

    def _refuse(self, status: int) -> None:
        self.close_connection = 1
        self.request_version = self.protocol_version
        self.command, self.requestline = "", ""
        with suppress(OSError):
            self.send_error(status)
            self.wfile.flush()

    def _close_after_response(self) -> None:
        self.close_connection = 1

    def _drain(self) -> None:
        """Read and discard for a while.

        A connection closed with unread bytes is reset, and the reset overtakes the
        response: the client would see a reset instead of its refusal.
        """
        left = MAX_DISCARDED_BYTES
        try:
            with eventlet.Timeout(DRAIN_TIMEOUT_S, False):  # noqa: FBT003
                self.connection.shutdown(SHUT_WRITING)
                while left > 0 and (data := self.connection.recv(65536)):
                    left -= len(data)
        except OSError:
            return
