"""The bytes of a mail, by the header standard H1 to H17.

One reader, one mail, and the same Message-ID on every try. Nothing a person typed
stands in a header but the project's title and the reader's own name, both encoded.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from clp_notifications.mail.addresses import Address
from clp_notifications.mail.content import Letter
from clp_notifications.mail.headers import (
    list_id_header,
    mailbox_header,
    plain_header,
    text_header,
)
from clp_notifications.mail.house import House
from clp_notifications.mail.mime_parts import alternatives, boundary_of, part
from clp_notifications.mail.rendering import Renderer
from clp_notifications.mail.templates_cache import (
    PartSkeleton,
    Skeleton,
    Skeletons,
    new_mark,
)
from clp_notifications.mail.tokens import Seals

# What groups complaints at a mail provider: 5 to 15 characters, never a person (H9).
FEEDBACK_SENDER: Final = "clpmails"
LONGEST_LIST_ID: Final = 255
# The lines that are the same in every mail.
OF_EVERY_MAIL: Final = (
    plain_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    plain_header("Auto-Submitted", "auto-generated"),
    plain_header("X-Auto-Response-Suppress", "All"),
    plain_header("Precedence", "list"),
    plain_header("MIME-Version", "1.0"),
)


@dataclass(frozen=True, slots=True)
class ReadyMail:
    """A mail ready to be handed over: envelope and bytes."""

    id: str
    sender: str
    recipient: Address
    data: bytes


class Mailer:
    """Makes mails."""

    def __init__(self, house: House, seals: Seals, renderer: Renderer) -> None:
        self._house = house
        self._seals = seals
        self._renderer = renderer
        self._skeletons = Skeletons(self._skeleton)
        sender = Address("notifications", house.mail_domain)
        self._from = mailbox_header("From", house.sender_name, sender)

    def compose(self, letter: Letter, address: Address) -> ReadyMail:
        """The mail of a letter to the reader's address.

        From the second reader of the same words on, what they share is not made again;
        the bytes are those of a mail made whole.
        """
        token = self._seals.stop_token(letter.reader.id, letter.channel.project)
        skeleton = self._skeletons.of(letter)
        if skeleton is None:
            words = self._renderer.render(letter, token)
            shared = self._shared_headers(letter, words.subject)
            parts = tuple(part(kind, text) for kind, text in words.parts)
        else:
            shared, parts = skeleton.headers, skeleton.filled(token)
        boundary = boundary_of(letter.mail)
        head = [
            shared,
            *self._own_headers(letter, address, token),
            plain_header(
                "Content-Type", f'multipart/alternative; boundary="{boundary}"'
            ),
        ]
        return ReadyMail(
            id=letter.mail,
            sender=self._bounce_address(letter.mail, address),
            recipient=address,
            data="\r\n".join([*head, "", ""]).encode() + alternatives(boundary, parts),
        )

    def _skeleton(self, letter: Letter) -> Skeleton:
        """What mails of such letters share; the letter has no reader."""
        mark = new_mark()
        words = self._renderer.render(letter, mark)
        return Skeleton(
            headers=self._shared_headers(letter, words.subject),
            parts=tuple(PartSkeleton(kind, text, mark) for kind, text in words.parts),
        )

    def _shared_headers(self, letter: Letter, subject: str) -> str:
        """The lines that are the same whoever reads the mail."""
        house = self._house
        thread = f"<{thread_of(letter)}@{house.mail_domain}>"
        lines = [
            self._from,
            text_header("Subject", subject),
            plain_header("Date", _utc(letter.at.replace(microsecond=0))),
            plain_header("In-Reply-To", thread),
            plain_header("References", thread),
            list_id_header(letter.project_title, list_of(letter, house.mail_domain)),
            plain_header("X-Notification-Reason", letter.kind),
        ]
        return "\r\n".join([*lines, *OF_EVERY_MAIL])

    def _own_headers(
        self, letter: Letter, address: Address, stop_token: str
    ) -> list[str]:
        """The lines that name this reader, this mail or the reader's partner."""
        house, key = self._house, self._message_key(letter)
        stop = (
            f"<{house.stop_link(stop_token)}>, "
            f"<mailto:stop@{house.bounce_domain}?subject={stop_token}>"
        )
        groups = (
            letter.kind,
            letter.channel.project,
            letter.reader.partner or "internal",
            FEEDBACK_SENDER,
        )
        return [
            mailbox_header("To", letter.reader.name, address),
            plain_header("Message-ID", f"<{key}@{house.mail_domain}>"),
            plain_header("X-Notification-Id", f"{key}@{house.mail_domain}"),
            plain_header("List-Unsubscribe", stop),
            plain_header("Feedback-ID", ":".join(groups)),
        ]

    def _message_key(self, letter: Letter) -> str:
        """No address and no name in it, and the same on every try (H2)."""
        alias = self._seals.alias(letter.reader.id)
        return f"n.{letter.first_message}.{alias}.{letter.kind}.{letter.mail}"

    def _bounce_address(self, mail: str, address: Address) -> str:
        mac = self._seals.bounce_mac(mail, str(address))
        return f"b+{mail}.{mac}@{self._house.bounce_domain}"


def thread_of(letter: Letter) -> str:
    """The thread of a channel's mails, or of a project's digests.

    No two channels share one (H4).
    """
    return f"c.{_dotless(letter.channel.project)}.{_label(letter)}"


def list_of(letter: Letter, domain: str) -> str:
    """The list of a channel's mails (H6, RFC 2919), at most 255 letters."""
    found = f"{_label(letter)}.{_dotless(letter.channel.project)}.{domain}"
    if len(found) <= LONGEST_LIST_ID:
        return found
    named = f"{_label(letter)} {letter.channel.name}"
    return f"{hashlib.sha256(named.encode()).hexdigest()[:32]}.{domain}"


def _label(letter: Letter) -> str:
    if letter.is_digest:
        return "digest"
    if letter.channel.partner is None:
        return "broadcast"
    return f"direct-{_dotless(letter.channel.partner)}"


def _dotless(id_: str) -> str:
    """An id as one label: a dot in it would end the label, or stand beside another."""
    return id_.replace(".", "=2E")


@lru_cache(256)
def _utc(at: datetime) -> str:
    return format_datetime(at).replace("-0000", "+0000")
