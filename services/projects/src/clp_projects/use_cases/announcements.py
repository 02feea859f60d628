"""Schedule facts that the robot tells a project once (rule 37)."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.persistence.bulk_sql import insert_if_absent
from clp_contracts import events
from clp_contracts.errors import Refused
from clp_contracts.projects import (
    ANNOUNCEMENT_FACTS,
    Announce,
    Announced,
    Announcement,
    AskAnnouncement,
)
from clp_core.channels import is_id
from clp_projects.dependencies import Parts
from clp_projects.locales import language_tag
from clp_projects.tables import OUTBOX, AnnouncementRow, Base, ProjectRow
from clp_projects.text_validation import LONGEST_KEY, is_one_line

MOST_FACTS: Final = 20
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
FACT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def is_date(text: str) -> bool:
    """Whether a text is a day such as ``2026-03-01``; people read it as it stands."""
    return DAY.fullmatch(text) is not None and _reads(date.fromisoformat, text)


def is_moment(text: str) -> bool:
    """Whether a text is a day, or a day and a time, in ISO 8601's long form."""
    return MOMENT.fullmatch(text) is not None and _reads(datetime.fromisoformat, text)


def is_language(text: str) -> bool:
    """Whether a text is a language tag."""
    return language_tag(text) is not None


# Facts of these names are judged wherever they stand; any other is a plain line.
JUDGED: Final[Mapping[str, Callable[[str], bool]]] = {
    "launch_date": is_date,
    "previous_date": is_date,
    "language": is_language,
    "due": is_moment,
}


def announce(ask: Announce, *, parts: Parts) -> Announced:
    """Keep an announcement; the same key and content again is the same one."""
    _judge_announcement(ask)
    values = {
        "id": new_id(),
        "project": ask.project,
        "key": ask.key,
        "kind": ask.kind,
        "facts": dict(ask.facts),
        "announced_at": parts.clock(),
    }
    table = Base.metadata.tables["announcements"]
    with parts.database.writing() as session:
        projects = select(ProjectRow.id).where(ProjectRow.id == ask.project)
        if not is_id(ask.project) or session.scalar(projects) is None:
            raise Refused("project.missing")
        if not insert_if_absent(session, table, values):
            return Announced(id=_same_announcement(session, ask))
        OUTBOX.append(
            session,
            (events.SCHEDULE_ANNOUNCED, str(values["id"]), ask.project),
            at=parts.clock(),
        )
    return Announced(id=str(values["id"]))


def announcement(ask: AskAnnouncement, *, parts: Parts) -> Announcement:
    """An announcement with its facts.

    Raises:
        Refused: ``announcement.missing``.
    """
    with parts.database.reading() as session:
        asked = select(AnnouncementRow).where(AnnouncementRow.id == ask.id)
        found = session.scalar(asked) if is_id(ask.id) else None
        if found is None:
            raise Refused("announcement.missing")
        return Announcement(
            id=found.id,
            project=found.project,
            kind=found.kind,
            facts=dict(found.facts),
        )


def _judge_announcement(ask: Announce) -> None:
    if not is_one_line(ask.key, LONGEST_KEY):
        raise Refused("retry_key.malformed")
    needed = ANNOUNCEMENT_FACTS.get(ask.kind)
    if needed is None or not set(needed) <= set(ask.facts):
        raise Refused.because(
            "announcement.malformed",
            kinds=sorted(ANNOUNCEMENT_FACTS),
            needed=list(needed or ()),
        )
    malformed = [name for name in ask.facts if not _is_fact(name, ask.facts[name])]
    if malformed or len(ask.facts) > MOST_FACTS:
        raise Refused("announcement.malformed")


def _is_fact(name: str, value: object) -> bool:
    if FACT_NAME.fullmatch(name) is None:
        return False
    if not isinstance(value, str) or not is_one_line(value):
        return False
    return JUDGED.get(name, is_one_line)(value)


def _same_announcement(session: Session, ask: Announce) -> str:
    kept = session.scalars(
        select(AnnouncementRow).where(
            AnnouncementRow.project == ask.project, AnnouncementRow.key == ask.key
        )
    ).one()
    if (kept.kind, kept.facts) != (ask.kind, dict(ask.facts)):
        raise Refused("announcement.reused")
    return kept.id


def _reads(read: Callable[[str], object], text: str) -> bool:
    try:
        return read(text) is not None
    except ValueError:
        return False
