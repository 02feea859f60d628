"""HTTP on one connection: bounded bodies, and answers that arrive before it closes."""

import logging
from contextlib import suppress
from typing import Any, Final

import eventlet
from eventlet.wsgi import HttpProtocol

from clp_chassis.http.request_body import MOST_LEFT_OVER, body_like
from clp_contracts.error_codes import CODES

log = logging.getLogger(__name__)

# The environ's key of a function that ends the connection after the answer.
HANG_UP: Final = "clp.hang_up"
LINGER_SECONDS: Final = 10.0
SHUT_WRITING: Final = 1
_SENTENCE: Final = CODES["ask.malformed"]


class Protocol(HttpProtocol):  # type: ignore[misc]
    """eventlet's protocol for one connection."""

    # What cannot be parsed as HTTP is answered like any other refusal.
    error_content_type = "application/json"
    error_message_format = f'{{"code": "ask.malformed", "sentence": "{_SENTENCE}"}}'

    def get_environ(self) -> dict[str, Any]:
        """The request, with a body that knows what is left of it."""
        environ: dict[str, Any] = super().get_environ()
        body = body_like(environ["eventlet.input"])
        environ["wsgi.input"] = environ["eventlet.input"] = body
        environ[HANG_UP] = self._hang_up
        return environ

    def handle_one_response(self) -> None:
        """Answer; then listen a while, if the connection ends amid a body."""
        super().handle_one_response()
        if self.close_connection and self.environ["eventlet.input"].unread():
            self._linger()

    def finish(self) -> None:
        """Close all of it, also when the client is gone amid an answer."""
        try:
            super().finish()
        except OSError as error:
            log.info("a client left early: %r", error)
        for part in (self.wfile, self.rfile, self.connection):
            with suppress(OSError):
                part.close()

    def _hang_up(self) -> None:
        self.close_connection = 1

    def _linger(self) -> None:
        """Read on in vain, for a while.

        A connection closed on unread bytes is reset, and the reset overtakes the
        answer: the client would see a broken line instead of its refusal.
        """
        left = MOST_LEFT_OVER
        try:
            with eventlet.Timeout(LINGER_SECONDS, False):  # noqa: FBT003
                self.connection.shutdown(SHUT_WRITING)
                while left > 0 and (data := self.connection.recv(65536)):
                    left -= len(data)
        except OSError:
            return
