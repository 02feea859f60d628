"""Facts about people and projects, for services that apply the rules."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from clp_contracts.feed import Changes, Progress, ReadChanges
from clp_contracts.projects import (
    SERVICE,
    Facts,
    Follow,
    GetFacts,
    GetFollowers,
    GetPeopleByHandle,
    GetRecords,
    People,
    PersonFacts,
    Records,
)
from clp_core.channels import is_id
from clp_projects import mapping
from clp_projects.dependencies import Dependencies
from clp_projects.read_leases import LeaseSubject, grant_lease
from clp_projects.tables import INTERNAL, OUTBOX
from clp_projects.text_validation import is_indexable

# People move rarely; whoever moves at each attempt gets facts without a lease.
MAX_ATTEMPTS: Final = 3


def facts_about(request: GetFacts, *, deps: Dependencies) -> Facts:
    """Return the requested facts; missing projects and people are left out.

    A requested lease is granted before the facts are read (rule 23). It depends on the
    partners of the people: if one of them moves in between, it is granted once more.
    """
    # Nobody knows in advance whom a lease on all followers would be about.
    if request.lease_s <= 0 or request.all_follows:
        return _read_facts(request, deps=deps)
    for _ in range(MAX_ATTEMPTS):
        with deps.database.reading() as session:
            partners = mapping.partners_of_people(session, request.people)
        subject = LeaseSubject(
            partners=partners,
            project_ids=[*filter(is_id, request.project_ids)],
            follows=bool(request.follows),
        )
        lease_s = grant_lease(request.lease_s, subject, deps=deps)
        facts = _read_facts(request, deps=deps)
        if partners == {one.id: one.partner or INTERNAL for one in facts.people}:
            return replace(facts, lease_s=lease_s)
    return _read_facts(request, deps=deps)


def _read_facts(request: GetFacts, *, deps: Dependencies) -> Facts:
    with deps.database.reading() as session:
        follows = _follows(session, request)
        people = mapping.people_by_id(session, _people_asked_for(request, follows))
        partners = _partners_shown(people) if request.narrowed else None
        return Facts(
            projects=mapping.projects_by_id(session, request.project_ids, partners),
            people=people,
            follows=follows,
        )


def _people_asked_for(request: GetFacts, follows: Iterable[Follow]) -> Iterable[str]:
    if not request.all_follows:
        return request.people
    return dict.fromkeys((*request.people, *(one.person for one in follows)))


def _partners_shown(people: tuple[PersonFacts, ...]) -> frozenset[str] | None:
    """Return the partners of the people; None, which is all, for internal people."""
    partners = [person.partner for person in people]
    return None if None in partners else frozenset(filter(None, partners))


def _follows(session: Session, request: GetFacts) -> tuple[Follow, ...]:
    """Return the requested follows that hold, ordered by project and person."""
    if request.all_follows:
        return mapping.follows_of(session, request.project_ids)
    requested: dict[str, set[str]] = {}
    for follow in request.follows:
        if is_id(follow.project):
            requested.setdefault(follow.project, set()).add(follow.person)
    return tuple(
        Follow(person=person, project=project)
        for project in sorted(requested)
        for person in mapping.followers_among(
            session, project, sorted(requested[project])
        )
    )


def records(request: GetRecords, *, deps: Dependencies) -> Records:
    """Return records as they are stored, for who compares them with a source."""
    with deps.database.reading() as session:
        return Records(
            people=mapping.people_by_id(session, request.people),
            partners=mapping.partners_by_id(session, request.partners),
            projects=mapping.titles_by_id(session, request.project_ids),
            assignments=mapping.assignments_of(session, request.project_ids),
        )


def followers(request: GetFollowers, *, deps: Dependencies) -> People:
    """Return the followers of a project; the caller checks their access."""
    if not is_id(request.project):
        return People(people=())
    partner = request.partner
    if partner is not None and not is_id(partner):
        partner = INTERNAL
    with deps.database.reading() as session:
        return People(people=mapping.followers_of(session, request.project, partner))


def people_by_handle(request: GetPeopleByHandle, *, deps: Dependencies) -> People:
    """Return the people with one of these name or address keys (rules 15, 21).

    Hidden people are not read: the duration must not depend on them (T33).
    """
    keys = [key for key in request.lookup_keys if is_indexable(key)]
    partner = request.partner if request.partner and is_id(request.partner) else None
    with deps.database.reading() as session:
        people = mapping.people_by_key(
            session, keys, partner=partner, everybody=request.everybody
        )
    return People(people=people)


def changes(request: ReadChanges, *, deps: Dependencies) -> Changes:
    """Return the feed after a position."""
    with deps.database.reading() as session:
        return OUTBOX.after(session, request)


def progress(*, deps: Dependencies) -> Progress:
    """Report the progress; this service reads no other feed."""
    with deps.database.reading() as session:
        pending, head = OUTBOX.pending(session), OUTBOX.head(session)
        signs = OUTBOX.signs(session, SERVICE, deps.clock())
    return Progress(head=head, pending=pending, due=0, readers=(), signs=signs)
