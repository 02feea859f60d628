"""Bulk and idempotent SQL: upserts, multi-row inserts, arrays as one parameter."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Dialect,
    Select,
    String,
    Table,
    Text,
    TextClause,
    TypeDecorator,
    bindparam,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement
from typing_extensions import override

# Far below the number of values that any of the databases takes in a statement.
CHUNK: Final = 500

INSERTS: Final = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def insert_if_absent(session: Session, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key exists; return whether it was new."""
    insert_into: Any = INSERTS[session.get_bind().dialect.name]
    row = insert_into(table).values(**values).on_conflict_do_nothing()
    # Not every driver reports the number of inserted rows; all return the key.
    return session.execute(row.returning(*table.primary_key)).first() is not None


def upsert_max(
    session: Session, table: Table, rows: Sequence[Mapping[str, Any]], *, column: str
) -> None:
    """Insert rows, or raise a column of those with their keys; never lower it."""
    statement = _upsert_max(session.get_bind().dialect.name, table, column)
    session.execute(statement, dict(rows[0]) if len(rows) == 1 else list(rows))


@cache
def _upsert_max(dialect: str, table: Table, column: str) -> Any:
    upsert: Any = INSERTS[dialect](table)
    return upsert.on_conflict_do_update(
        index_elements=table.primary_key,
        set_={column: upsert.excluded[column]},
        where=table.c[column] < upsert.excluded[column],
    )


def insert_rows(
    session: Session,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    if_absent: bool = False,
) -> None:
    """Insert any number of rows, all with the same columns, in their order.

    With ``if_absent`` a row whose key exists is left as it is. PostgreSQL reads all
    rows from one JSON parameter: a statement per row would cost most of its time.
    """
    if not rows:
        return
    if session.get_bind().dialect.name == "sqlite":
        row = sqlite.insert(table)
        session.execute(row.on_conflict_do_nothing() if if_absent else row, rows)
        return
    one = _from_one_parameter(table, tuple(rows[0]), if_absent=if_absent)
    session.execute(one, {"rows": json.dumps(rows, default=_in_json)})


@cache
def _from_one_parameter(
    table: Table, columns: tuple[str, ...], *, if_absent: bool
) -> TextClause:
    name, names = table.name, ", ".join(columns)
    read = f"json_populate_recordset(CAST(NULL AS {name}), CAST(:rows AS json))"
    conflict = " ON CONFLICT DO NOTHING" if if_absent else ""
    # Names of tables and columns come from the code.
    return text(f"INSERT INTO {name} ({names}) SELECT {names} FROM {read}{conflict}")  # noqa: S608


def _in_json(value: Any) -> str:
    """Encode a time with its zone for PostgreSQL."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"no value of a row: {type(value).__name__}")
    return value.isoformat()


class TextArray(TypeDecorator[Iterable[str]]):
    """Any number of strings as one parameter: an array, or JSON on SQLite."""

    impl = String
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> Any:
        is_sqlite = dialect.name == "sqlite"
        texts = String() if is_sqlite else postgresql.ARRAY(String)
        return dialect.type_descriptor(texts)

    @override
    def bind_processor(self, dialect: Dialect) -> Any:
        """Write the text of an array: drivers do so for each element, at some cost."""
        write = json.dumps if dialect.name == "sqlite" else _array_text
        return lambda value: write([] if value is None else [*value])


def _array_text(texts: list[str]) -> str:
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


class _InArray(FunctionElement[bool]):
    name = "in_array"
    type = Boolean()
    inherit_cache = True
    # Rendered as it is: compared with 1, it would use no index.
    _is_implicitly_boolean = True


@compiles(_InArray)
def _with_an_array(element: Any, compiler: Any, **options: Any) -> str:
    column, texts = (compiler.process(part, **options) for part in element.clauses)
    # A join and no scan per row: any plan is good enough for many values.
    return f"{column} IN (SELECT unnest({texts}))"


@compiles(_InArray, "sqlite")
def _with_json(element: Any, compiler: Any, **options: Any) -> str:
    column, texts = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 - compiled


def in_array(column: Any, parameter: str) -> ColumnElement[bool]:
    """Whether a column's text is in a parameter that holds any number of strings.

    The statement is the same for any number, so it can be a constant: building and
    compiling one takes longer than the database needs to execute it.
    """
    return _InArray(column, bindparam(parameter, type_=TextArray()))


class _JsonRows(FunctionElement[str]):
    name = "json_rows"
    type = Text()
    inherit_cache = True


@compiles(_JsonRows)
def _json_rows(element: Any, compiler: Any, **options: Any) -> str:
    pairs = _pairs(element, compiler, options)
    return f"CAST(json_agg(json_build_object({pairs})) AS text)"


@compiles(_JsonRows, "sqlite")
def _json_rows_in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_group_array(json_object({_pairs(element, compiler, options)}))"


def _pairs(element: Any, compiler: Any, options: Mapping[str, Any]) -> str:
    columns = element.clauses
    return ", ".join(
        f"'{one.name}', {compiler.process(one, **options)}" for one in columns
    )


def json_rows(rows: Select[Any]) -> Any:
    """All rows of a query as one value, for `rows_in`.

    Several queries become one statement so, and one round trip.
    """
    table = rows.subquery()
    return select(_JsonRows(*table.c)).scalar_subquery()


def rows_in(value: str | None) -> list[Mapping[str, Any]]:
    """The rows that a database returned for `json_rows`, by column.

    Booleans of SQLite are numbers there, and times are texts.
    """
    found: list[Mapping[str, Any]] = json.loads(value) if value else []
    return found


def batched(items: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """Yield the distinct items, in order, in lists of a size for one statement."""
    distinct = list(dict.fromkeys(items))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]
