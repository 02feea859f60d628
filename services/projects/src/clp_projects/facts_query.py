"""Read facts about people and projects, and the leases on them, by one statement.

What one statement reads was true at one moment: a lease that is among its rows was
committed before the facts were read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, case, exists, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import in_array, json_rows, rows_in
from clp_contracts.projects import Facts, Follow, GetFacts
from clp_core.channels import is_id
from clp_projects import mapping
from clp_projects.read_leases import ANY, are_named
from clp_projects.tables import ASSIGNMENTS, FOLLOWERS, PEOPLE, READ_LEASES

REQUESTED_PEOPLE: Final = in_array(PEOPLE.c.id, "people")
FOLLOWS: Final = select(FOLLOWERS.c.project, FOLLOWERS.c.person)
# Two index lookups; an `or` of both conditions would scan the table.
REQUESTED_OR_FOLLOWING: Final = PEOPLE.c.id.in_(
    select(PEOPLE.c.id)
    .where(REQUESTED_PEOPLE)
    .union(select(FOLLOWERS.c.person).where(in_array(FOLLOWERS.c.project, "projects")))
)
OWN_PARTNERS: Final = select(PEOPLE.c.partner).where(REQUESTED_PEOPLE)
# Rows of other partners are not even read (T33), unless an internal person asks.
OWN_PROJECTS: Final = case(
    (
        exists().where(REQUESTED_PEOPLE, PEOPLE.c.partner.is_(None)),
        json_rows(mapping.select_projects()),
    ),
    else_=json_rows(mapping.select_projects(ASSIGNMENTS.c.partner.in_(OWN_PARTNERS))),
)
LEASES: Final = select(READ_LEASES.c.key).where(
    in_array(READ_LEASES.c.person, "leased_people"),
    in_array(READ_LEASES.c.project, "leased_projects"),
    READ_LEASES.c.until >= bindparam("until", type_=READ_LEASES.c.until.type),
)


class _Column(StrEnum):
    """One column of the statement: what is read, and for which requests."""

    PEOPLE = "people"
    PEOPLE_AND_FOLLOWERS = "people_and_followers"
    PROJECTS = "projects"
    OWN_PROJECTS = "own_projects"
    FOLLOWS = "follows"
    ALL_FOLLOWS = "all_follows"
    LEASES = "leases"


COLUMNS: Final[dict[_Column, Any]] = {
    _Column.PEOPLE: json_rows(mapping.FACTS_OF_PEOPLE.where(REQUESTED_PEOPLE)),
    _Column.PEOPLE_AND_FOLLOWERS: json_rows(
        mapping.FACTS_OF_PEOPLE.where(REQUESTED_OR_FOLLOWING)
    ),
    _Column.PROJECTS: json_rows(mapping.select_projects()),
    _Column.OWN_PROJECTS: OWN_PROJECTS,
    _Column.FOLLOWS: json_rows(
        FOLLOWS.where(
            in_array(FOLLOWERS.c.project, "followed"),
            in_array(FOLLOWERS.c.person, "followers"),
        )
    ),
    _Column.ALL_FOLLOWS: json_rows(
        FOLLOWS.where(in_array(FOLLOWERS.c.project, "projects"))
    ),
    _Column.LEASES: json_rows(LEASES),
}


@dataclass(frozen=True, slots=True)
class FoundFacts:
    """Facts, and the keys of the leases on them that last long enough."""

    facts: Facts
    leased: frozenset[str]


def read_facts(
    session: Session, request: GetFacts, *, leased_until: datetime | None = None
) -> FoundFacts:
    """Read the requested facts; missing projects and people are left out.

    With ``leased_until`` also the leases on them that last until then.
    """
    parameters = _parameters(request)
    columns = tuple(_columns(request, parameters))
    if leased_until is not None:
        columns = (*columns, _Column.LEASES)
        parameters |= {"until": leased_until, **_leased(request)}
    found: dict[_Column, list[Any]] = {}
    if columns:
        row = session.execute(_statement(columns), parameters).one()
        found = dict(zip(columns, map(rows_in, row), strict=True))

    def rows_of(*either: _Column) -> list[Any]:
        return [row for column in either for row in found.get(column, ())]

    return FoundFacts(
        Facts(
            people=mapping.people_facts(
                rows_of(_Column.PEOPLE, _Column.PEOPLE_AND_FOLLOWERS)
            ),
            projects=mapping.project_facts(
                rows_of(_Column.PROJECTS, _Column.OWN_PROJECTS)
            ),
            follows=_follows(rows_of(_Column.FOLLOWS, _Column.ALL_FOLLOWS), request),
        ),
        frozenset(row["key"] for row in rows_of(_Column.LEASES)),
    )


def _parameters(request: GetFacts) -> dict[str, Any]:
    return {
        "people": [*filter(is_id, request.people)],
        "projects": [*filter(is_id, request.project_ids)],
        "followers": [*filter(is_id, (one.person for one in request.follows))],
        "followed": [*filter(is_id, (one.project for one in request.follows))],
    }


def _columns(request: GetFacts, parameters: dict[str, Any]) -> Iterator[_Column]:
    """The columns that this request needs, without the leases."""
    if parameters["projects"]:
        yield _Column.OWN_PROJECTS if request.narrowed else _Column.PROJECTS
        if request.all_follows:
            yield _Column.PEOPLE_AND_FOLLOWERS
            yield _Column.ALL_FOLLOWS
            return
    if parameters["people"]:
        yield _Column.PEOPLE
    if not request.all_follows and parameters["followers"] and parameters["followed"]:
        yield _Column.FOLLOWS


def _leased(request: GetFacts) -> dict[str, list[str]]:
    """People and projects of the rows of leases; see `LeaseSubject`."""
    is_named = are_named(len(request.people))
    return {
        "leased_people": [*filter(is_id, request.people)] if is_named else [ANY],
        "leased_projects": [*filter(is_id, request.project_ids)] or [ANY],
    }


@cache
def _statement(columns: tuple[_Column, ...]) -> Select[Any]:
    return select(*(COLUMNS[column] for column in columns))


def _follows(rows: Iterable[Any], request: GetFacts) -> tuple[Follow, ...]:
    """The follows of the rows, in order; of named ones no other combination."""
    found = {Follow(person=row["person"], project=row["project"]) for row in rows}
    if not request.all_follows:
        found &= set(request.follows)
    return tuple(sorted(found, key=lambda one: (one.project, one.person)))
