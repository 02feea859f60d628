"""Rows to facts: as other services get them, and as the rules take them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from clp_chassis.storing import chunks
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


def people_by_id(session: Session, ids: Iterable[str]) -> tuple[PersonFacts, ...]:
    """The people of these ids who exist, by id."""
    found: list[PersonFacts] = []
    for chunk in chunks(filter(is_id, ids)):
        found += _people(session, select(PersonRow.id).where(PersonRow.id.in_(chunk)))
    return tuple(sorted(found, key=lambda person: person.id))


def people_by_key(session: Session, keys: Iterable[str]) -> tuple[PersonFacts, ...]:
    """The people whose name or address has one of these keys, by id."""
    found: dict[str, PersonFacts] = {}
    for chunk in chunks(keys):
        named = select(PersonRow.id).where(PersonRow.name_key.in_(chunk))
        addressed = select(PersonRow.id).where(PersonRow.address_key.in_(chunk))
        # Two lookups of one index each; an `or` of both would read the whole table.
        people = _people(session, named.union(addressed))
        found.update((person.id, person) for person in people)
    return tuple(found[key] for key in sorted(found))


def followers_of(session: Session, project: str) -> tuple[PersonFacts, ...]:
    """Everybody who follows a project, by id, with or without access."""
    return _people(
        session, select(FollowerRow.person).where(FollowerRow.project == project)
    )


def followers_among(
    session: Session, project: str, people: Iterable[str]
) -> tuple[str, ...]:
    """Who of these people follows a project, by id."""
    found: list[str] = []
    for chunk in chunks(filter(is_id, people)):
        asked = select(FollowerRow.person).where(
            FollowerRow.project == project, FollowerRow.person.in_(chunk)
        )
        found.extend(session.scalars(asked))
    return tuple(sorted(found))


def _people(session: Session, ids: Any) -> tuple[PersonFacts, ...]:
    roles: defaultdict[str, list[str]] = defaultdict(list)
    held = select(RoleRow.person, RoleRow.role).where(RoleRow.person.in_(ids))
    for person, role in session.execute(held.order_by(RoleRow.role)):
        roles[person].append(role)
    columns = select(
        PersonRow.id,
        PersonRow.name,
        PersonRow.email,
        PersonRow.partner,
        PersonRow.active,
        PersonRow.language,
        PersonRow.time_zone,
    )
    rows = session.execute(columns.where(PersonRow.id.in_(ids)).order_by(PersonRow.id))
    return tuple(
        PersonFacts(**row._mapping, roles=tuple(roles[row.id]))  # noqa: SLF001
        for row in rows
    )


def projects_by_id(session: Session, ids: Iterable[str]) -> tuple[ProjectFacts, ...]:
    """The projects of these ids that exist, with their partners, by id."""
    found: list[ProjectFacts] = []
    for chunk in chunks(filter(is_id, ids)):
        found += _projects(session, chunk)
    return tuple(sorted(found, key=lambda project: project.id))


def _projects(session: Session, ids: list[str]) -> Iterable[ProjectFacts]:
    titles = select(ProjectRow.id, ProjectRow.title).where(ProjectRow.id.in_(ids))
    partners: defaultdict[str, list[Any]] = defaultdict(list)
    for row in session.execute(_assignments(ids)):
        partners[row.project].append(row)
    for found in session.execute(titles).all():
        rows = partners[found.id]
        yield ProjectFacts(
            id=found.id,
            title=found.title,
            assigned=tuple(row.id for row in rows if row.withdrawn_at is None),
            withdrawn=tuple(row.id for row in rows if row.withdrawn_at is not None),
            partners=tuple(PartnerName(id=row.id, name=row.name) for row in rows),
        )


def _assignments(projects: list[str]) -> Any:
    return (
        select(
            AssignmentRow.project,
            AssignmentRow.withdrawn_at,
            PartnerRow.id,
            PartnerRow.name,
        )
        .join(PartnerRow, PartnerRow.id == AssignmentRow.partner)
        .where(AssignmentRow.project.in_(projects))
        .order_by(AssignmentRow.project, PartnerRow.id)
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
