"""Writing rows so that doing it twice is harmless, and asking about many at once."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Dialect,
    String,
    Table,
    TextClause,
    TypeDecorator,
    bindparam,
    insert,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement
from typing_extensions import override

# Far below how many values any of the databases takes in one statement.
CHUNK: Final = 500

INSERTS: Final = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def insert_if_absent(session: Session, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same key is there; say whether it was new."""
    made: Any = INSERTS[session.get_bind().dialect.name]
    row = made(table).values(**values).on_conflict_do_nothing()
    # How many rows an insert touched is not told by every driver; what it returns is.
    return session.execute(row.returning(*table.primary_key)).first() is not None


def insert_or_increase(
    session: Session, table: Table, values: Mapping[str, Any], *, column: str
) -> None:
    """Insert a row, or increase a column of the one with its key; never lower it."""
    made: Any = INSERTS[session.get_bind().dialect.name](table).values(**values)
    session.execute(
        made.on_conflict_do_update(
            index_elements=table.primary_key,
            set_={column: made.excluded[column]},
            where=table.c[column] < made.excluded[column],
        )
    )


def insert_rows(
    session: Session, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert any number of rows, all with the same columns.

    A server reads them from one parameter: a statement for each of them would be most
    of what it has to do.
    """
    if not rows:
        return
    if session.get_bind().dialect.name == "sqlite":
        session.execute(insert(table), rows)
        return
    statement = _from_one_parameter(table, tuple(rows[0]))
    session.execute(statement, {"rows": json.dumps(rows, default=_in_json)})


@cache
def _from_one_parameter(table: Table, columns: tuple[str, ...]) -> TextClause:
    name, names = table.name, ", ".join(columns)
    read = f"json_populate_recordset(CAST(NULL AS {name}), CAST(:rows AS json))"
    # No name comes from outside: tables and columns are our own.
    return text(f"INSERT INTO {name} ({names}) SELECT {names} FROM {read}")  # noqa: S608


def _in_json(value: Any) -> str:
    """What JSON does not know: a point in time, as every server reads it."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"no value of a row: {type(value).__name__}")
    return value.isoformat()


class Texts(TypeDecorator[Iterable[str]]):
    """Any number of texts as one parameter: an array, or JSON where there is none."""

    impl = String
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> Any:
        is_sqlite = dialect.name == "sqlite"
        texts = String() if is_sqlite else postgresql.ARRAY(String)
        return dialect.type_descriptor(texts)

    @override
    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> Any:
        texts = [*value] if value is not None else []
        return json.dumps(texts) if dialect.name == "sqlite" else texts


class _Among(FunctionElement[bool]):
    name = "among"
    type = Boolean()
    inherit_cache = True
    # Nothing is added to it: compared with 1, it would use no index.
    _is_implicitly_boolean = True


@compiles(_Among)
def _with_an_array(element: Any, compiler: Any, **options: Any) -> str:
    column, texts = (compiler.process(part, **options) for part in element.clauses)
    # Joined with, not looked through for each row: any plan is good enough for many.
    return f"{column} IN (SELECT unnest({texts}))"


@compiles(_Among, "sqlite")
def _with_json(element: Any, compiler: Any, **options: Any) -> str:
    column, texts = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 - compiled


def among(column: Any, parameter: str) -> ColumnElement[bool]:
    """Whether a column's text is among those of a parameter, however many they are.

    The statement stays the same for any number, so it is written once, as a constant:
    building and compiling one takes longer than the database needs to answer it.
    """
    return _Among(column, bindparam(parameter, type_=Texts()))


def chunks(items: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """The different items, in order, in lists that a database takes at once."""
    different = list(dict.fromkeys(items))
    for start in range(0, len(different), size):
        yield different[start : start + size]
