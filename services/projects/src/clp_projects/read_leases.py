"""Read leases: revoking access waits until outstanding leases have expired.

A caller that acts on facts later requests a lease on them. The end of an access is
committed first and confirmed only after every lease granted before has expired, so that
nobody acts on old facts after the confirmation (rules 2, 7 and 23).
"""

from datetime import timedelta
from typing import Final, cast

from sqlalchemy import Table, select

from clp_chassis.persistence.bulk_sql import upsert_max
from clp_contracts.projects import MAX_LEASE_S
from clp_projects.dependencies import Dependencies
from clp_projects.tables import ReadLeaseRow

SINGLETON_ID: Final = 1
# The process that grants and the one that waits may run on two machines.
MAX_CLOCK_SKEW: Final = timedelta(seconds=0.25)
MAX_WAIT: Final = timedelta(seconds=MAX_LEASE_S) + MAX_CLOCK_SKEW
LEASED_UNTIL: Final = select(ReadLeaseRow.until).where(ReadLeaseRow.id == SINGLETON_ID)


def grant_lease(seconds: float, *, deps: Dependencies) -> float:
    """Grant a lease on facts read from now on; return its length in seconds.

    Commit the lease before reading the facts: later changes of them will see it.
    """
    granted: float = min(seconds, MAX_LEASE_S)
    if granted <= 0:
        return 0.0
    until = deps.clock() + timedelta(seconds=granted)
    with deps.database.writing(notify=False) as session:
        table = cast(Table, ReadLeaseRow.__table__)
        values = {"id": SINGLETON_ID, "until": until}
        upsert_max(session, table, values, column="until")
    return granted


def wait_for_leases(*, deps: Dependencies) -> None:
    """Wait until every lease granted before this call has expired."""
    with deps.database.reading() as session:
        until = session.scalar(LEASED_UNTIL)
    if until is None:
        return
    remaining = until - deps.clock() + MAX_CLOCK_SKEW
    if remaining > timedelta(0):
        deps.sleep(min(remaining, MAX_WAIT).total_seconds())
