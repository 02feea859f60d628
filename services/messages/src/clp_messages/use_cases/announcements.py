"""What `projects` announces becomes the robot's broadcast, once (rule 37)."""

from collections.abc import Mapping
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy.orm import Session

from clp_contracts.events import SCHEDULE_ANNOUNCED
from clp_contracts.feed import Change
from clp_contracts.projects import Announcement
from clp_core.channels import Channel, ProjectId
from clp_core.messages import judge_text
from clp_core.people import ROBOT
from clp_messages.dependencies import Parts
from clp_messages.use_cases.authorization import obey
from clp_messages.use_cases.mentions import NO_MENTIONS
from clp_messages.use_cases.posting import Draft, earlier_post, write_message

# Texts are plain text: nothing in them is markup, so nothing is escaped. A fact that a
# template needs and does not get is an error, never an empty place in a message.
TEMPLATES: Final = Environment(
    loader=PackageLoader("clp_messages", "templates"),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701
    trim_blocks=True,
    lstrip_blocks=True,
)
# The tab keeps these keys apart from all that callers can choose.
KEY: Final = "announcement\t{id}"

Drafts = Mapping[str, Draft]


def text_of(announcement: Announcement) -> str:
    """What the robot says."""
    template = TEMPLATES.get_template(f"{announcement.kind}.txt")
    return template.render(announcement.facts).strip()


def drafts_of(changes: tuple[Change, ...], *, parts: Parts) -> Drafts:
    """The robot's messages for the announcements among some changes, by their ids."""
    return {
        change.subject: _draft(
            parts.callers.projects.announcement(id=change.subject), parts
        )
        for change in changes
        if change.type == SCHEDULE_ANNOUNCED
    }


def _draft(announcement: Announcement, parts: Parts) -> Draft:
    text = text_of(announcement)
    obey(judge_text(text))
    return Draft(
        channel=Channel(ProjectId(announcement.project)),
        author=ROBOT,
        key=KEY.format(id=announcement.id),
        text=text,
        attachments=(),
        mentions=NO_MENTIONS,
        at=parts.clock(),
    )


def write_announcements(
    session: Session, changes: tuple[Change, ...], drafts: Drafts
) -> None:
    """Post those that nobody has posted yet, in the transaction of the cursor."""
    for change in changes:
        draft = drafts.get(change.subject)
        if change.type != SCHEDULE_ANNOUNCED or draft is None:
            continue
        if earlier_post(session, draft) is None:
            write_message(session, draft)
