"""Compose the bytes of a mail by the header standard H1 to H17 (README).

One reader, one mail, and the same Message-ID on every attempt. No header holds text
from a person but the project's title and the reader's own name, both encoded.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from clp_contracts.mail_addresses import MailAddress
from clp_notifications.mail.content import (
    UNSUBSCRIBE_LOCAL_PART,
    MailContent,
    SenderIdentity,
)
from clp_notifications.mail.headers import (
    list_id_header,
    mailbox_header,
    plain_header,
    text_header,
)
from clp_notifications.mail.mime_parts import alternatives, boundary_of, part
from clp_notifications.mail.rendering import Renderer
from clp_notifications.mail.templates_cache import (
    PrerenderedPart,
    PrerenderedTemplate,
    TemplateCache,
    new_mark,
)
from clp_notifications.mail.tokens import MailTokens

# Groups complaints at a mail provider: 5 to 15 characters, never a person (H9).
FEEDBACK_SENDER: Final = "clpmails"
MAX_LIST_ID: Final = 255
# The header lines that are the same in every mail.
COMMON_HEADERS: Final = (
    plain_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    plain_header("Auto-Submitted", "auto-generated"),
    plain_header("X-Auto-Response-Suppress", "All"),
    plain_header("Precedence", "list"),
    plain_header("MIME-Version", "1.0"),
)


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A composed mail: envelope and bytes."""

    id: str
    sender: str
    recipient: MailAddress
    data: bytes


class Composer:
    """Composes mails from their content."""

    def __init__(
        self, identity: SenderIdentity, tokens: MailTokens, renderer: Renderer
    ) -> None:
        self._identity = identity
        self._tokens = tokens
        self._renderer = renderer
        self._templates = TemplateCache(self._prerender)
        sender = MailAddress("notifications", identity.mail_domain)
        self._from = mailbox_header("From", identity.sender_name, sender)

    @property
    def identity(self) -> SenderIdentity:
        """Names, domains and links of the sender."""
        return self._identity

    def compose(self, content: MailContent, address: MailAddress) -> OutgoingMail:
        """Compose a mail to the reader's address.

        From the second reader of the same content on, shared parts come from the
        template cache; the bytes are the same either way.
        """
        token = content.unsubscribe_token
        template = self._templates.of(content)
        if template is None:
            rendered = self._renderer.render(content, token)
            shared = self._shared_headers(content, rendered.subject)
            parts = tuple(part(kind, text) for kind, text in rendered.parts)
        else:
            shared, parts = template.headers, template.filled(token)
        boundary = boundary_of(content.mail)
        head = [
            shared,
            *self._reader_headers(content, address, token),
            plain_header(
                "Content-Type", f'multipart/alternative; boundary="{boundary}"'
            ),
        ]
        return OutgoingMail(
            id=content.mail,
            sender=self._envelope_sender(content.mail, address),
            recipient=address,
            data="\r\n".join([*head, "", ""]).encode() + alternatives(boundary, parts),
        )

    def _prerender(self, content: MailContent) -> PrerenderedTemplate:
        """The shared parts of mails with this content, which has no reader."""
        mark = new_mark()
        rendered = self._renderer.render(content, mark)
        return PrerenderedTemplate(
            headers=self._shared_headers(content, rendered.subject),
            parts=tuple(
                PrerenderedPart(kind, text, mark) for kind, text in rendered.parts
            ),
        )

    def _shared_headers(self, content: MailContent, subject: str) -> str:
        """The header lines that are the same for every reader."""
        identity = self._identity
        thread = f"<{thread_of(content)}@{identity.mail_domain}>"
        lines = [
            self._from,
            text_header("Subject", subject),
            plain_header("Date", _utc(content.at.replace(microsecond=0))),
            plain_header("In-Reply-To", thread),
            plain_header("References", thread),
            list_id_header(
                content.project_title, list_of(content, identity.mail_domain)
            ),
            plain_header("X-Notification-Reason", content.kind),
        ]
        return "\r\n".join([*lines, *COMMON_HEADERS])

    def _reader_headers(
        self, content: MailContent, address: MailAddress, unsubscribe_token: str
    ) -> list[str]:
        """The header lines that name this reader, mail or partner."""
        identity, key = self._identity, self._message_key(content)
        stop = (
            f"<{identity.unsubscribe_link(unsubscribe_token)}>, "
            f"<mailto:{UNSUBSCRIBE_LOCAL_PART}@{identity.bounce_domain}"
            f"?subject={unsubscribe_token}>"
        )
        groups = (
            content.kind,
            content.channel.project,
            content.reader.partner or "internal",
            FEEDBACK_SENDER,
        )
        return [
            mailbox_header("To", content.reader.name, address),
            plain_header("Message-ID", f"<{key}@{identity.mail_domain}>"),
            plain_header("X-Notification-Id", f"{key}@{identity.mail_domain}"),
            plain_header("List-Unsubscribe", stop),
            plain_header("Feedback-ID", ":".join(groups)),
        ]

    def _message_key(self, content: MailContent) -> str:
        """Unique per mail, the same on every attempt, without address or name (H2)."""
        alias = self._tokens.alias(content.reader.id)
        return f"n.{content.first_message}.{alias}.{content.kind}.{content.mail}"

    def _envelope_sender(self, mail: str, address: MailAddress) -> str:
        mac = self._tokens.verp_mac(mail, str(address))
        return f"b+{mail}.{mac}@{self._identity.bounce_domain}"


def thread_of(content: MailContent) -> str:
    """The thread id of a channel's mails, or of a project's digests.

    No two channels share one (H4).
    """
    return f"c.{_dotless(content.channel.project)}.{_label(content)}"


def list_of(content: MailContent, domain: str) -> str:
    """The list id of a channel's mails (H6, RFC 2919), at most 255 characters."""
    list_id = f"{_label(content)}.{_dotless(content.channel.project)}.{domain}"
    if len(list_id) <= MAX_LIST_ID:
        return list_id
    named = f"{_label(content)} {content.channel.name}"
    return f"{hashlib.sha256(named.encode()).hexdigest()[:32]}.{domain}"


def _label(content: MailContent) -> str:
    if content.is_digest:
        return "digest"
    if content.channel.partner is None:
        return "broadcast"
    return f"direct-{_dotless(content.channel.partner)}"


def _dotless(id_: str) -> str:
    """An id as one label of a domain: a dot in it would end the label."""
    return id_.replace(".", "=2E")


@lru_cache(256)
def _utc(at: datetime) -> str:
    return format_datetime(at).replace("-0000", "+0000")
