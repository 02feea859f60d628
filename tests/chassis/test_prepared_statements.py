"""Constant statements past SQLAlchemy's context, on connections that stay open."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import in_array
from clp_chassis.persistence.column_types import UtcDateTime
from clp_chassis.persistence.database import MAX_KEPT, Database
from clp_suite.server_access import DatabaseAccess

REELS: Final = Table(
    "reels",
    MetaData(),
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("title", String(64), unique=True),
    Column("is_in", Boolean),
    Column("at", UtcDateTime),
)
AT: Final = datetime(2026, 11, 30, 9, 0, 0, 7, tzinfo=UTC)
ROWS: Final = [
    {"title": "100 % of it, or so: 'a' \"b\"", "is_in": True, "at": AT},
    {"title": "second", "is_in": False, "at": None},
    {"title": "third", "is_in": None, "at": AT + timedelta(hours=1)},
]
ALL: Final = select(REELS).order_by(REELS.c.number)
SINCE: Final = select(REELS.c.title, REELS.c.at.label("since")).where(
    REELS.c.at >= bindparam("at", type_=UtcDateTime)
)
NAMED: Final = select(REELS.c.number).where(in_array(REELS.c.title, "titles"))
LIKE: Final = select(REELS.c.title).where(REELS.c.title.like("100 %"))
COUNT: Final = select(func.count(), func.max(REELS.c.number)).select_from(REELS)
PLAIN: Final = text("SELECT title FROM reels WHERE number = :number")
ONE_OF: Final = select(REELS.c.title).where(
    REELS.c.number.in_(bindparam("numbers", expanding=True))
)
RENAME: Final = (
    update(REELS)
    .where(REELS.c.number == bindparam("of"))
    .values(title=bindparam("to"))
    .returning(REELS.c.number, REELS.c.at)
)
ADD: Final = insert(REELS)
REMOVE: Final = delete(REELS).where(REELS.c.number >= bindparam("least"))


@pytest.fixture
def database(empty_database: Database) -> Database:
    """Three reels, on each database."""
    REELS.metadata.create_all(empty_database.engine)
    with empty_database.writing() as session:
        session.execute(insert(REELS), ROWS)
    return empty_database


# fmt: off
CALLS: Final = [
    (ALL,    None),
    (SINCE,  {"at": AT.astimezone(timezone(timedelta(hours=9)))}),
    (SINCE,  {"at": AT + timedelta(days=1)}),
    (NAMED,  {"titles": [ROWS[0]["title"], "third", "none"], "unused": 1}),
    (LIKE,   {}),
    (COUNT,  {}),
    (PLAIN,  {"number": 2}),
    (ONE_OF, {"numbers": [1, 3]}),
    (RENAME, {"of": 3, "to": "last"}),
]
# fmt: on


@pytest.mark.parametrize(("statement", "parameters"), CALLS)
def test_the_short_way_returns_what_sqlalchemy_returns(
    database: Database, statement: Any, parameters: Any
) -> None:
    with database.writing() as session:
        expected = session.connection().execute(statement, parameters)
        names, rows = tuple(expected.keys()), expected.all()
        for _ in range(3):
            found = session.execute(statement, parameters)
            assert (tuple(found.keys()), found.all()) == (names, rows)


def test_rows_have_the_names_of_their_columns(database: Database) -> None:
    for _ in range(3):
        with database.reading() as session:
            first = session.execute(ALL).first()
            found = session.execute(SINCE, {"at": AT}).mappings().all()
            assert session.scalars(NAMED, {"titles": ["third"]}).all() == [3]
            assert session.scalar(PLAIN, {"number": 9}) is None
        assert first is not None
        assert (first.title, first.is_in, first.at) == (ROWS[0]["title"], True, AT)
        assert [row["since"] for row in found] == [AT, AT + timedelta(hours=1)]


def test_each_set_of_parameters_has_its_own_text(database: Database) -> None:
    for number in range(3):
        with database.writing() as session:
            session.execute(ADD, {"title": f"short {number}"})
            session.execute(ADD, {"title": f"long {number}", "at": AT})
    with database.reading() as session:
        added = session.execute(ALL).all()[3:]
    assert [row.at for row in added] == [None, AT] * 3


def test_it_counts_the_rows_that_it_changed(database: Database) -> None:
    for least in (3, 2, 1):
        with database.writing() as session:
            removed: Any = session.execute(REMOVE, {"least": least})
            assert removed.rowcount == 1


def test_errors_are_sqlalchemys_and_the_connection_goes_on(database: Database) -> None:
    taken = {"of": 3, "to": "second"}
    for _ in range(3):
        with pytest.raises(IntegrityError), database.writing() as session:
            session.execute(RENAME, taken)
        with pytest.raises(Exception, match="least"), database.writing() as session:
            session.execute(REMOVE, {})
        with database.reading() as session:
            assert session.scalar(PLAIN, {"number": 3}) == "third"


def test_what_was_written_before_an_error_is_undone(database: Database) -> None:
    for _ in range(3):
        with pytest.raises(IntegrityError):
            _remove_and_fail(database)
    with database.reading() as session:
        assert len(session.execute(ALL).all()) == len(ROWS)


def test_a_listener_sees_every_statement(database: Database) -> None:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    _read_all(database, 3)
    event.listen(database.engine, "before_cursor_execute", note)
    _read_all(database, 3)
    event.remove(database.engine, "before_cursor_execute", note)
    _read_all(database, 3)
    assert len(seen) == 3


def test_mapped_objects_are_prepared_when_they_are_asked_for(
    database: Database,
) -> None:
    with database.reading() as session:
        session.execute(ALL)
        assert "identity_map" not in vars(session)
        assert not session.new
        assert "identity_map" in vars(session)


def test_connections_stay_open_but_not_more_than_some(database: Database) -> None:
    _read_all(database, 1)
    (first,) = _open(database, 1)
    assert _open(database, 1) == [first]
    assert len(set(_open(database, MAX_KEPT + 3))) == MAX_KEPT + 3
    assert _out(database) == MAX_KEPT + 1  # the one that wrote the rows


def test_they_go_back_while_others_may_wait_for_one(database: Database) -> None:
    with ExitStack() as others:
        for _ in range(3 * MAX_KEPT):
            others.enter_context(database.engine.connect())
        _read_all(database, 1)
        assert _out(database) == 3 * MAX_KEPT + 1  # the one that wrote the rows
    _read_all(database, 1)
    assert _out(database) == 2


@pytest.mark.broker
def test_one_error_replaces_all_connections_that_the_server_ended(
    postgres: DatabaseAccess,
) -> None:
    database = Database(postgres.create_database("reels"))
    REELS.metadata.create_all(database.engine)
    _open(database, MAX_KEPT)
    with postgres.connect() as other:
        other.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            [database.engine.url.database],
        )
    with pytest.raises(OperationalError):
        _read_all(database, 1)
    _read_all(database, MAX_KEPT)
    database.close()


def _remove_and_fail(database: Database) -> None:
    with database.writing() as session:
        session.execute(REMOVE, {"least": 3})
        session.execute(RENAME, {"of": 1, "to": "second"})


def _read_all(database: Database, times: int) -> None:
    for _ in range(times):
        with database.reading() as session:
            session.execute(ALL)


def _open(database: Database, many: int) -> list[object]:
    """Use so many connections at the same time; return those of the driver."""
    with ExitStack() as readers:
        sessions = [readers.enter_context(database.reading()) for _ in range(many)]
        return [_driver_connection(session) for session in sessions]


def _driver_connection(session: Session) -> object:
    session.execute(ALL)
    connection: Any = session.get_bind()
    return connection.connection.driver_connection


def _out(database: Database) -> int:
    pool: Any = database.engine.pool
    return int(pool.checkedout())
