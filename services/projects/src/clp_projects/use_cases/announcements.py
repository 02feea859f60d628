"""Schedule facts that the robot announces once (rule 37)."""

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
    GetAnnouncement,
)
from clp_core.channels import is_id
from clp_projects.dependencies import Dependencies
from clp_projects.locales import language_tag
from clp_projects.tables import OUTBOX, AnnouncementRow, Base, ProjectRow
from clp_projects.text_validation import MAX_KEY_LENGTH, is_one_line

MAX_FACTS: Final = 20
ISO_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
ISO_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
FACT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def is_date(text: str) -> bool:
    """Whether a text is a day such as ``2026-03-01``, which people read as it is."""
    return ISO_DATE.fullmatch(text) is not None and _parses(date.fromisoformat, text)


def is_moment(text: str) -> bool:
    """Whether a text is a day, or a day and a time, in extended ISO 8601."""
    return ISO_MOMENT.fullmatch(text) is not None and _parses(
        datetime.fromisoformat, text
    )


def is_language(text: str) -> bool:
    """Whether a text is a language tag."""
    return language_tag(text) is not None


# Validators of facts by name, in any kind; any other fact is a plain line.
FACT_VALIDATORS: Final[Mapping[str, Callable[[str], bool]]] = {
    "launch_date": is_date,
    "previous_date": is_date,
    "language": is_language,
    "due": is_moment,
}


def announce(request: Announce, *, deps: Dependencies) -> Announced:
    """Store an announcement; a replay with the same key and content returns it."""
    _validate_announcement(request)
    values = {
        "id": new_id(),
        "project": request.project,
        "key": request.key,
        "kind": request.kind,
        "facts": dict(request.facts),
        "announced_at": deps.clock(),
    }
    table = Base.metadata.tables["announcements"]
    with deps.database.writing() as session:
        projects = select(ProjectRow.id).where(ProjectRow.id == request.project)
        if not is_id(request.project) or session.scalar(projects) is None:
            raise Refused("project.missing")
        if not insert_if_absent(session, table, values):
            return Announced(id=_same_announcement(session, request))
        OUTBOX.append(
            session,
            event_type=events.SCHEDULE_ANNOUNCED,
            subject=str(values["id"]),
            project=request.project,
            at=deps.clock(),
        )
    return Announced(id=str(values["id"]))


def announcement(request: GetAnnouncement, *, deps: Dependencies) -> Announcement:
    """Return an announcement with its facts.

    Raises:
        Refused: ``announcement.missing``.
    """
    with deps.database.reading() as session:
        statement = select(AnnouncementRow).where(AnnouncementRow.id == request.id)
        found = session.scalar(statement) if is_id(request.id) else None
        if found is None:
            raise Refused("announcement.missing")
        return Announcement(
            id=found.id,
            project=found.project,
            kind=found.kind,
            facts=dict(found.facts),
        )


def _validate_announcement(request: Announce) -> None:
    if not is_one_line(request.key, MAX_KEY_LENGTH):
        raise Refused.because(
            "idempotency_key.malformed", max_characters=MAX_KEY_LENGTH
        )
    required = ANNOUNCEMENT_FACTS.get(request.kind)
    if required is None or not set(required) <= set(request.facts):
        raise Refused.because(
            "announcement.malformed",
            kinds=sorted(ANNOUNCEMENT_FACTS),
            required=list(required or ()),
        )
    malformed = [
        name for name in request.facts if not _is_fact(name, request.facts[name])
    ]
    if malformed or len(request.facts) > MAX_FACTS:
        raise Refused.because(
            "announcement.malformed",
            kinds=sorted(ANNOUNCEMENT_FACTS),
            required=list(required),
            malformed=[name for name in malformed if FACT_NAME.fullmatch(name)],
            max_facts=MAX_FACTS,
        )


def _is_fact(name: str, value: object) -> bool:
    if FACT_NAME.fullmatch(name) is None:
        return False
    if not isinstance(value, str) or not is_one_line(value):
        return False
    return FACT_VALIDATORS.get(name, is_one_line)(value)


def _same_announcement(session: Session, request: Announce) -> str:
    stored = session.scalars(
        select(AnnouncementRow).where(
            AnnouncementRow.project == request.project,
            AnnouncementRow.key == request.key,
        )
    ).one()
    if (stored.kind, stored.facts) != (request.kind, dict(request.facts)):
        raise Refused("announcement.reused")
    return stored.id


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        return parse(text) is not None
    except ValueError:
        return False
