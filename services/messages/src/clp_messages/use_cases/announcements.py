"""Post announcements of `projects` as broadcasts of the robot, once (rule 37)."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from clp_contracts.events import SCHEDULE_ANNOUNCED
from clp_contracts.feed import Change
from clp_contracts.projects import Announcement
from clp_core.channels import Channel, ProjectId
from clp_core.messages import judge_text
from clp_core.people import ROBOT
from clp_messages.dependencies import Dependencies
from clp_messages.use_cases.authorization import require
from clp_messages.use_cases.mentions import NO_MENTIONS
from clp_messages.use_cases.posting import Draft, earlier_post, write_message

# Callers cannot choose a key with a tab, so these keys never collide with theirs.
KEY: Final = "announcement\t{id}"

Drafts = Mapping[str, Draft]


def drafts_of(changes: tuple[Change, ...], *, deps: Dependencies) -> Drafts:
    """Draft the robot's messages for the announcements among some changes, by id."""
    return {
        change.subject: _draft(
            deps.clients.projects.announcement(id=change.subject), deps
        )
        for change in changes
        if change.type == SCHEDULE_ANNOUNCED
    }


def _draft(announcement: Announcement, deps: Dependencies) -> Draft:
    text = deps.robot_texts.render(announcement)
    require(judge_text(text))
    return Draft(
        channel=Channel(ProjectId(announcement.project)),
        author=ROBOT,
        key=KEY.format(id=announcement.id),
        text=text,
        attachments=(),
        mentions=NO_MENTIONS,
        at=deps.clock(),
    )


def write_announcements(
    session: Session, changes: tuple[Change, ...], drafts: Drafts
) -> None:
    """Post the drafts that are not posted yet, in the transaction of the cursor."""
    for change in changes:
        draft = drafts.get(change.subject)
        if change.type != SCHEDULE_ANNOUNCED or draft is None:
            continue
        if earlier_post(session, draft) is None:
            write_message(session, draft)
