"""Answers that hold for a while, and waiting until none of them does.

Whoever is slow to act on an answer asks for one that holds long enough. What ends
somebody's access is committed first and confirmed only once every answer given before
has ended; so nobody acts on an old one after that (rules 2, 7 and 23).
"""

from datetime import timedelta
from typing import Final, cast

from sqlalchemy import Table, select

from clp_chassis.persistence.bulk_sql import insert_or_increase
from clp_contracts.projects import LONGEST_GOOD_S
from clp_projects.dependencies import Parts
from clp_projects.tables import PromiseRow

ONLY: Final = 1
# Who promised and who waits may be on two machines, whose clocks differ a little.
CLOCKS_APART: Final = timedelta(seconds=0.25)
LONGEST_WAIT: Final = timedelta(seconds=LONGEST_GOOD_S) + CLOCKS_APART
HOLDS: Final = select(PromiseRow.until).where(PromiseRow.id == ONLY)


def promise(seconds: float, *, parts: Parts) -> float:
    """Promise that facts read from now on hold for so long; gives for how long.

    It is committed before they are read: whoever changes them afterwards sees it.
    """
    granted: float = min(seconds, LONGEST_GOOD_S)
    if granted <= 0:
        return 0.0
    until = parts.clock() + timedelta(seconds=granted)
    with parts.database.writing(tell=False) as session:
        table = cast(Table, PromiseRow.__table__)
        insert_or_increase(session, table, {"id": ONLY, "until": until}, column="until")
    return granted


def outlast(*, parts: Parts) -> None:
    """Wait until no answer holds that was given before this moment."""
    with parts.database.reading() as session:
        until = session.scalar(HOLDS)
    if until is None:
        return
    left = until - parts.clock() + CLOCKS_APART
    if left > timedelta(0):
        parts.pause(min(left, LONGEST_WAIT).total_seconds())
