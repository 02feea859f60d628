"""Build contents and mails of the sample world, for tests of bytes."""

from datetime import UTC, datetime
from typing import Any

from clp_core.channels import Channel, ProjectId
from clp_core.people import PartnerId, Person, PersonId
from clp_notifications.mail.addresses import address_of
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.mail.content import File, Kind, MailContent, MailMessage
from tests.services.notifications.harness import COMPOSER
from tests.services.notifications.mailcheck import MailParts, cut_up, faults

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
MAIL, MESSAGE = "a1" * 16, "b2" * 16
TOKEN = "Un5ub5cr1be-token_" + "0123456789abcdefghijklmno"


def at_once() -> bool:
    """Nothing happened that keeps a mail from leaving."""
    return True


def mail_message(text: str = "Hello", **more: Any) -> MailMessage:
    given: dict[str, Any] = {
        "author": "Ivy Lane",
        "automatic": False,
        "number": 7,
        "at": AT,
    }
    return MailMessage(text=text, **(given | more))


def file(name: str, size: int = 1000) -> File:
    return File(id="f1", name=name, size=size)


def reader(**facts: Any) -> Person:
    given: dict[str, Any] = {
        "id": PersonId("nat"),
        "name": "Nat Moreau",
        "email": "nat@north.example",
        "partner": PartnerId("north"),
    }
    return Person(**(given | facts))


INTERNAL = reader(
    id=PersonId("ian"), name="Ian Moss", email="ian@studio.example", partner=None
)


def channel(partner: str | None = None, project: str = "p1") -> Channel:
    return Channel(ProjectId(project), PartnerId(partner) if partner else None)


def mail_content(*messages: MailMessage, **facts: Any) -> MailContent:
    given: dict[str, Any] = {
        "mail": MAIL,
        "first_message": MESSAGE,
        "kind": Kind.BROADCAST,
        "reader": reader(),
        "project_title": "Night Train",
        "channel": channel(),
        "partner": None,
        "unsubscribe_token": TOKEN,
    }
    return MailContent(messages=messages or (mail_message(),), **(given | facts))


def mailed(*messages: MailMessage, **facts: Any) -> OutgoingMail:
    written = mail_content(*messages, **facts)
    return COMPOSER.compose(written, address_of(written.reader.email))


def checked(mail: OutgoingMail) -> MailParts:
    """The parts of a mail that has no fault."""
    assert faults(mail.data, sender=mail.sender, recipient=str(mail.recipient)) == []
    return cut_up(mail.data)
