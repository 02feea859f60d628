"""Writing rows so that doing it twice, or at the same time elsewhere, is harmless."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

# Far below how many values any of the databases takes in one statement.
CHUNK: Final = 500

INSERTS: Final = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def insert_if_absent(session: Session, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same key is there; say whether it was new."""
    insert: Any = INSERTS[session.get_bind().dialect.name]
    row = insert(table).values(**values).on_conflict_do_nothing()
    # How many rows an insert touched is not told by every driver; what it returns is.
    return session.execute(row.returning(*table.primary_key)).first() is not None


def chunks(items: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """The different items, in order, in lists that a database takes at once."""
    different = list(dict.fromkeys(items))
    for start in range(0, len(different), size):
        yield different[start : start + size]
