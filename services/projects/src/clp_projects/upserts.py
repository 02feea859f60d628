"""Upsert a row, and report whether that changed it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, and_, select, update
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import insert_if_absent


def store_row(
    session: Session, table: Table, *, key: Mapping[str, Any], values: Mapping[str, Any]
) -> bool:
    """Insert or update a row; return whether that changed it.

    An existing row stays locked until the commit.
    """
    if insert_if_absent(session, table, {**key, **values}):
        return True
    is_row = and_(*(table.c[name] == value for name, value in key.items()))
    columns = [table.c[name] for name in values]
    stored = session.execute(select(*columns).where(is_row).with_for_update()).one()
    if tuple(stored) == tuple(values.values()):
        return False
    session.execute(update(table).where(is_row).values(**values))
    return True
