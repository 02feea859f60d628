"""Compose the mail of a ticket: no list mail, with the author as Reply-To (rule 52).

Ticket systems drop automatic and list mail, so the headers H4 to H9 do not apply. The
screenshot travels with the mail, the one exception to H17.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from clp_contracts.mail_addresses import (
    InvalidMailAddress,
    MailAddress,
    parse_mail_address,
)
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.mail.content import SenderIdentity
from clp_notifications.mail.display_text import one_line, shown_text
from clp_notifications.mail.headers import mailbox_header, plain_header, text_header
from clp_notifications.mail.mime_parts import TEXT, alternatives, boundary_of, part

SIGNATURES: Final[Mapping[bytes, str]] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
# Field of the contract -> its label in the mail.
TICKET_FIELDS: Final[Mapping[str, str]] = {
    "steps": "Steps before, and what was tried",
    "deadline": "Deadline",
    "workflow": "Workflow",
    "url": "URL",
    "mid": "MID",
    "request_id": "Request ID",
    "package_id": "Package ID",
    "task_type": "Task type",
    "target_language": "Target language",
}
URGENCIES: Final[Mapping[str, str]] = {
    "blocks": "blocks the work",
    "delays": "delays the work",
    "neither": "neither blocks nor delays the work",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMail:
    """A ticket to be mailed; the author is None when their record is gone."""

    id: str
    author: str
    author_name: str
    author_email: str | None
    summary: str
    urgency: str
    fields: Mapping[str, str | None]
    screenshot: bytes | None
    created_at: datetime


def image_type(data: bytes) -> str | None:
    """Return the media type of a PNG or JPEG file, None for anything else."""
    for signature, media_type in SIGNATURES.items():
        if data.startswith(signature):
            return media_type
    return None


def compose_ticket(
    ticket: TicketMail, identity: SenderIdentity, address: MailAddress
) -> OutgoingMail:
    """Compose the mail of a ticket to the support address."""
    sender = MailAddress("notifications", identity.mail_domain)
    head = [
        mailbox_header("From", identity.sender_name, sender),
        mailbox_header("To", "", address),
        *_reply_to(ticket),
        text_header("Subject", f"[{ticket.id}] {one_line(ticket.summary)}"),
        plain_header("Date", format_datetime(ticket.created_at.replace(microsecond=0))),
        plain_header("Message-ID", f"<t.{ticket.id}@{identity.mail_domain}>"),
        plain_header("X-Notification-Reason", "ticket"),
        plain_header("MIME-Version", "1.0"),
    ]
    body = part(TEXT, _text(ticket))
    data = "\r\n".join([*head, ""]).encode()
    media_type = None if ticket.screenshot is None else image_type(ticket.screenshot)
    if ticket.screenshot is None or media_type is None:
        data += body
    else:
        boundary = boundary_of(ticket.id)
        kind = f'multipart/mixed; boundary="{boundary}"'
        image = _image_part(ticket.screenshot, media_type)
        data += f"{plain_header('Content-Type', kind)}\r\n\r\n".encode()
        data += alternatives(boundary, (body, image))
    return OutgoingMail(
        id=ticket.id,
        sender=f"t+{ticket.id}@{identity.bounce_domain}",
        recipient=address,
        data=data,
    )


def _reply_to(ticket: TicketMail) -> list[str]:
    if ticket.author_email is None:
        return []
    try:
        address = parse_mail_address(ticket.author_email)
    except InvalidMailAddress:
        return []
    return [mailbox_header("Reply-To", ticket.author_name, address)]


def _text(ticket: TicketMail) -> str:
    lines = [
        shown_text(ticket.summary),
        "",
        f"From: {one_line(ticket.author_name) or ticket.author} ({ticket.author})",
        f"Urgency: {URGENCIES.get(ticket.urgency, ticket.urgency)}",
    ]
    for name, label in TICKET_FIELDS.items():
        if value := ticket.fields.get(name):
            shown = shown_text(value)
            separator = "\n" if "\n" in shown else " "
            lines.append(f"{label}:{separator}{shown}")
    return "\n".join([*lines, ""])


def _image_part(data: bytes, media_type: str) -> bytes:
    name = f"screenshot.{media_type.partition('/')[2]}"
    head = (
        f"Content-Type: {media_type}\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(data).replace(b"\n", b"\r\n")
