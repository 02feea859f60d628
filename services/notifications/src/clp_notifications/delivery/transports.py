"""Choose the transport of mails by the URL in the settings."""

from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from clp_notifications.delivery.maildir import Maildir
from clp_notifications.delivery.smtp import SmtpRelay, SmtpTransport
from clp_notifications.delivery.smtp_replies import MaySend, SmtpOutcome
from clp_notifications.mail.composer import OutgoingMail


class Transport(Protocol):
    """Sends one mail and returns the result; a refusal raises nothing."""

    def send(self, mail: OutgoingMail, may_send: MaySend) -> SmtpOutcome:
        """Send a mail, if ``may_send`` is true right before its content is sent."""

    def close(self) -> None:
        """Close connections."""


def transport_at(
    url: str, timeout_s: float, local_hostname: str
) -> Maildir | SmtpTransport:
    """The transport of an ``smtp_url``."""
    if url.startswith("maildir:"):
        return Maildir(Path(unquote(urlsplit(url).path)))
    return SmtpTransport(SmtpRelay.from_url(url, timeout_s, local_hostname))
