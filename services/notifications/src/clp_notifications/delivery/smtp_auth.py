"""Log in to a relay with any password (RFC 4954).

The standard library encodes user and password as ASCII, and fails on all others.
"""

import base64
import binascii
import hmac
import smtplib
from collections.abc import Callable, Mapping
from typing import Final

ACCEPTED: Final = 235
CONTINUE: Final = 334


def authenticate(connection: smtplib.SMTP, user: str, password: str) -> None:
    """Log in with the first offered method that the relay accepts.

    Raises:
        SMTPNotSupportedError: the relay offers none of the methods.
        SMTPAuthenticationError: it refuses the login by each of those it offers.
    """
    offered = connection.esmtp_features.get("auth", "").upper().split()
    methods = [method for name, method in METHODS.items() if name in offered]
    if not methods:
        raise smtplib.SMTPNotSupportedError("the relay offers no login")
    refusal: tuple[int, bytes] | None = None
    for method in methods:
        try:
            code, text = method(connection, user, password)
        except smtplib.SMTPServerDisconnected:
            if refusal is None:
                raise
            # Many servers close the connection after a refused login.
            break
        if code == ACCEPTED:
            return
        # The first refusal is about the login; a later one may be about the number.
        refusal = refusal or (code, text)
    if refusal is not None:
        raise smtplib.SMTPAuthenticationError(*refusal)


def _cram_md5(connection: smtplib.SMTP, user: str, password: str) -> tuple[int, bytes]:
    """RFC 2195: the password does not cross the wire."""
    code, challenge = connection.docmd("AUTH", "CRAM-MD5")
    if code != CONTINUE:
        return code, challenge
    try:
        nonce = base64.b64decode(challenge)
    except binascii.Error:
        return code, challenge
    digest = hmac.digest(password.encode(), nonce, "md5")
    return connection.docmd(_encoded(f"{user} {digest.hex()}"))


def _plain(connection: smtplib.SMTP, user: str, password: str) -> tuple[int, bytes]:
    """RFC 4616: user and password in UTF-8."""
    message = f"\x00{user}\x00{password}"
    return connection.docmd("AUTH", f"PLAIN {_encoded(message)}")


def _login(connection: smtplib.SMTP, user: str, password: str) -> tuple[int, bytes]:
    """The older method of which servers of one vendor offer nothing else."""
    reply = connection.docmd("AUTH", "LOGIN")
    for value in (user, password):
        if reply[0] != CONTINUE:
            break
        reply = connection.docmd(_encoded(value))
    return reply


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


METHODS: Final[Mapping[str, Callable[[smtplib.SMTP, str, str], tuple[int, bytes]]]] = {
    "CRAM-MD5": _cram_md5,
    "PLAIN": _plain,
    "LOGIN": _login,
}
