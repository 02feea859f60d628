"""Rows to facts: as other services get them, and as the rules take them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import among
from clp_contracts.projects import PartnerName, PersonFacts, ProjectFacts
from clp_core.channels import Project, ProjectId, is_id
from clp_core.people import PartnerId, Person, PersonId
from clp_projects.tables import (
    AssignmentRow,
    FollowerRow,
    PartnerRow,
    PersonRow,
    ProjectRow,
    RoleRow,
)


class _Which:
    """The two questions about some people; written once, they are asked very often.

    ``are_those`` says of a column with ids of people which of them are meant.
    """

    def __init__(self, are_those: Callable[[Any], ColumnElement[bool]]) -> None:
        self.roles = (
            select(RoleRow.person, RoleRow.role)
            .where(are_those(RoleRow.person))
            .order_by(RoleRow.role)
        )
        self.people = select(
            PersonRow.id,
            PersonRow.name,
            PersonRow.email,
            PersonRow.partner,
            PersonRow.active,
            PersonRow.language,
            PersonRow.time_zone,
        ).where(are_those(PersonRow.id))


BY_ID: Final = _Which(lambda ids: among(ids, "ids"))
# Two lookups of one index each; an `or` of both would read the whole table.
OWNERS: Final = (
    select(PersonRow.id)
    .where(among(PersonRow.name_key, "keys"))
    .union(select(PersonRow.id).where(among(PersonRow.address_key, "keys")))
)
BY_KEY: Final = _Which(lambda ids: ids.in_(OWNERS))
FOLLOWING: Final = select(FollowerRow.person).where(
    FollowerRow.project == bindparam("project")
)
FOLLOWERS: Final = _Which(lambda ids: ids.in_(FOLLOWING))
FOLLOWERS_AMONG: Final = select(FollowerRow.person).where(
    FollowerRow.project == bindparam("project"), among(FollowerRow.person, "people")
)
TITLES: Final = select(ProjectRow.id, ProjectRow.title).where(
    among(ProjectRow.id, "ids")
)
ASSIGNMENTS: Final = (
    select(
        AssignmentRow.project,
        AssignmentRow.withdrawn_at,
        PartnerRow.id,
        PartnerRow.name,
    )
    .join(PartnerRow, PartnerRow.id == AssignmentRow.partner)
    .where(among(AssignmentRow.project, "ids"))
    .order_by(AssignmentRow.project, PartnerRow.id)
)


def people_by_id(session: Session, ids: Iterable[str]) -> tuple[PersonFacts, ...]:
    """The people of these ids who exist, by id."""
    wanted = [*filter(is_id, ids)]
    return _people(session, BY_ID, {"ids": wanted}) if wanted else ()


def people_by_key(session: Session, keys: Iterable[str]) -> tuple[PersonFacts, ...]:
    """The people whose name or address has one of these keys, by id."""
    wanted = [*keys]
    return _people(session, BY_KEY, {"keys": wanted}) if wanted else ()


def followers_of(session: Session, project: str) -> tuple[PersonFacts, ...]:
    """Everybody who follows a project, by id, with or without access."""
    return _people(session, FOLLOWERS, {"project": project})


def followers_among(
    session: Session, project: str, people: Iterable[str]
) -> tuple[str, ...]:
    """Who of these people follows a project, by id."""
    asked = {"project": project, "people": [*filter(is_id, people)]}
    if not asked["people"]:
        return ()
    return tuple(sorted(session.scalars(FOLLOWERS_AMONG, asked)))


def _people(
    session: Session, which: _Which, asked: Mapping[str, Any]
) -> tuple[PersonFacts, ...]:
    roles: defaultdict[str, list[str]] = defaultdict(list)
    for person, role in session.execute(which.roles, asked):
        roles[person].append(role)
    found = (
        PersonFacts(**row._mapping, roles=tuple(roles[row.id]))  # noqa: SLF001
        for row in session.execute(which.people, asked)
    )
    # By id, whatever order a database has for texts.
    return tuple(sorted(found, key=lambda person: person.id))


def projects_by_id(session: Session, ids: Iterable[str]) -> tuple[ProjectFacts, ...]:
    """The projects of these ids that exist, with their partners, by id."""
    asked = {"ids": [*filter(is_id, ids)]}
    if not asked["ids"]:
        return ()
    partners: defaultdict[str, list[Any]] = defaultdict(list)
    for row in session.execute(ASSIGNMENTS, asked):
        partners[row.project].append(row)
    found = (_project(row, partners[row.id]) for row in session.execute(TITLES, asked))
    return tuple(sorted(found, key=lambda project: project.id))


def _project(row: Any, partners: list[Any]) -> ProjectFacts:
    return ProjectFacts(
        id=row.id,
        title=row.title,
        assigned=tuple(one.id for one in partners if one.withdrawn_at is None),
        withdrawn=tuple(one.id for one in partners if one.withdrawn_at is not None),
        partners=tuple(PartnerName(id=one.id, name=one.name) for one in partners),
    )


def person(session: Session, id: str) -> Person | None:
    """A person as the rules take them."""
    found = people_by_id(session, [id])
    return core_person(found[0]) if found else None


def core_person(facts: PersonFacts) -> Person:
    """Facts as they travel, as the rules take them."""
    return Person(
        id=PersonId(facts.id),
        name=facts.name,
        email=facts.email,
        partner=None if facts.partner is None else PartnerId(facts.partner),
        roles=frozenset(facts.roles),
        active=facts.active,
    )


def project(session: Session, id: str) -> Project | None:
    """A project as the rules take it."""
    for facts in projects_by_id(session, [id]):
        return Project(
            id=ProjectId(facts.id),
            assigned=frozenset(PartnerId(partner) for partner in facts.assigned),
            withdrawn=frozenset(PartnerId(partner) for partner in facts.withdrawn),
        )
    return None
