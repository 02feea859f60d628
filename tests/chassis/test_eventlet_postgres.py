"""Waiting for PostgreSQL: one green thread waits, the others run."""

from collections.abc import Iterator

import eventlet
import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from clp_chassis.clock import new_id
from clp_chassis.persistence.database import Database
from clp_chassis.persistence.eventlet_postgres import wait_in_hub
from clp_suite.server_access import DatabaseAccess

pytestmark = pytest.mark.broker

TAKE = text("select pg_advisory_xact_lock(7)")
LARGE = 8_000_000


@pytest.fixture
def database(postgres: DatabaseAccess) -> Iterator[Database]:
    made = Database(postgres.create_database(f"green{new_id()}"))
    yield made
    made.close()


def test_psycopg_waits_in_the_hub(database: Database) -> None:
    database.ping()
    assert psycopg.waiting.wait is wait_in_hub


def test_who_holds_a_lock_can_give_it_back_while_another_waits(
    database: Database,
) -> None:
    order: list[str] = []

    def wait_for_it() -> None:
        with database.writing() as session:
            session.execute(TAKE)
            order.append("taken")

    with database.writing() as session:
        session.execute(TAKE)
        waiting = eventlet.spawn(wait_for_it)
        while not session.scalar(
            text("select count(*) from pg_locks where not granted")
        ):
            eventlet.sleep(0)
        order.append("given back")
    waiting.wait()
    assert order == ["given back", "taken"]


def test_a_statement_and_a_result_larger_than_the_socket_buffer_arrive(
    database: Database,
) -> None:
    with database.reading() as session:
        stored = session.scalar(
            text("select repeat(:x, 2) || length(:x)"), {"x": "é" * LARGE}
        )
    assert stored == "é" * LARGE * 2 + str(LARGE)


def test_a_closed_connection_is_an_error_and_the_next_statement_works(
    database: Database,
) -> None:
    with pytest.raises(OperationalError), database.writing() as session:
        session.execute(text("select pg_terminate_backend(pg_backend_pid())"))
    with database.reading() as session:
        assert session.scalar(text("select 1")) == 1


def test_a_connection_that_the_server_ended_costs_no_statement_of_who_pings(
    postgres: DatabaseAccess,
) -> None:
    pinging = Database(postgres.create_database(f"green{new_id()}"), pre_ping=True)
    try:
        with pinging.reading() as session:
            ended = session.scalar(text("select pg_backend_pid()"))
        with postgres.connect() as admin:
            admin.execute("select pg_terminate_backend(%s, 10000)", (ended,))
        with pinging.reading() as session:
            assert session.scalar(text("select pg_backend_pid()")) != ended
    finally:
        pinging.close()


def test_a_limit_ends_a_wait(database: Database) -> None:
    with (
        pytest.raises(eventlet.Timeout),
        eventlet.Timeout(0.2),
        database.reading() as session,
    ):
        session.execute(text("select pg_sleep(60)"))


def test_a_reading_session_costs_no_round_trips_of_a_transaction(
    database: Database,
) -> None:
    with database.reading() as session:
        assert state_after_a_question(session) is TransactionStatus.IDLE
    with database.writing() as session:
        assert state_after_a_question(session) is TransactionStatus.INTRANS


def state_after_a_question(session: Session) -> TransactionStatus:
    session.execute(text("select 1"))
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection.info.transaction_status
