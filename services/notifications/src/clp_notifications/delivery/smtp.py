"""Mails over SMTP, on pooled connections that are used again and again.

The commands are written here: an address goes into the envelope as it is, and never
through the lenient reading of `smtplib.sendmail`. Sender, recipient and DATA go out in
one packet where the server offers pipelining (RFC 2920).
"""

import contextlib
import logging
import smtplib
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from clp_notifications.delivery.smtp_line import (
    BoundedEncryptedReplies,
    BoundedReplies,
)
from clp_notifications.delivery.smtp_replies import (
    NO_SMTPUTF8,
    RELAY_AWAY,
    STALE,
    Answer,
    MayLeave,
    answer_of,
)
from clp_notifications.mail.composer import ReadyMail

log = logging.getLogger(__name__)

STALE_AFTER_S: Final = 20.0
GOODBYE_S: Final = 0.5
WELCOME: Final = 220
GO_AHEAD: Final = 354
CLOSING: Final = 421
AWAY: Final = (OSError, smtplib.SMTPException)
DEFAULT_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where mails are handed over."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = None
    timeout_s: float = 30.0
    own_name: str | None = None
    ca: str | None = None

    @classmethod
    def at(cls, url: str, timeout_s: float, own_name: str | None = None) -> "Relay":
        """Read ``smtps://user:password@host:port?ca=/file.pem`` and its kin.

        Certificates are always checked: against the authorities of ``ca``, or the
        system's where none is named.
        """
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError("mail_url names no mail server")
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or DEFAULT_PORTS[parts.scheme],
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            timeout_s=timeout_s,
            own_name=own_name,
            ca=parse_qs(parts.query).get("ca", [None])[0],
        )


class SmtpTransport:
    """Hands mails over to a relay; one connection serves one hand-over at a time."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._idle: list[tuple[float, BoundedReplies]] = []
        self._lock = threading.Lock()
        # Reading the authorities takes longer than a hundred mails.
        self._context = (
            None
            if relay.scheme == "smtp"
            else ssl.create_default_context(cafile=relay.ca)
        )

    def hand_over(self, mail: ReadyMail, may_leave: MayLeave) -> Answer:
        """Give a mail to the relay; every end of it is an answer."""
        try:
            try:
                return self._on(self._idle_connection(), mail, may_leave)
            except _Stale:
                return self._on(None, mail, may_leave)
        except smtplib.SMTPResponseException as error:
            return answer_of(error.smtp_code, _bytes(error.smtp_error))
        except AWAY as error:
            log.warning("the relay is away: %s", type(error).__name__)
            return RELAY_AWAY

    def _on(
        self, idle: BoundedReplies | None, mail: ReadyMail, may_leave: MayLeave
    ) -> Answer:
        connection = idle or self._connect()
        connection.wait_at_most(self._relay.timeout_s)
        try:
            answer = _transaction(connection, mail, may_leave, reused=idle is not None)
        except BaseException:
            # It is not known what the server waits for: never used again.
            connection.close()
            raise
        if connection.sock is not None:
            with self._lock:
                self._idle.append((time.monotonic(), connection))
        return answer

    def _idle_connection(self) -> BoundedReplies | None:
        stale: list[BoundedReplies] = []
        found: BoundedReplies | None = None
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

    def _connect(self) -> BoundedReplies:
        relay = self._relay
        connection = (
            BoundedEncryptedReplies(relay.timeout_s, relay.own_name, self._context)
            if relay.scheme == "smtps" and self._context is not None
            else BoundedReplies(relay.timeout_s, relay.own_name)
        )
        try:
            self._introduce(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _introduce(self, connection: BoundedReplies) -> None:
        code, text = connection.speak_with(self._relay.host, self._relay.port)
        if code != WELCOME:
            raise smtplib.SMTPConnectError(code, text)
        connection.ehlo_or_helo_if_needed()
        if self._relay.scheme == "smtp+starttls":
            connection.starttls(context=self._context)
            connection.ehlo_or_helo_if_needed()
        if self._relay.user is not None:
            connection.login(self._relay.user, self._relay.password or "")

    def close(self) -> None:
        """Say goodbye on idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            with contextlib.suppress(*AWAY):
                connection.wait_at_most(GOODBYE_S)
                connection.quit()
            connection.close()


class _Stale(Exception):
    """The server had ended an idle connection: nothing was handed over on it."""


def _transaction(
    connection: BoundedReplies, mail: ReadyMail, may_leave: MayLeave, *, reused: bool
) -> Answer:
    international = mail.recipient.needs_smtputf8
    if international and not connection.has_extn("smtputf8"):
        return NO_SMTPUTF8
    connection.command_encoding = "utf-8" if international else "ascii"
    try:
        refusal = _envelope(connection, _commands(connection, mail))
    except AWAY as error:
        raise _Stale if reused else error from None
    if refusal is None:
        if not may_leave():
            # The relay waits for content; only a cut line takes the mail back.
            connection.close()
            return STALE
        connection.send(_stuffed(mail.data))
        answer = answer_of(*connection.getreply())
        if answer.code == CLOSING:
            connection.close()
        return answer
    if refusal.code == CLOSING and reused:
        raise _Stale
    _leave(connection, refusal)
    return refusal


def _leave(connection: BoundedReplies, refusal: Answer) -> None:
    """End a refused transaction; a connection in doubt is closed."""
    try:
        if connection.sock is not None and refusal.code != CLOSING:
            connection.rset()
            return
    except AWAY:
        log.info("the relay hung up after a refusal")
    connection.close()


def _commands(connection: BoundedReplies, mail: ReadyMail) -> tuple[str, str, str]:
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


def _envelope(connection: BoundedReplies, commands: tuple[str, ...]) -> Answer | None:
    """Send sender, recipient and DATA; a refusal of any of them, or None to go on."""
    if connection.has_extn("pipelining"):
        connection.send("".join(f"{command}\r\n" for command in commands))
        replies = [connection.getreply() for _ in commands]
    else:
        replies = []
        for command in commands:
            replies.append(connection.docmd(command))
            if replies[-1][0] >= 400:  # noqa: PLR2004
                break
    code, text = next((one for one in replies if one[0] >= 400), replies[-1])  # noqa: PLR2004
    if code == GO_AHEAD:
        return None
    if replies[-1][0] == GO_AHEAD:
        # It wants data all the same; only a cut line makes sure that it keeps nothing.
        connection.close()
    return answer_of(code, text)


def _stuffed(data: bytes) -> bytes:
    """The mail with its dots stuffed and its end marked (RFC 5321)."""
    body = data.replace(b"\r\n.", b"\r\n..")
    if body.startswith(b"."):
        body = b"." + body
    return body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _bytes(text: object) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode()
