"""Complete a typed beginning of a name or mail address to people."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from clp_contracts.projects import People, SuggestPeople
from clp_core.channels import is_id
from clp_core.mentions import MatchField, search_key, typed_key
from clp_core.people import PUBLISHED_ACCESS, AccessPolicy
from clp_projects import mapping
from clp_projects.dependencies import Dependencies
from clp_projects.tables import (
    INTERNAL,
    AssignmentRow,
    PersonRow,
    PrefixEntryRow,
    RoleRow,
)
from clp_projects.text_validation import is_indexable

MAX_PEOPLE: Final = 20
# Matches per rank that are sorted; of more, the first in index order are taken.
MAX_RANKED: Final = 200
# The highest code point: every typed text sorts before it.
LAST_CHARACTER: Final = "\U0010ffff"


def suggest_people(request: SuggestPeople, *, deps: Dependencies) -> People:
    """Return the best matches among people with access, each at the best rank.

    Search internal people and those of the named partner, or of all partners of the
    project. A partner that is not assigned now contributes nobody (rule 18).
    """
    prefix = typed_key(request.typed)
    limit = max(0, min(request.limit, MAX_PEOPLE))
    if limit == 0 or not is_indexable(prefix):
        return People(people=())
    with deps.database.reading() as session:
        partners = _partners_of(session, request)
        best = _best_matches(session, prefix, partners)[:limit]
        found = {person.id: person for person in mapping.people_by_id(session, best)}
    return People(people=tuple(found[person] for person in best if person in found))


def _partners_of(session: Session, request: SuggestPeople) -> list[str]:
    if not is_id(request.project):
        return [INTERNAL]
    assigned = session.scalars(
        select(AssignmentRow.partner)
        .where(
            AssignmentRow.project == request.project,
            AssignmentRow.withdrawn_at.is_(None),
        )
        .order_by(AssignmentRow.partner)
    )
    wanted = [p for p in assigned if request.everybody or p == request.partner]
    return [INTERNAL, *wanted]


def _best_matches(session: Session, prefix: str, partners: list[str]) -> list[str]:
    found: list[str] = []
    # Query the next rank only when the previous ones left room. An empty prefix matches
    # every name.
    for rank in MatchField if prefix else (MatchField.NAME,):
        if len(found) >= MAX_PEOPLE:
            break
        found += _matches_of_rank(session, prefix, rank=rank, partners=partners)
    return found


def _matches_of_rank(
    session: Session, prefix: str, *, rank: MatchField, partners: list[str]
) -> list[str]:
    # Read in index order and limit there: a prefix that thousands of people share costs
    # no more than a rare one.
    matches = (
        select(PersonRow.id, PersonRow.name, PersonRow.address_key)
        .join(PrefixEntryRow, PrefixEntryRow.person == PersonRow.id)
        .where(
            PrefixEntryRow.rank == int(rank),
            _begins_with(PrefixEntryRow.key, prefix),
            PrefixEntryRow.partner.in_(partners),
            ~_has_better_match(prefix),
            _has_portal_access(PUBLISHED_ACCESS),
        )
        .order_by(PrefixEntryRow.key, PrefixEntryRow.person)
        .limit(MAX_RANKED)
    )
    # The order of `prefix_rank` in the core.
    ranked = sorted(
        (search_key(row.name), row.address_key, row.id)
        for row in session.execute(matches)
    )
    return [person for *_, person in ranked]


def _begins_with(key: Any, prefix: str) -> ColumnElement[bool]:
    return and_(key >= prefix, key < prefix + LAST_CHARACTER)


def _has_better_match(prefix: str) -> ColumnElement[bool]:
    other = aliased(PrefixEntryRow)
    earlier = and_(other.rank == PrefixEntryRow.rank, other.key < PrefixEntryRow.key)
    return exists().where(
        other.person == PrefixEntryRow.person,
        _begins_with(other.key, prefix),
        or_(other.rank < PrefixEntryRow.rank, earlier),
    )


def _has_portal_access(access: AccessPolicy) -> ColumnElement[bool]:
    """Rule 1 in SQL: people without access must not use up the limit."""
    return and_(
        PersonRow.active,
        _has_role_of(access.admitting_roles),
        ~_has_role_of(access.excluding_roles),
    )


def _has_role_of(roles: Iterable[str]) -> ColumnElement[bool]:
    return exists().where(
        RoleRow.person == PrefixEntryRow.person, RoleRow.role.in_(sorted(roles))
    )
