"""The projects that a person may read: one, the followed ones, found ones (rule 44).

Statements look at assignments of the person's own partner only, so that neither results
nor their cost depend on another partner (rule 6).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import in_array
from clp_contracts.core_mapping import to_person
from clp_contracts.errors import Refused
from clp_contracts.projects import (
    FindProjects,
    FoundProjects,
    MyProjects,
    ProjectRef,
    ProjectView,
)
from clp_core.channels import Channel, Project, ProjectId, is_id
from clp_core.people import PartnerId, Person
from clp_core.visibility import may_read
from clp_projects import mapping
from clp_projects.dependencies import Dependencies
from clp_projects.tables import AssignmentRow, FollowerRow, ProjectRow
from clp_projects.text_validation import is_storable, title_key
from clp_projects.use_cases.people import me_of

MAX_PROJECTS: Final = 100
MAX_WORDS: Final = 10


def project(request: ProjectRef, *, actor: str, deps: Dependencies) -> ProjectView:
    """Return a project that the actor may read.

    Raises:
        Refused: ``project.missing``.
    """
    with deps.database.reading() as session:
        person = mapping.person(session, actor)
        if person is None or not is_id(request.project):
            raise Refused("project.missing")
        views = _views(
            session, person, _readable(person).where(ProjectRow.id == request.project)
        )
    if not views:
        raise Refused("project.missing")
    return views[0]


def my_projects(*, actor: str, deps: Dependencies) -> MyProjects:
    """Return the projects that the actor follows and may read now, by title."""
    with deps.database.reading() as session:
        for facts in mapping.people_by_id(session, [actor]):
            deps.groups.note([facts])
            person = to_person(facts)
            followed = _readable(person, only_followed=True)
            return MyProjects(
                projects=_views(session, person, followed), me=me_of(session, facts)
            )
    return MyProjects(projects=())


def find_projects(
    request: FindProjects, *, actor: str, deps: Dependencies
) -> FoundProjects:
    """Return a page of the readable projects with the typed words, by title.

    Raises:
        Refused: ``request.malformed`` for a limit below 1, ``cursor.malformed``.
    """
    if request.limit < 1:
        raise Refused.because("request.malformed", fields={"limit": ["at least 1"]})
    limit = min(request.limit, MAX_PROJECTS)
    after = None if request.cursor is None else _parse_cursor(request.cursor)
    with deps.database.reading() as session:
        person = mapping.person(session, actor)
        if person is None or not is_storable(request.typed):
            return FoundProjects(projects=())
        found = _readable(person).where(*_conditions(request.typed)).limit(limit + 1)
        if after is not None:
            found = found.where(_position() > after)
        views = _views(session, person, found)
    page = views[:limit]
    return FoundProjects(
        projects=page, cursor=_cursor_of(page[-1]) if len(views) > limit else None
    )


def _readable(person: Person, *, only_followed: bool = False) -> Select[str, str, str]:
    """Return the statement of the projects of a person, by title."""
    statement = select(
        ProjectRow.id, ProjectRow.title, FollowerRow.person.label("follower")
    ).join(
        FollowerRow,
        and_(FollowerRow.project == ProjectRow.id, FollowerRow.person == person.id),
        isouter=not only_followed,
    )
    if person.partner is not None:
        statement = statement.join(
            AssignmentRow,
            and_(
                AssignmentRow.project == ProjectRow.id,
                AssignmentRow.partner == person.partner,
                AssignmentRow.withdrawn_at.is_(None),
            ),
        )
    return statement.order_by(ProjectRow.title_key, ProjectRow.id)


def _views(
    session: Session, person: Person, statement: Select[str, str, str]
) -> tuple[ProjectView, ...]:
    rows = [row for row in session.execute(statement) if _may_read(person, row)]
    languages = _languages(session, person, [row.id for row in rows])
    return tuple(
        ProjectView(
            id=row.id,
            title=row.title,
            following=row.follower is not None,
            languages=languages.get(row.id, ()),
        )
        for row in rows
    )


def _may_read(person: Person, row: Row[str, str, str]) -> bool:
    """Apply the rule to a row, which exists for assigned partners only."""
    assigned: frozenset[PartnerId] = frozenset()
    if person.partner is not None:
        assigned = frozenset({person.partner})
    found = Project(id=ProjectId(row.id), assigned=assigned)
    return bool(may_read(person, Channel(found.id), found))


def _languages(
    session: Session, person: Person, projects: Iterable[str]
) -> Mapping[str, tuple[str, ...]]:
    statement = select(AssignmentRow.project, AssignmentRow.languages).where(
        in_array(AssignmentRow.project, "ids"), AssignmentRow.withdrawn_at.is_(None)
    )
    if person.partner is not None:
        statement = statement.where(AssignmentRow.partner == person.partner)
    found: dict[str, set[str]] = {}
    for row in session.execute(statement, {"ids": [*projects]}):
        found.setdefault(row.project, set()).update(row.languages)
    return {one: tuple(sorted(languages)) for one, languages in found.items()}


def _conditions(typed: str) -> list[ColumnElement[bool]]:
    """Every word occurs in the title or in the id."""
    return [
        or_(
            ProjectRow.title_key.contains(word, autoescape=True),
            func.lower(ProjectRow.id).contains(word, autoescape=True),
        )
        for word in title_key(typed).split()[:MAX_WORDS]
    ]


def _position() -> Any:
    return tuple_(ProjectRow.title_key, ProjectRow.id)


def _cursor_of(last: ProjectView) -> str:
    position = msgspec.json.encode((title_key(last.title), last.id))
    return urlsafe_b64encode(position).decode()


def _parse_cursor(cursor: str) -> tuple[str, str]:
    try:
        decoded = urlsafe_b64decode(cursor.encode("ascii"))
        key, project = msgspec.json.decode(decoded, type=tuple[str, str])
    except (ValueError, msgspec.DecodeError):
        raise Refused("cursor.malformed") from None
    if not (is_storable(key) and is_id(project)):
        raise Refused("cursor.malformed")
    return key, project
