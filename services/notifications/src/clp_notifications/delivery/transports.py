"""Which transport carries the mails: chosen by an address in the settings."""

from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from clp_notifications.delivery.maildir import Maildir
from clp_notifications.delivery.smtp import Relay, SmtpTransport
from clp_notifications.delivery.smtp_replies import Answer, MayLeave
from clp_notifications.mail.composer import ReadyMail


class Transport(Protocol):
    """Hands one mail over and gives the final answer; never raises for a refusal."""

    def hand_over(self, mail: ReadyMail, may_leave: MayLeave) -> Answer:
        """Hand a mail over, if it still may leave right before its content does."""

    def close(self) -> None:
        """Give connections back."""


def transport_at(url: str, timeout_s: float, own_name: str) -> Transport:
    """The transport of a ``mail_url``."""
    if url.startswith("maildir:"):
        return Maildir(Path(unquote(urlsplit(url).path)))
    return SmtpTransport(Relay.at(url, timeout_s, own_name))
