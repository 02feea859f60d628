"""Read leases: revoking access waits until outstanding leases have expired.

A caller that acts on facts later requests a lease on them. The end of an access is
committed first and confirmed only after every lease granted before on what it ends has
expired, so that nobody acts on old facts after the confirmation (rules 2, 7 and 23).

A lease belongs to a person, their partner (or the studio) and a project. What one
partner requests neither extends nor delays anything of another one.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.exc import InternalError, OperationalError

from clp_chassis.persistence.bulk_sql import upsert_max
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


def are_named(people: int) -> bool:
    """Whether so many people have a lease each, not one by partner."""
    return 0 < people <= MAX_NAMED_PEOPLE


class LeaseScope(StrEnum):
    """The kind of facts that a lease is on."""

    ACCESS = "access"
    FOLLOWS = "follows"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSubject:
    """The subjects of facts: people with their partners, projects, perhaps follows."""

    partners: Mapping[str, str]
    project_ids: Sequence[str]
    follows: bool = False

    def rows(self) -> list[dict[str, str]]:
        """Return the rows of the lease without their end, by key.

        In one order, so that two requests never deadlock.
        """
        people = set(self.partners.items())
        if not are_named(len(people)):
            people = {(ANY, one) for one in self.partners.values()} or {(ANY, ANY)}
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

    def rows_without(self, granted: Collection[str]) -> list[dict[str, str]]:
        """Return those rows whose keys are not among the granted ones."""
        return [row for row in self.rows() if row["key"] not in granted]


def grant_leases(
    rows: Sequence[Mapping[str, str]], until: datetime, *, deps: Dependencies
) -> bool:
    """Grant leases on facts read from now on; return whether they could be granted.

    Commit leases before reading the facts: later changes of them will see them. A
    database that can only be read, as with a full disk, grants none, so that the facts
    hold for the call that reads them and people can go on reading.
    """
    try:
        with deps.database.writing(notify=False, at_once=len(rows) == 1) as session:
            ends = [{**row, "until": until + SLACK} for row in rows]
            upsert_max(session, READ_LEASES, ends, column="until")
    except (InternalError, OperationalError):
        logger.warning("no read lease: the database cannot be written")
        return False
    return True


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
