"""Map rows to the facts of the contracts and to the values of the core."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

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
    PARTNERS,
    PEOPLE,
    PROJECTS,
)


class _RolesOfPerson(FunctionElement[str]):
    """The roles of a person as a JSON list, in any order."""

    type = Text()
    inherit_cache = True


OF_PERSON: Final = "FROM person_roles AS r WHERE r.person = people.id"


@compiles(_RolesOfPerson)
def _roles_as_json(*_: Any, **__: Any) -> str:
    return f"(SELECT json_agg(r.role) {OF_PERSON})"


@compiles(_RolesOfPerson, "sqlite")
def _roles_as_json_in_sqlite(*_: Any, **__: Any) -> str:
    return f"(SELECT json_group_array(r.role) {OF_PERSON})"


# One statement reads people with their roles, built once for each way to select them.
FACTS_OF_PEOPLE: Final = select(
    PEOPLE.c.id,
    PEOPLE.c.name,
    PEOPLE.c.email,
    PEOPLE.c.partner,
    PEOPLE.c.active,
    PEOPLE.c.language,
    PEOPLE.c.time_zone,
    _RolesOfPerson().label("roles"),
)
BY_ID: Final = FACTS_OF_PEOPLE.where(in_array(PEOPLE.c.id, "ids"))
# The index of the keys also decides whose people they are: hidden owners cost nothing.
VISIBLE: Final = PEOPLE.c.partner.is_(None) | (PEOPLE.c.partner == bindparam("partner"))


def _handle_owners(*conditions: ColumnElement[bool]) -> Select[Any]:
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
    return FACTS_OF_PEOPLE.where(PEOPLE.c.id.in_(owners))


BY_KEY: Final = _handle_owners()
VISIBLE_BY_KEY: Final = _handle_owners(VISIBLE)
FOLLOWING: Final = select(FOLLOWERS.c.person).where(
    FOLLOWERS.c.project == bindparam("project")
)
ALL_FOLLOWERS: Final = FACTS_OF_PEOPLE.where(PEOPLE.c.id.in_(FOLLOWING))
NEAR_FOLLOWERS: Final = ALL_FOLLOWERS.where(VISIBLE)
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


def select_projects(*narrowed: ColumnElement[bool]) -> Select[Any]:
    """Select projects with their partners: a row for each, one without if none.

    With conditions, only the partners that fulfil them.
    """
    return (
        select(
            PROJECTS.c.id,
            PROJECTS.c.title,
            ASSIGNMENTS.c.withdrawn_at,
            PARTNERS.c.id.label("partner"),
            PARTNERS.c.name,
        )
        .outerjoin_from(
            PROJECTS,
            ASSIGNMENTS,
            and_(ASSIGNMENTS.c.project == PROJECTS.c.id, *narrowed),
        )
        .outerjoin(PARTNERS, PARTNERS.c.id == ASSIGNMENTS.c.partner)
        .where(in_array(PROJECTS.c.id, "projects"))
    )


PROJECT_FACTS: Final = select_projects()


def people_by_id(session: Session, ids: Iterable[str]) -> tuple[PersonFacts, ...]:
    """Return the people with these ids, ordered by id."""
    wanted = [*filter(is_id, ids)]
    return _people(session, BY_ID, {"ids": wanted}) if wanted else ()


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


def _people(
    session: Session, people: Select[Any], parameters: Mapping[str, Any]
) -> tuple[PersonFacts, ...]:
    return people_facts(session.execute(people, parameters).mappings())


def people_facts(rows: Iterable[Mapping[Any, Any]]) -> tuple[PersonFacts, ...]:
    """Return rows of `FACTS_OF_PEOPLE` as facts, ordered by id.

    Databases order texts differently.
    """
    return tuple(sorted(map(_person, rows), key=lambda person: person.id))


def _person(row: Mapping[Any, Any]) -> PersonFacts:
    return PersonFacts(
        id=row["id"],
        name=row["name"],
        email=row["email"],
        partner=row["partner"],
        roles=_roles(row["roles"]),
        active=bool(row["active"]),
        language=row["language"],
        time_zone=row["time_zone"],
    )


def _roles(value: Any) -> tuple[str, ...]:
    """The roles: a list, or its JSON as SQLite returns it; None if there are none."""
    roles = json.loads(value) if isinstance(value, str) else value
    return tuple(sorted(roles or ()))


def project_facts(rows: Iterable[Mapping[Any, Any]]) -> tuple[ProjectFacts, ...]:
    """Return rows of `select_projects` as facts, ordered by id."""
    grouped: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row["id"]].append(row)
    return tuple(_project(grouped[project]) for project in sorted(grouped))


def _project(rows: list[Mapping[Any, Any]]) -> ProjectFacts:
    partners = sorted(
        (row for row in rows if row["partner"] is not None),
        key=lambda row: str(row["partner"]),
    )
    return ProjectFacts(
        id=rows[0]["id"],
        title=rows[0]["title"],
        assigned=tuple(
            one["partner"] for one in partners if one["withdrawn_at"] is None
        ),
        withdrawn=tuple(
            one["partner"] for one in partners if one["withdrawn_at"] is not None
        ),
        partners=tuple(
            PartnerName(id=one["partner"], name=one["name"]) for one in partners
        ),
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
    if not is_id(id):
        return None
    rows = session.execute(PROJECT_FACTS, {"projects": [id]}).mappings()
    found = project_facts(rows)
    return to_project(found[0]) if found else None
