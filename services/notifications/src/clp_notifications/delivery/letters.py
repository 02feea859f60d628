"""What a claimed mail says: its messages as the reader may read them now."""

from clp_contracts.messages import Message
from clp_core.people import ROBOT
from clp_notifications.delivery.claims import Claim
from clp_notifications.delivery.door import Door
from clp_notifications.facts import partner_name
from clp_notifications.mail.letter import File, Letter, Said


def letter_for(claimed: Claim, door: Door) -> Letter:
    """The letter of a mail that may leave."""
    if door.reader is None or door.project is None:
        raise ValueError("a mail without a reader or a project")
    found = (door.messages[item.message] for item in claimed.items)
    return Letter(
        mail=claimed.mail,
        first_message=claimed.first_message,
        kind=claimed.kind,
        reader=door.reader,
        project_title=door.project.title,
        channel=claimed.channel,
        partner=partner_name(claimed.channel, door.project),
        said=tuple(map(_said, found)),
    )


def _said(message: Message) -> Said:
    return Said(
        author=message.author.name,
        automatic=message.author.id == ROBOT.id,
        number=message.number,
        at=message.posted_at,
        text=message.text,
        files=tuple(
            File(id=file.id, name=file.name, size=file.size)
            for file in message.attachments
        ),
    )
