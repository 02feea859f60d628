"""A line to a mail server on which nothing waits longer than it may.

The standard library bounds each read, so a server that drips one byte at a time could
hold a line for ever. Here all that a hand-over waits for is bounded together.
"""

import smtplib
import ssl
import time
from typing import Final

from typing_extensions import override

LONGEST_LINE: Final = 8192
NO_CODE: Final = -1


class BoundedReplies(smtplib.SMTP):
    """Reads replies itself, until a moment that the user of the line sets."""

    def __init__(self, patience_s: float, own_name: str | None) -> None:
        self._held = b""
        self._read_from: object = None
        self.wait_at_most(patience_s)
        super().__init__(local_hostname=own_name, timeout=patience_s)

    def speak_with(self, host: str, port: int) -> tuple[int, bytes]:
        """Connect; the server's greeting."""
        # Remembered for comparing the certificate with it; only the constructor of
        # the standard library does so, and it would connect at once.
        self._host = host
        return self.connect(host, port)

    def wait_at_most(self, seconds: float) -> None:
        """All that comes from now on may take so long, together."""
        self._until = time.monotonic() + seconds

    @override
    def getreply(self) -> tuple[int, bytes]:
        """The next reply; -1 when what came is none."""
        texts: list[bytes] = []
        while True:
            line = self._line()
            texts.append(line[4:].strip(b" \t\r"))
            code = int(line[:3]) if line[:3].isdigit() else NO_CODE
            if code == NO_CODE or line[3:4] != b"-":
                return code, b"\n".join(texts)

    def _line(self) -> bytes:
        sock = self.sock
        if sock is None:
            raise smtplib.SMTPServerDisconnected("please run connect() first")
        if sock is not self._read_from:
            # What came before the line was encrypted must not be believed after.
            self._held, self._read_from = b"", sock
        while (end := self._held.find(b"\n")) < 0:
            wait = self._until - time.monotonic()
            if wait <= 0 or len(self._held) > LONGEST_LINE:
                self.close()
                raise smtplib.SMTPServerDisconnected("no reply in time")
            sock.settimeout(wait)
            got = sock.recv(LONGEST_LINE)
            if not got:
                self.close()
                raise smtplib.SMTPServerDisconnected("the server hung up")
            self._held += got
        line, self._held = self._held[:end], self._held[end + 1 :]
        return line


class BoundedEncryptedReplies(BoundedReplies, smtplib.SMTP_SSL):
    """The same on a line that is encrypted from its start."""

    def __init__(
        self, patience_s: float, own_name: str | None, context: ssl.SSLContext
    ) -> None:
        super().__init__(patience_s, own_name)
        self.context = context
