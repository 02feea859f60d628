"""Bringing a row up to date, and knowing whether that changed anything."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, and_, select, update
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import insert_if_absent


def store_row(
    session: Session, table: Table, *, key: Mapping[str, Any], values: Mapping[str, Any]
) -> bool:
    """Insert a row or bring it up to date; say whether that changed anything.

    An existing row stays locked until the commit.
    """
    if insert_if_absent(session, table, {**key, **values}):
        return True
    this = and_(*(table.c[name] == value for name, value in key.items()))
    columns = [table.c[name] for name in values]
    kept = session.execute(select(*columns).where(this).with_for_update()).one()
    if tuple(kept) == tuple(values.values()):
        return False
    session.execute(update(table).where(this).values(**values))
    return True
