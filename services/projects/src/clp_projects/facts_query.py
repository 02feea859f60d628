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
from clp_projects.read_leases import ANY, MAX_NAMED_PEOPLE
from clp_projects.tables import ASSIGNMENTS, FOLLOWERS, PEOPLE, READ_LEASES

ASKED: Final = in_array(PEOPLE.c.id, "people")
FOLLOWS: Final = select(FOLLOWERS.c.project, FOLLOWERS.c.person)
# Two index lookups; an `or` of both conditions would scan the table.
ASKED_OR_FOLLOWING: Final = PEOPLE.c.id.in_(
    select(PEOPLE.c.id)
    .where(ASKED)
    .union(select(FOLLOWERS.c.person).where(in_array(FOLLOWERS.c.project, "projects")))
)
OWN_PARTNERS: Final = select(PEOPLE.c.partner).where(ASKED)
# Rows of other partners are not even read (T33), unless an internal person asks.
OWN_PROJECTS: Final = case(
    (
        exists().where(ASKED, PEOPLE.c.partner.is_(None)),
        json_rows(mapping.select_projects()),
    ),
    else_=json_rows(mapping.select_projects(ASSIGNMENTS.c.partner.in_(OWN_PARTNERS))),
)
LEASES: Final = select(READ_LEASES.c.key).where(
    in_array(READ_LEASES.c.person, "leased_people"),
    in_array(READ_LEASES.c.project, "leased_projects"),
    READ_LEASES.c.until >= bindparam("until", type_=READ_LEASES.c.until.type),
)


class _Part(StrEnum):
    """One part of the statement: what is read, and for which requests."""

    PEOPLE = "people"
    PEOPLE_AND_FOLLOWERS = "people_and_followers"
    PROJECTS = "projects"
    OWN_PROJECTS = "own_projects"
    FOLLOWS = "follows"
    ALL_FOLLOWS = "all_follows"
    LEASES = "leases"


PARTS: Final[dict[_Part, Any]] = {
    _Part.PEOPLE: json_rows(mapping.FACTS_OF_PEOPLE.where(ASKED)),
    _Part.PEOPLE_AND_FOLLOWERS: json_rows(
        mapping.FACTS_OF_PEOPLE.where(ASKED_OR_FOLLOWING)
    ),
    _Part.PROJECTS: json_rows(mapping.select_projects()),
    _Part.OWN_PROJECTS: OWN_PROJECTS,
    _Part.FOLLOWS: json_rows(
        FOLLOWS.where(
            in_array(FOLLOWERS.c.project, "followed"),
            in_array(FOLLOWERS.c.person, "followers"),
        )
    ),
    _Part.ALL_FOLLOWS: json_rows(
        FOLLOWS.where(in_array(FOLLOWERS.c.project, "projects"))
    ),
    _Part.LEASES: json_rows(LEASES),
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
    parts = tuple(_parts(request, parameters))
    if leased_until is not None:
        parts = (*parts, _Part.LEASES)
        parameters |= {"until": leased_until, **_leased(request)}
    found: dict[_Part, list[Any]] = {}
    if parts:
        row = session.execute(_statement(parts), parameters).one()
        found = dict(zip(parts, map(rows_in, row), strict=True))

    def rows_of(*either: _Part) -> list[Any]:
        return [row for part in either for row in found.get(part, ())]

    return FoundFacts(
        Facts(
            people=mapping.people_facts(
                rows_of(_Part.PEOPLE, _Part.PEOPLE_AND_FOLLOWERS)
            ),
            projects=mapping.project_facts(rows_of(_Part.PROJECTS, _Part.OWN_PROJECTS)),
            follows=_follows(rows_of(_Part.FOLLOWS, _Part.ALL_FOLLOWS), request),
        ),
        frozenset(row["key"] for row in rows_of(_Part.LEASES)),
    )


def _parameters(request: GetFacts) -> dict[str, Any]:
    return {
        "people": [*filter(is_id, request.people)],
        "projects": [*filter(is_id, request.project_ids)],
        "followers": [*filter(is_id, (one.person for one in request.follows))],
        "followed": [*filter(is_id, (one.project for one in request.follows))],
    }


def _parts(request: GetFacts, parameters: dict[str, Any]) -> Iterator[_Part]:
    """The parts that this request needs, without the leases."""
    if parameters["projects"]:
        yield _Part.OWN_PROJECTS if request.narrowed else _Part.PROJECTS
        if request.all_follows:
            yield _Part.PEOPLE_AND_FOLLOWERS
            yield _Part.ALL_FOLLOWS
            return
    if parameters["people"]:
        yield _Part.PEOPLE
    if not request.all_follows and parameters["followers"] and parameters["followed"]:
        yield _Part.FOLLOWS


def _leased(request: GetFacts) -> dict[str, list[str]]:
    """People and projects of the rows of leases; see `LeaseSubject`."""
    is_each = 0 < len(request.people) <= MAX_NAMED_PEOPLE
    return {
        "leased_people": [*filter(is_id, request.people)] if is_each else [ANY],
        "leased_projects": [*filter(is_id, request.project_ids)] or [ANY],
    }


@cache
def _statement(parts: tuple[_Part, ...]) -> Select[Any]:
    return select(*(PARTS[part] for part in parts))


def _follows(rows: Iterable[Any], request: GetFacts) -> tuple[Follow, ...]:
    """The follows of the rows, in order; of named ones no other combination."""
    found = {Follow(person=row["person"], project=row["project"]) for row in rows}
    if not request.all_follows:
        found &= set(request.follows)
    return tuple(sorted(found, key=lambda one: (one.project, one.person)))
