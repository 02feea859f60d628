"""HTTP on one connection: bounded bodies, and responses that arrive before a close."""

import logging
from contextlib import suppress
from typing import Any, Final

import eventlet
from eventlet.wsgi import HttpProtocol

from clp_chassis.http.request_body import MAX_DISCARDED_BYTES, body_from
from clp_contracts.error_codes import CODES

log = logging.getLogger(__name__)

# The environ key of a function that closes the connection after the response.
CLOSE_CONNECTION: Final = "clp.close_connection"
DRAIN_TIMEOUT_S: Final = 10.0
SHUT_WRITING: Final = 1
_SENTENCE: Final = CODES["request.malformed"]


class Protocol(HttpProtocol):  # type: ignore[misc]
    """eventlet's protocol for one connection."""

    # Malformed HTTP is refused like any other malformed request.
    error_content_type = "application/json"
    error_message_format = f'{{"code": "request.malformed", "sentence": "{_SENTENCE}"}}'

    def get_environ(self) -> dict[str, Any]:
        """Return the request with a body that knows what is left of it."""
        environ: dict[str, Any] = super().get_environ()
        body = body_from(environ["eventlet.input"])
        environ["wsgi.input"] = environ["eventlet.input"] = body
        environ[CLOSE_CONNECTION] = self._close_after_response
        return environ

    def handle_one_response(self) -> None:
        """Respond; then drain for a while, if the connection closes amid a body."""
        super().handle_one_response()
        if self.close_connection and self.environ["eventlet.input"].unread():
            self._drain()

    def finish(self) -> None:
        """Close everything, also when the client left amid a response."""
        try:
            super().finish()
        except OSError as error:
            log.info("client disconnected early: %r", error)
        for part in (self.wfile, self.rfile, self.connection):
            with suppress(OSError):
                part.close()

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
