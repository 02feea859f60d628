"""What a claimed mail says: its messages as the reader may read them now."""

from dataclasses import dataclass
from typing import Final

from clp_contracts.messages import Message
from clp_contracts.projects import ProjectFacts
from clp_core.channels import Channel
from clp_core.people import ROBOT
from clp_notifications.delivery.claims import Claim
from clp_notifications.delivery.door import Door
from clp_notifications.mail.content import File, Letter, Said
from clp_notifications.mail.locales import Habits
from clp_notifications.mapping import partner_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a deployment writes to those of whom nothing else is known."""

    language: str = "en"
    time_zone: str = "UTC"
    content: bool = True


USUAL_MANNER: Final = Manner()


def letter_for(
    claimed: Claim, door: Door, manner: Manner, *, wants_content: bool
) -> Letter:
    """The letter of a mail that may leave.

    It shows what was written if both the reader and the deployment want it.
    """
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
        said=tuple(_said(message, door.project) for message in found),
        habits=Habits(
            door.language or manner.language, door.time_zone or manner.time_zone
        ),
        shows_text=manner.content and wants_content,
    )


def _said(message: Message, project: ProjectFacts) -> Said:
    channel = Channel.named(message.channel)
    return Said(
        author=message.author.name,
        automatic=message.author.id == ROBOT.id,
        channel=channel,
        partner=partner_name(channel, project),
        number=message.number,
        at=message.posted_at,
        text=message.text,
        files=tuple(
            File(id=file.id, name=file.name, size=file.size)
            for file in message.attachments
        ),
    )
