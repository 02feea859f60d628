"""Facts about people and projects, for services that apply the rules."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from clp_contracts.feed import Changes, Progress, ReadChanges
from clp_contracts.projects import (
    MAX_LEASE_S,
    SERVICE,
    Facts,
    GetFacts,
    GetFollowers,
    GetPeopleByHandle,
    GetRecords,
    People,
    Records,
)
from clp_core.channels import is_id
from clp_projects import mapping
from clp_projects.dependencies import Dependencies
from clp_projects.facts_query import FoundFacts, read_facts
from clp_projects.read_leases import LeaseSubject, grant_leases
from clp_projects.tables import INTERNAL, OUTBOX
from clp_projects.text_validation import is_indexable

# People move rarely; whoever moves at each attempt gets facts without a lease.
MAX_ATTEMPTS: Final = 3


def facts_about(request: GetFacts, *, deps: Dependencies) -> Facts:
    """Return the requested facts; missing projects and people are left out.

    A requested lease is granted before the facts are read (rule 23): where it is not
    found beside them, it is granted and they are read once more. It depends on the
    partners of the people: if one of them moves in between, it is granted again.
    """
    # Nobody knows in advance whom a lease on all followers would be about.
    if request.lease_s <= 0 or request.all_follows:
        return _read(request, deps=deps).facts
    lease_s = min(request.lease_s, MAX_LEASE_S)
    until = deps.clock() + timedelta(seconds=lease_s)
    found = _read(request, deps=deps, leased_until=until)
    granted = found.leased
    for _ in range(MAX_ATTEMPTS):
        missing = _subject(request, found.facts).rows_without(granted)
        if not missing:
            return replace(found.facts, lease_s=lease_s)
        if not grant_leases(missing, until, deps=deps):
            break
        granted |= {row["key"] for row in missing}
        found = _read(request, deps=deps)
    return found.facts


def _read(
    request: GetFacts, *, deps: Dependencies, leased_until: datetime | None = None
) -> FoundFacts:
    with deps.database.reading() as session:
        return read_facts(session, request, leased_until=leased_until)


def _subject(request: GetFacts, facts: Facts) -> LeaseSubject:
    return LeaseSubject(
        partners={one.id: one.partner or INTERNAL for one in facts.people},
        project_ids=[*filter(is_id, request.project_ids)],
        follows=bool(request.follows),
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
