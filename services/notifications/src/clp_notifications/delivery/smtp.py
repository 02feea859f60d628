"""Send mails over SMTP (RFC 5321) on pooled connections.

Commands are written here: an address goes into the envelope unchanged, and never
through the lenient parser of `smtplib.sendmail`. Sender, recipient and DATA go out in
one packet where the relay offers pipelining (RFC 2920).

The standard library limits each read, so a relay that drips one byte at a time could
hold a connection for ever. Here one deadline limits all that a transaction waits for.
"""

import contextlib
import logging
import re
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote

from typing_extensions import override

from clp_notifications.delivery.smtp_auth import authenticate
from clp_notifications.delivery.smtp_replies import (
    NO_SMTPUTF8,
    RELAY_UNAVAILABLE,
    STALE,
    MaySend,
    SmtpOutcome,
    SmtpStage,
    outcome_of_reply,
)
from clp_notifications.mail.composer import OutgoingMail

log = logging.getLogger(__name__)

STALE_AFTER_S: Final = 20.0
QUIT_TIMEOUT_S: Final = 0.5
SERVICE_READY: Final = 220
START_MAIL_INPUT: Final = 354
SERVICE_CLOSING: Final = 421
CONNECTION_ERRORS: Final = (OSError, smtplib.SMTPException)
MAX_LINE: Final = 8192
NO_CODE: Final = -1
MAX_PORT: Final = 65_535
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
# The login ends at the last "@", so it may hold "/", "?", "#" and "@" themselves.
RELAY_URL: Final = re.compile(
    r"(?P<scheme>smtp(?:s|\+starttls)?)://(?:(?P<login>.*)@)?"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>\d{1,5}))?/?"
    r"(?:\?(?P<query>[^@]*))?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
DEFAULT_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpRelay:
    """The relay that mails are sent to."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 30.0
    local_hostname: str | None = None
    ca: str | None = None

    @classmethod
    def from_url(
        cls, url: str, timeout_s: float, local_hostname: str | None = None
    ) -> "SmtpRelay":
        """Parse ``smtps://user:password@host:port?ca=/file.pem`` and the like.

        User and password may hold any character but controls; ``%``, and ``:`` in the
        user, are percent-encoded. Certificates are always checked: against the
        authorities of ``ca``, or the system's where none is named.

        Raises:
            InvalidRelayUrl: with a reason that holds nothing of the URL.
        """
        found = RELAY_URL.fullmatch(url)
        if found is None:
            raise InvalidRelayUrl(
                "smtp_url is none of smtp://, smtp+starttls:// and smtps:// with a host"
            )
        user, has_password, password = (found["login"] or "").partition(":")
        return cls(
            scheme=found["scheme"].lower(),
            host=found["host"].strip("[]"),
            port=_port(found["port"], DEFAULT_PORTS[found["scheme"].lower()]),
            user=_decoded("user", user) or None,
            password=_decoded("password", password) if has_password else None,
            timeout_s=timeout_s,
            local_hostname=local_hostname,
            ca=parse_qs(found["query"] or "").get("ca", [None])[0],
        )


class InvalidRelayUrl(ValueError):
    """A URL of a relay that cannot be used; the text never holds a part of it."""


def _port(given: str | None, default: int) -> int:
    port = int(given or default)
    if not 0 < port <= MAX_PORT:
        raise InvalidRelayUrl("smtp_url has an impossible port")
    return port


def _decoded(name: str, value: str) -> str:
    try:
        decoded = unquote(value, errors="strict")
    except UnicodeDecodeError:
        decoded = "\0"
    if CONTROL.search(decoded):
        raise InvalidRelayUrl(
            f"the {name} in smtp_url has a control character or bytes that are no UTF-8"
        )
    return decoded


class SmtpConnection(smtplib.SMTP):
    """A connection that reads replies until a deadline set by its user."""

    def __init__(self, timeout_s: float, local_hostname: str | None) -> None:
        self._buffer = b""
        self._read_from: object = None
        self.set_deadline(timeout_s)
        super().__init__(local_hostname=local_hostname, timeout=timeout_s)

    def open(self, host: str, port: int) -> tuple[int, bytes]:
        """Connect; return the greeting of the server."""
        # The certificate is compared with it. In the standard library only the
        # constructor sets it, and that would connect at once.
        self._host = host
        return self.connect(host, port)

    def set_deadline(self, seconds: float) -> None:
        """Limit all that is read from now on to so many seconds together."""
        self._deadline = time.monotonic() + seconds

    @override
    def getreply(self) -> tuple[int, bytes]:
        """The next reply; code -1 when the line is none."""
        texts: list[bytes] = []
        while True:
            line = self._read_line()
            texts.append(line[4:].strip(b" \t\r"))
            code = int(line[:3]) if line[:3].isdigit() else NO_CODE
            if code == NO_CODE or line[3:4] != b"-":
                return code, b"\n".join(texts)

    def _read_line(self) -> bytes:
        sock = self.sock
        if sock is None:
            raise smtplib.SMTPServerDisconnected("please run connect() first")
        if sock is not self._read_from:
            # Bytes from before TLS must not be trusted after it (STARTTLS injection).
            self._buffer, self._read_from = b"", sock
        while (end := self._buffer.find(b"\n")) < 0:
            wait = self._deadline - time.monotonic()
            if wait <= 0 or len(self._buffer) > MAX_LINE:
                self.close()
                raise smtplib.SMTPServerDisconnected("no reply in time")
            sock.settimeout(wait)
            received = sock.recv(MAX_LINE)
            if not received:
                self.close()
                raise smtplib.SMTPServerDisconnected("the server closed the connection")
            self._buffer += received
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line


class TlsSmtpConnection(SmtpConnection, smtplib.SMTP_SSL):
    """A connection that is encrypted from its start."""

    def __init__(
        self, timeout_s: float, local_hostname: str | None, context: ssl.SSLContext
    ) -> None:
        super().__init__(timeout_s, local_hostname)
        self.context = context


class SmtpTransport:
    """Sends mails to a relay; a connection carries one transaction at a time."""

    def __init__(self, relay: SmtpRelay) -> None:
        self._relay = relay
        self._idle: list[tuple[float, SmtpConnection]] = []
        self._lock = threading.Lock()
        # Reading the certificate authorities takes longer than a hundred mails.
        self._context = (
            None
            if relay.scheme == "smtp"
            else ssl.create_default_context(cafile=relay.ca)
        )

    def ping(self) -> None:
        """Open a session as for a mail, and end it."""
        try:
            connection = self._connect()
        except _SessionRefused as refusal:
            outcome = refusal.outcome
            raise ConnectionError(
                f"refused at {outcome.stage} with code {outcome.code}"
            ) from None
        connection.quit()

    def send(self, mail: OutgoingMail, may_send: MaySend) -> SmtpOutcome:
        """Send a mail; whatever happens is a result, and raises nothing."""
        try:
            try:
                return self._send_on(self._idle_connection(), mail, may_send)
            except _Stale:
                return self._send_on(None, mail, may_send)
        except _SessionRefused as refusal:
            return refusal.outcome
        except CONNECTION_ERRORS as error:
            log.warning("the relay is unreachable: %s", type(error).__name__)
            return RELAY_UNAVAILABLE

    def _send_on(
        self, idle: SmtpConnection | None, mail: OutgoingMail, may_send: MaySend
    ) -> SmtpOutcome:
        connection = idle or self._connect()
        connection.set_deadline(self._relay.timeout_s)
        try:
            result = _transaction(connection, mail, may_send, reused=idle is not None)
        except BaseException:
            # What the server waits for is unknown: do not reuse it.
            connection.close()
            raise
        if connection.sock is not None:
            with self._lock:
                self._idle.append((time.monotonic(), connection))
        return result

    def _idle_connection(self) -> SmtpConnection | None:
        stale: list[SmtpConnection] = []
        found: SmtpConnection | None = None
        with self._lock:
            while self._idle and found is None:
                used_at, connection = self._idle.pop()
                if time.monotonic() - used_at < STALE_AFTER_S:
                    found = connection
                else:
                    stale.append(connection)
        for connection in stale:
            connection.close()
        return found

    def _connect(self) -> SmtpConnection:
        relay = self._relay
        connection = (
            TlsSmtpConnection(relay.timeout_s, relay.local_hostname, self._context)
            if relay.scheme == "smtps" and self._context is not None
            else SmtpConnection(relay.timeout_s, relay.local_hostname)
        )
        try:
            self._handshake(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _handshake(self, connection: SmtpConnection) -> None:
        relay = self._relay
        with _at(SmtpStage.GREETING):
            code, text = connection.open(relay.host, relay.port)
            if code != SERVICE_READY:
                raise smtplib.SMTPConnectError(code, text)
        with _at(SmtpStage.EHLO):
            connection.ehlo_or_helo_if_needed()
        if relay.scheme == "smtp+starttls":
            with _at(SmtpStage.STARTTLS):
                connection.starttls(context=self._context)
            with _at(SmtpStage.EHLO):
                connection.ehlo_or_helo_if_needed()
        if relay.user is not None:
            with _at(SmtpStage.AUTH):
                authenticate(connection, relay.user, relay.password or "")

    def close(self) -> None:
        """Close idle connections with QUIT."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            with contextlib.suppress(*CONNECTION_ERRORS):
                connection.set_deadline(QUIT_TIMEOUT_S)
                connection.quit()
            connection.close()


class _SessionRefused(Exception):
    """The relay refused the session; the outcome names stage and code."""

    def __init__(self, outcome: SmtpOutcome) -> None:
        super().__init__(outcome.stage)
        self.outcome = outcome


@contextlib.contextmanager
def _at(smtp_stage: SmtpStage) -> Iterator[None]:
    """Make a refusal inside the block one of this stage."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        text = _bytes(error.smtp_error)
        raise _SessionRefused(
            outcome_of_reply(error.smtp_code, text, smtp_stage)
        ) from None
    except smtplib.SMTPNotSupportedError:
        # The relay does not offer what the URL requires: no reply has a code for that.
        raise _SessionRefused(outcome_of_reply(0, b"", smtp_stage)) from None


class _Stale(Exception):
    """The server had closed an idle connection; nothing was sent on it."""


def _transaction(
    connection: SmtpConnection, mail: OutgoingMail, may_send: MaySend, *, reused: bool
) -> SmtpOutcome:
    international = mail.recipient.needs_smtputf8
    if international and not connection.has_extn("smtputf8"):
        return NO_SMTPUTF8
    connection.command_encoding = "utf-8" if international else "ascii"
    try:
        refusal = _envelope(connection, _commands(connection, mail))
    except CONNECTION_ERRORS as error:
        raise _Stale if reused else error from None
    if refusal is None:
        if not may_send():
            # The relay waits for content; only closing takes the mail back.
            connection.close()
            return STALE
        connection.send(_dot_stuffed(mail.data))
        result = outcome_of_reply(*connection.getreply())
        if result.code == SERVICE_CLOSING:
            connection.close()
        return result
    if refusal.code == SERVICE_CLOSING and reused:
        raise _Stale
    _reset(connection, refusal)
    return refusal


def _reset(connection: SmtpConnection, refusal: SmtpOutcome) -> None:
    """Reset after a refusal; close a connection in doubt."""
    try:
        if connection.sock is not None and refusal.code != SERVICE_CLOSING:
            connection.rset()
            return
    except CONNECTION_ERRORS:
        log.info("the relay closed the connection after a refusal")
    connection.close()


def _commands(connection: SmtpConnection, mail: OutgoingMail) -> tuple[str, str, str]:
    options = ""
    if connection.has_extn("size"):
        options += f" SIZE={len(mail.data)}"
    if mail.recipient.needs_smtputf8:
        options += " BODY=8BITMIME SMTPUTF8"
    return (
        f"MAIL FROM:<{mail.sender}>{options}",
        f"RCPT TO:<{mail.recipient}>",
        "DATA",
    )


# The first digit of the reply that each command asks for.
ENVELOPE: Final = ((SmtpStage.MAIL, 2), (SmtpStage.RCPT, 2), (SmtpStage.DATA, 3))


def _envelope(
    connection: SmtpConnection, commands: tuple[str, ...]
) -> SmtpOutcome | None:
    """Send MAIL, RCPT and DATA; return a refusal, or None to send the content."""
    refusal: SmtpOutcome | None = None
    wants_content = False
    for code, text, (stage, digit) in _replies(connection, commands):
        if refusal is None and code // 100 != digit:
            refusal = outcome_of_reply(code, text, stage)
        wants_content = code == START_MAIL_INPUT
    if refusal is not None and wants_content:
        # It wants content all the same; only closing makes sure that it keeps nothing.
        connection.close()
    return refusal


def _replies(
    connection: SmtpConnection, commands: tuple[str, ...]
) -> Iterator[tuple[int, bytes, tuple[SmtpStage, int]]]:
    """Replies to the commands, without pipelining only to the first refusal."""
    if connection.has_extn("pipelining"):
        connection.send("".join(f"{command}\r\n" for command in commands))
        for expected in ENVELOPE:
            yield *connection.getreply(), expected
        return
    for command, expected in zip(commands, ENVELOPE, strict=True):
        code, text = connection.docmd(command)
        yield code, text, expected
        if code // 100 != expected[1]:
            return


def _dot_stuffed(data: bytes) -> bytes:
    """The mail with dots stuffed and its end marked (RFC 5321, section 4.5.2)."""
    body = data.replace(b"\r\n.", b"\r\n..")
    if body.startswith(b"."):
        body = b"." + body
    return body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _bytes(text: object) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode()
