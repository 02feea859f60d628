"""Questions about many rows at once, on both databases."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, String, Table, insert, select, text, update

from clp_chassis.database import Database
from clp_chassis.storing import among
from clp_suite.servers import PrivatePostgres

_numbers = itertools.count(1)

THINGS = Table("things", MetaData(), Column("id", String(64), primary_key=True))
SOME = select(THINGS.c.id).where(among(THINGS.c.id, "ids")).order_by(THINGS.c.id)
RENAME = update(THINGS).where(among(THINGS.c.id, "ids")).values(id=THINGS.c.id + "!")
ODD = ['"', "\\", "'; drop table things", "é", "字", "a,b", "{a}", "", "NULL", "%s"]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.broker)])
def things(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A table with odd names in it, on each database."""
    url = f"sqlite:///{tmp_path / 'things.db'}"
    if request.param == "postgres":
        server: PrivatePostgres = request.getfixturevalue("postgres")
        url = server.create_database(f"things{next(_numbers)}")
    database = Database(url)
    THINGS.metadata.create_all(database.engine)
    with database.writing() as session:
        session.execute(insert(THINGS), [{"id": one} for one in (*ODD, "a", "b")])
    yield database
    database.close()


# fmt: off
ASKED = [
    ("none",                       [],                               []),
    ("one",                        ["a"],                            ["a"]),
    ("one that is not there",      ["c"],                            []),
    ("one named twice",            ["a", "a"],                       ["a"]),
    ("odd ones",                   ODD,                              sorted(ODD)),
    ("more than a statement takes", ["a", *map(str, range(70_000))], ["a"]),
]
# fmt: on


@pytest.mark.parametrize(("what", "ids", "found"), ASKED, ids=[row[0] for row in ASKED])
def test_those_that_are_there_are_found_when_asked_for(
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
        asked = str(SOME.compile(things.engine)) % {"ids": "'{a,b}'"}
        asked = asked.replace("?", """'["a","b"]'""")
        plan = " ".join(
            str(row[-1]) for row in session.execute(text(f"{explain} {asked}"))
        )
    assert "SEARCH things" in plan or "Index Cond" in plan
