"""People whose name or address begins with what somebody has typed so far."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from clp_contracts.projects import AskPeopleLike, People
from clp_core.channels import is_id
from clp_core.mentions import Place, typing_key
from clp_core.people import PUBLISHED_ACCESS, AccessPolicy
from clp_projects import mapping
from clp_projects.dependencies import Parts
from clp_projects.tables import (
    THE_STUDIO,
    AssignmentRow,
    OpeningRow,
    PersonRow,
    RoleRow,
)
from clp_projects.text_validation import is_indexable

MOST_PEOPLE: Final = 20
# Up to so many at one kind of place are put in order; of more, the first by the index.
MOST_JUDGED: Final = 200
# Nothing a person can type sorts after it.
LAST_CHARACTER: Final = "\U0010ffff"


def people_like(ask: AskPeopleLike, *, parts: Parts) -> People:
    """The best matches among people with access, each at their best place.

    Internal people, and those of the named partner, or of all partners on the
    project; a partner that is not on the project now has nobody to offer (rule 18).
    """
    prefix = typing_key(ask.typed)
    limit = max(0, min(ask.limit, MOST_PEOPLE))
    if limit == 0 or not is_indexable(prefix):
        return People(people=())
    with parts.database.reading() as session:
        partners = _partners_asked_for(session, ask)
        best = _best_matches(session, prefix, partners)[:limit]
        found = {person.id: person for person in mapping.people_by_id(session, best)}
    return People(people=tuple(found[person] for person in best if person in found))


def _partners_asked_for(session: Session, ask: AskPeopleLike) -> list[str]:
    if not is_id(ask.project):
        return [THE_STUDIO]
    assigned = session.scalars(
        select(AssignmentRow.partner)
        .where(
            AssignmentRow.project == ask.project,
            AssignmentRow.withdrawn_at.is_(None),
        )
        .order_by(AssignmentRow.partner)
    )
    wanted = [p for p in assigned if ask.everybody or p == ask.partner]
    return [THE_STUDIO, *wanted]


def _best_matches(session: Session, prefix: str, partners: list[str]) -> list[str]:
    found: list[str] = []
    # Another kind of place only when those before it left room. Everybody's name
    # begins with nothing typed.
    for place in Place if prefix else (Place.NAME,):
        if len(found) >= MOST_PEOPLE:
            break
        found += _at_place(session, (place, prefix), partners)
    return found


def _at_place(
    session: Session, beginning: tuple[Place, str], partners: list[str]
) -> list[str]:
    place, prefix = beginning
    # Read in the order of the index and cut there: a prefix that thousands of people
    # share costs no more than one that few do.
    matches = (
        select(PersonRow.id, PersonRow.name, PersonRow.address_key)
        .join(OpeningRow, OpeningRow.person == PersonRow.id)
        .where(
            OpeningRow.rank == int(place),
            _begins_with(OpeningRow.key, prefix),
            OpeningRow.partner.in_(partners),
            ~_has_better_place(prefix),
            _has_portal_access(PUBLISHED_ACCESS),
        )
        .order_by(OpeningRow.key, OpeningRow.person)
        .limit(MOST_JUDGED)
    )
    # As the core ranks them (`prefix_rank`).
    ranked = sorted(
        (typing_key(row.name), row.address_key, row.id)
        for row in session.execute(matches)
    )
    return [person for *_, person in ranked]


def _begins_with(key: Any, prefix: str) -> ColumnElement[bool]:
    return and_(key >= prefix, key < prefix + LAST_CHARACTER)


def _has_better_place(prefix: str) -> ColumnElement[bool]:
    other = aliased(OpeningRow)
    earlier = and_(other.rank == OpeningRow.rank, other.key < OpeningRow.key)
    return exists().where(
        other.person == OpeningRow.person,
        _begins_with(other.key, prefix),
        or_(other.rank < OpeningRow.rank, earlier),
    )


def _has_portal_access(access: AccessPolicy) -> ColumnElement[bool]:
    """Rule 1 as the database asks it, so that others do not use up the places."""
    return and_(
        PersonRow.active,
        _has_role_of(access.admitting_roles),
        ~_has_role_of(access.excluding_roles),
    )


def _has_role_of(roles: Iterable[str]) -> ColumnElement[bool]:
    return exists().where(
        RoleRow.person == OpeningRow.person, RoleRow.role.in_(sorted(roles))
    )
