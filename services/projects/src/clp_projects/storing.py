"""Writing rows so that doing it twice, or at the same time elsewhere, is harmless."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Table, and_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

# Far below how many values any of the databases takes in one statement.
CHUNK: Final = 500

INSERTS: Final[Mapping[str, Callable[[Table], Any]]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


def insert_if_absent(session: Session, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same key is there; say whether it was new."""
    insert = INSERTS[session.get_bind().dialect.name]
    done: Any = session.execute(insert(table).values(**values).on_conflict_do_nothing())
    return bool(done.rowcount)


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


def chunks(items: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """The different items, in order, in lists that a database takes at once."""
    different = list(dict.fromkeys(items))
    for start in range(0, len(different), size):
        yield different[start : start + size]
