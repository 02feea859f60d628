"""Statements about many rows at once, on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from clp_chassis.persistence.bulk_sql import (
    in_array,
    insert_rows,
    json_rows,
    rows_in,
)
from clp_chassis.persistence.column_types import UtcDateTime
from clp_chassis.persistence.database import Database

THINGS = Table("things", MetaData(), Column("id", String(64), primary_key=True))
KINDS = Table(
    "kinds",
    THINGS.metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("word", String(64), unique=True),
    Column("many", Integer),
    Column("is_it", Boolean),
    Column("at", UtcDateTime),
    Column("unsaid", String(64), server_default="by default"),
)
SOME = select(THINGS.c.id).where(in_array(THINGS.c.id, "ids")).order_by(THINGS.c.id)
RENAME = update(THINGS).where(in_array(THINGS.c.id, "ids")).values(id=THINGS.c.id + "!")
ODD = ['"', "\\", "'; drop table things", "é", "字", "a,b", "{a}", "", "NULL", "%s"]


@pytest.fixture
def things(empty_database: Database) -> Database:
    """A table with odd names in it, on each database."""
    THINGS.metadata.create_all(empty_database.engine)
    with empty_database.writing() as session:
        session.execute(insert(THINGS), [{"id": one} for one in (*ODD, "a", "b")])
    return empty_database


# fmt: off
QUERIES = [
    ("none",                       [],                               []),
    ("one",                        ["a"],                            ["a"]),
    ("one that is not there",      ["c"],                            []),
    ("one named twice",            ["a", "a"],                       ["a"]),
    ("odd ones",                   ODD,                              sorted(ODD)),
    ("more than a statement takes", ["a", *map(str, range(70_000))], ["a"]),
]
# fmt: on


@pytest.mark.parametrize(
    ("what", "ids", "found"), QUERIES, ids=[row[0] for row in QUERIES]
)
def test_existing_rows_are_found(
    things: Database, what: str, ids: list[str], found: list[str]
) -> None:
    with things.reading() as session:
        assert sorted(session.scalars(SOME, {"ids": ids})) == found


def test_only_those_named_are_changed(things: Database) -> None:
    with things.writing() as session:
        session.execute(RENAME, {"ids": ["a"]})
    with things.reading() as session:
        assert session.scalars(SOME, {"ids": ["a", "a!", "b", "b!"]}).all() == [
            "a!",
            "b",
        ]


def test_the_index_is_used(things: Database) -> None:
    explain = "explain query plan" if things.is_sqlite else "explain"
    seen = str(SOME.compile(things.engine, compile_kwargs={"literal_binds": False}))
    assert " = 1" not in seen
    with things.reading() as session:
        if not things.is_sqlite:
            session.execute(text("set enable_seqscan = off"))
        query = str(SOME.compile(things.engine)) % {"ids": "'{a,b}'"}
        query = query.replace("?", """'["a","b"]'""")
        plan = " ".join(
            str(row[-1]) for row in session.execute(text(f"{explain} {query}"))
        )
    assert "SEARCH things" in plan or "Index Cond" in plan


AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
# fmt: off
INSERTED = [
    ("none",       []),
    ("one",        [{"word": "a", "many": 1, "is_it": True, "at": AT}]),
    ("nothings",   [{"word": "a", "many": None, "is_it": None, "at": None}]),
    ("odd words",  [{"word": one, "many": 0, "is_it": False, "at": AT} for one in ODD]),
    ("many",       [{"word": f"w{n}", "many": n, "is_it": n % 2 == 0, "at": AT} for n in range(70_000)]),
]
# fmt: on


@pytest.mark.parametrize(("what", "rows"), INSERTED, ids=[row[0] for row in INSERTED])
def test_rows_are_stored_as_they_are_and_numbered_in_their_order(
    things: Database, what: str, rows: list[dict[str, Any]]
) -> None:
    with things.writing() as session:
        insert_rows(session, KINDS, rows)
    with things.reading() as session:
        stored = session.execute(select(KINDS).order_by(KINDS.c.number)).all()
    assert [
        {"word": row.word, "many": row.many, "is_it": row.is_it, "at": row.at}
        for row in stored
    ] == rows, what
    assert {row.unsaid for row in stored} <= {"by default"}


def test_a_time_is_the_same_in_whatever_zone_it_was_given(things: Database) -> None:
    local = AT.astimezone(timezone(timedelta(hours=9)))
    with things.writing() as session:
        insert_rows(session, KINDS, [{"word": "a", "at": local}])
    with things.reading() as session:
        assert session.scalar(select(KINDS.c.at)) == AT


def test_one_row_that_cannot_be_stored_stores_none(things: Database) -> None:
    rows = [{"word": word} for word in ("a", "b", "a")]
    with pytest.raises(IntegrityError), things.writing() as session:
        insert_rows(session, KINDS, rows)
    with things.reading() as session:
        assert session.scalars(select(KINDS.c.word)).all() == []


def test_rows_whose_key_exists_are_left_as_they_are(things: Database) -> None:
    with things.writing() as session:
        insert_rows(session, KINDS, [{"word": "a", "many": 1}])
        rows = [{"word": word, "many": 2} for word in ("b", "a", "b")]
        insert_rows(session, KINDS, rows, if_absent=True)
        insert_rows(session, KINDS, [], if_absent=True)
    with things.reading() as session:
        stored = session.execute(select(KINDS.c.word, KINDS.c.many)).all()
    assert sorted((row.word, row.many) for row in stored) == [("a", 1), ("b", 2)]


def test_a_value_that_no_column_knows_is_refused(things: Database) -> None:
    with (
        pytest.raises(Exception, match=r"zone|no value"),
        things.writing() as session,
    ):
        insert_rows(session, KINDS, [{"word": "a", "at": AT.replace(tzinfo=None)}])


def test_all_rows_of_queries_are_values_of_one_row(things: Database) -> None:
    some = json_rows(select(THINGS.c.id).where(in_array(THINGS.c.id, "ids")))
    kinds = json_rows(select(KINDS.c.word, KINDS.c.many, KINDS.c.is_it))
    with things.writing() as session:
        insert_rows(session, KINDS, [{"word": '"é', "many": None, "is_it": True}])
        row = session.execute(select(some, kinds), {"ids": ODD}).one()
    assert sorted(one["id"] for one in rows_in(row[0])) == sorted(ODD)
    assert [dict(one) for one in rows_in(row[1])] == [
        {"word": '"é', "many": None, "is_it": True}
    ]
    with things.reading() as session:
        assert rows_in(session.scalar(select(some), {"ids": ()})) == []
