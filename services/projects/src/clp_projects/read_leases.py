"""Read leases: revoking access waits until outstanding leases have expired.

A caller that acts on facts later requests a lease on them. The end of an access is
committed first and confirmed only after every lease granted before on what it ends has
expired, so that nobody acts on old facts after the confirmation (rules 2, 7 and 23).

A lease belongs to a person, their partner (or the studio) and a project. What one
partner requests neither extends nor delays anything of another one.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import product
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.exc import InternalError, OperationalError

from clp_chassis.persistence.bulk_sql import in_array, upsert_max
from clp_contracts.projects import MAX_LEASE_S
from clp_projects.dependencies import Dependencies
from clp_projects.tables import READ_LEASES

logger = logging.getLogger(__name__)

# The process that grants and the one that waits may run on two machines.
MAX_CLOCK_SKEW: Final = timedelta(seconds=0.25)
# A row lasts a little longer than its lease, so that requests shortly after find it so.
SLACK: Final = timedelta(seconds=0.25)
MAX_WAIT: Final = timedelta(seconds=MAX_LEASE_S) + SLACK + MAX_CLOCK_SKEW
# Of more people at once, one row stands for all people of their partner.
MAX_NAMED_PEOPLE: Final = 50
# No id has this form.
ANY: Final = "*"
KEPT: Final = timedelta(minutes=1)
LEASED: Final = select(READ_LEASES.c.key, READ_LEASES.c.until).where(
    in_array(READ_LEASES.c.key, "keys")
)


class LeaseScope(StrEnum):
    """The kind of facts that a lease is on."""

    ACCESS = "access"
    FOLLOWS = "follows"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSubject:
    """What facts are about: people with their partners, projects, perhaps follows."""

    partners: Mapping[str, str]
    project_ids: Sequence[str]
    follows: bool = False

    def rows(self) -> list[dict[str, str]]:
        """Return the rows of the lease without their end, by key.

        In one order, so that two requests never deadlock.
        """
        people = set(self.partners.items()) or {(ANY, ANY)}
        if len(people) > MAX_NAMED_PEOPLE:
            people = {(ANY, partner) for partner in self.partners.values()}
        projects = set(self.project_ids) or {ANY}
        scopes = [LeaseScope.ACCESS, *([LeaseScope.FOLLOWS] if self.follows else [])]
        return [
            {
                "key": f"{scope} {person} {partner} {project}",
                "scope": scope,
                "person": person,
                "partner": partner,
                "project": project,
            }
            for scope, (person, partner), project in sorted(
                product(scopes, people, projects)
            )
        ]


def grant_lease(seconds: float, subject: LeaseSubject, *, deps: Dependencies) -> float:
    """Grant a lease on facts read from now on; return its length in seconds.

    Commit the lease before reading the facts: later changes of them will see it. A
    database that can only be read, as with a full disk, grants none, so that the facts
    hold for the call that reads them and people can go on reading.
    """
    granted: float = min(seconds, MAX_LEASE_S)
    if granted <= 0:
        return 0.0
    until = deps.clock() + timedelta(seconds=granted)
    rows = {row["key"]: row for row in subject.rows()}
    with deps.database.reading() as session:
        leased = {
            row.key: row.until for row in session.execute(LEASED, {"keys": list(rows)})
        }
    missing: list[dict[str, Any]] = [
        {**row, "until": until + SLACK}
        for key, row in rows.items()
        if key not in leased or leased[key] < until
    ]
    if missing:
        try:
            at_once = len(missing) == 1
            with deps.database.writing(notify=False, at_once=at_once) as session:
                upsert_max(session, READ_LEASES, missing, column="until")
        except (InternalError, OperationalError):
            logger.warning("no read lease: the database cannot be written")
            return 0.0
    return granted


def leases_of_partner(project: str, partner: str) -> ColumnElement[bool]:
    """Select the leases on the access of a partner's people to a project."""
    return (
        (READ_LEASES.c.scope == LeaseScope.ACCESS)
        & READ_LEASES.c.project.in_((project, ANY))
        & READ_LEASES.c.partner.in_((partner, ANY))
    )


def leases_of_people(people: Sequence[str]) -> ColumnElement[bool]:
    """Select the leases on the access of people, also among many people."""
    return (READ_LEASES.c.scope == LeaseScope.ACCESS) & READ_LEASES.c.person.in_(
        (*people, ANY)
    )


def leases_of_follow(person: str, project: str) -> ColumnElement[bool]:
    """Select the leases on whether a person follows a project."""
    return (
        (READ_LEASES.c.scope == LeaseScope.FOLLOWS)
        & READ_LEASES.c.project.in_((project, ANY))
        & READ_LEASES.c.person.in_((person, ANY))
    )


def wait_for_leases(condition: ColumnElement[bool], *, deps: Dependencies) -> None:
    """Wait until every selected lease granted before this call has expired."""
    with deps.database.reading() as session:
        until = session.scalar(select(func.max(READ_LEASES.c.until)).where(condition))
    if until is None:
        return
    remaining = until - deps.clock() + MAX_CLOCK_SKEW
    if remaining > timedelta(0):
        deps.sleep(min(remaining, MAX_WAIT).total_seconds())


def delete_expired_leases(*, deps: Dependencies) -> None:
    """Delete the leases that nobody waits for any more."""
    expired = READ_LEASES.c.until < deps.clock() - KEPT
    with deps.database.writing(notify=False) as session:
        session.execute(delete(READ_LEASES).where(expired))
