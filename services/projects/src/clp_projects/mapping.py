"""Map rows to the facts of the contracts and to the values of the core."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, or_, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import in_array
from clp_contracts.core_mapping import to_person, to_project
from clp_contracts.projects import (
    Assignment,
    PartnerName,
    PersonFacts,
    ProjectFacts,
    ProjectTitle,
)
from clp_core.channels import Project, is_id
from clp_core.people import Person
from clp_projects.tables import (
    ASSIGNMENTS,
    FOLLOWERS,
    INTERNAL,
    PARTNERS,
    PEOPLE,
    PROJECTS,
    ROLES,
)


class _PeopleQueries:
    """The two statements that read people, built once.

    ``is_selected`` returns the condition on a column with ids of people.
    """

    def __init__(self, is_selected: Callable[[Any], ColumnElement[bool]]) -> None:
        self.roles = (
            select(ROLES.c.person, ROLES.c.role)
            .where(is_selected(ROLES.c.person))
            .order_by(ROLES.c.role)
        )
        self.people = select(
            PEOPLE.c.id,
            PEOPLE.c.name,
            PEOPLE.c.email,
            PEOPLE.c.partner,
            PEOPLE.c.active,
            PEOPLE.c.language,
            PEOPLE.c.time_zone,
        ).where(is_selected(PEOPLE.c.id))


PARTNERS_OF_PEOPLE: Final = select(PEOPLE.c.id, PEOPLE.c.partner).where(
    in_array(PEOPLE.c.id, "ids")
)
BY_ID: Final = _PeopleQueries(lambda ids: in_array(ids, "ids"))
# The index of the keys also decides whose people they are: hidden owners cost nothing.
VISIBLE: Final = PEOPLE.c.partner.is_(None) | (PEOPLE.c.partner == bindparam("partner"))


def _handle_owners(*conditions: ColumnElement[bool]) -> _PeopleQueries:
    # Two index lookups; an `or` of both conditions would scan the table.
    owners = (
        select(PEOPLE.c.id)
        .where(in_array(PEOPLE.c.name_key, "keys"), *conditions)
        .union(
            select(PEOPLE.c.id).where(
                in_array(PEOPLE.c.address_key, "keys"), *conditions
            )
        )
    )
    return _PeopleQueries(lambda ids: ids.in_(owners))


BY_KEY: Final = _handle_owners()
VISIBLE_BY_KEY: Final = _handle_owners(VISIBLE)
FOLLOWING: Final = select(FOLLOWERS.c.person).where(
    FOLLOWERS.c.project == bindparam("project")
)
ALL_FOLLOWERS: Final = _PeopleQueries(lambda ids: ids.in_(FOLLOWING))
NEAR_FOLLOWERS: Final = _PeopleQueries(
    lambda ids: ids.in_(
        FOLLOWING.join(PEOPLE, PEOPLE.c.id == FOLLOWERS.c.person).where(
            or_(PEOPLE.c.partner.is_(None), PEOPLE.c.partner == bindparam("partner"))
        )
    )
)
FOLLOWERS_AMONG: Final = select(FOLLOWERS.c.person).where(
    FOLLOWERS.c.project == bindparam("project"), in_array(FOLLOWERS.c.person, "people")
)
TITLES: Final = select(PROJECTS.c.id, PROJECTS.c.title).where(
    in_array(PROJECTS.c.id, "ids")
)
PARTNER_NAMES: Final = select(PARTNERS.c.id, PARTNERS.c.name).where(
    in_array(PARTNERS.c.id, "ids")
)
ASSIGNED_LANGUAGES: Final = select(
    ASSIGNMENTS.c.project,
    ASSIGNMENTS.c.partner,
    ASSIGNMENTS.c.languages,
    ASSIGNMENTS.c.withdrawn_at,
).where(in_array(ASSIGNMENTS.c.project, "ids"))
ASSIGNED: Final = (
    select(
        ASSIGNMENTS.c.project,
        ASSIGNMENTS.c.withdrawn_at,
        PARTNERS.c.id,
        PARTNERS.c.name,
    )
    .join(PARTNERS, PARTNERS.c.id == ASSIGNMENTS.c.partner)
    .where(in_array(ASSIGNMENTS.c.project, "ids"))
    .order_by(ASSIGNMENTS.c.project, PARTNERS.c.id)
)
NARROWED_ASSIGNED: Final = ASSIGNED.where(in_array(ASSIGNMENTS.c.partner, "partners"))


def people_by_id(session: Session, ids: Iterable[str]) -> tuple[PersonFacts, ...]:
    """Return the people with these ids, ordered by id."""
    wanted = [*filter(is_id, ids)]
    return _people(session, BY_ID, {"ids": wanted}) if wanted else ()


def partners_of_people(session: Session, ids: Iterable[str]) -> Mapping[str, str]:
    """Return the partner of each person that exists; `INTERNAL` of internal people."""
    wanted = [*filter(is_id, ids)]
    if not wanted:
        return {}
    rows = session.execute(PARTNERS_OF_PEOPLE, {"ids": wanted})
    return {row.id: row.partner or INTERNAL for row in rows}


def people_by_key(
    session: Session,
    keys: Iterable[str],
    *,
    partner: str | None = None,
    everybody: bool = False,
) -> tuple[PersonFacts, ...]:
    """Return the people with one of these name or address keys, ordered by id.

    Internal people and those of one partner, or everybody.
    """
    if not (wanted := [*keys]):
        return ()
    if everybody:
        return _people(session, BY_KEY, {"keys": wanted})
    return _people(session, VISIBLE_BY_KEY, {"keys": wanted, "partner": partner})


def followers_of(
    session: Session, project: str, partner: str | None = None
) -> tuple[PersonFacts, ...]:
    """Return the followers of a project, with or without access, ordered by id.

    With a partner only internal people and those of the partner.
    """
    if partner is None:
        return _people(session, ALL_FOLLOWERS, {"project": project})
    narrowed = {"project": project, "partner": partner}
    return _people(session, NEAR_FOLLOWERS, narrowed)


def followers_among(
    session: Session, project: str, people: Iterable[str]
) -> tuple[str, ...]:
    """Return the ids of those of the people who follow a project."""
    parameters = {"project": project, "people": [*filter(is_id, people)]}
    if not parameters["people"]:
        return ()
    return tuple(sorted(session.scalars(FOLLOWERS_AMONG, parameters)))


def _people(
    session: Session, queries: _PeopleQueries, parameters: Mapping[str, Any]
) -> tuple[PersonFacts, ...]:
    roles: defaultdict[str, list[str]] = defaultdict(list)
    for person, role in session.execute(queries.roles, parameters):
        roles[person].append(role)
    found = (
        PersonFacts(**row._mapping, roles=tuple(roles[row.id]))  # noqa: SLF001
        for row in session.execute(queries.people, parameters)
    )
    # Databases order texts differently.
    return tuple(sorted(found, key=lambda person: person.id))


def projects_by_id(
    session: Session, ids: Iterable[str], partners: Collection[str] | None = None
) -> tuple[ProjectFacts, ...]:
    """Return the projects with these ids, ordered by id.

    They show all their partners, or only those of ``partners``.
    """
    parameters = {"ids": [*filter(is_id, ids)]}
    if not parameters["ids"]:
        return ()
    rows: defaultdict[str, list[Any]] = defaultdict(list)
    assignments = ASSIGNED
    if partners is not None:
        assignments, parameters["partners"] = NARROWED_ASSIGNED, [*partners]
    for row in session.execute(assignments, parameters):
        rows[row.project].append(row)
    found = (_project(row, rows[row.id]) for row in session.execute(TITLES, parameters))
    return tuple(sorted(found, key=lambda project: project.id))


def _project(row: Any, partners: list[Any]) -> ProjectFacts:
    return ProjectFacts(
        id=row.id,
        title=row.title,
        assigned=tuple(one.id for one in partners if one.withdrawn_at is None),
        withdrawn=tuple(one.id for one in partners if one.withdrawn_at is not None),
        partners=tuple(PartnerName(id=one.id, name=one.name) for one in partners),
    )


def partners_by_id(session: Session, ids: Iterable[str]) -> tuple[PartnerName, ...]:
    """Return the partners with these ids, ordered by id."""
    rows = session.execute(PARTNER_NAMES, {"ids": [*filter(is_id, ids)]})
    found = (PartnerName(id=row.id, name=row.name) for row in rows)
    return tuple(sorted(found, key=lambda partner: partner.id))


def titles_by_id(session: Session, ids: Iterable[str]) -> tuple[ProjectTitle, ...]:
    """Return the titles of the projects with these ids, ordered by id."""
    rows = session.execute(TITLES, {"ids": [*filter(is_id, ids)]})
    found = (ProjectTitle(id=row.id, title=row.title) for row in rows)
    return tuple(sorted(found, key=lambda project: project.id))


def assignments_of(session: Session, ids: Iterable[str]) -> tuple[Assignment, ...]:
    """Return the assignments on these projects, ordered by project and partner."""
    rows = session.execute(ASSIGNED_LANGUAGES, {"ids": [*filter(is_id, ids)]})
    found = (
        Assignment(
            project=row.project,
            partner=row.partner,
            languages=tuple(row.languages),
            withdrawn=row.withdrawn_at is not None,
        )
        for row in rows
    )
    return tuple(sorted(found, key=lambda one: (one.project, one.partner)))


def person(session: Session, id: str) -> Person | None:
    """Return a person as a value of the core."""
    found = people_by_id(session, [id])
    return to_person(found[0]) if found else None


def project(session: Session, id: str) -> Project | None:
    """Return a project as a value of the core."""
    found = projects_by_id(session, [id])
    return to_project(found[0]) if found else None
