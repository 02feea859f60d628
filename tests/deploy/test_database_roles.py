"""Each service's role opens its own database and nothing else, asked of a real server."""

from itertools import product

import psycopg
import pytest
from sqlalchemy.engine import make_url

from clp_deploy.database_roles import (
    DUE_MAILS,
    KEEPERS,
    OWNERS,
    ROLES,
    SCALED,
    SCALING,
)
from tests.deploy.running import UpSystem

pytestmark = pytest.mark.broker

OTHERS = [
    (role, database)
    for role, database in product(ROLES, (*OWNERS, "postgres", "template1"))
    if role != database and (role, database) != (SCALING, SCALED)
]


def opened(
    up: UpSystem, role: str, database: str, **changed: str
) -> psycopg.Connection:
    url = make_url(up.address(f"CLP_{KEEPERS[0].upper()}_DATABASE_URL"))
    told = {
        "host": str(url.host),
        "port": str(url.port),
        "user": role,
        "password": (up.data / f"secrets/{role}_database_password").read_text(),
        "sslmode": str(url.query["sslmode"]),
        "sslrootcert": str(url.query["sslrootcert"]),
    }
    return psycopg.connect(dbname=database, **(told | changed), autocommit=True)


@pytest.mark.parametrize(("role", "database"), OTHERS)
def test_a_role_opens_no_other_database(up: UpSystem, role: str, database: str) -> None:
    with pytest.raises(
        psycopg.OperationalError, match="permission denied for database"
    ):
        opened(up, role, database)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_no_more_than_the_owner_of_its_rows(up: UpSystem, role: str) -> None:
    with opened(up, role, SCALED if role == SCALING else role) as connection:
        found = connection.execute(
            "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
            " from pg_roles where rolname = current_user"
        ).fetchone()
        assert found is not None
        assert not any(found)
        for forbidden in (
            "create role spy",
            "create database spy",
            "copy (select 1) to program 'true'",
            "select pg_read_file('/etc/passwd')",
            f"set role {next(other for other in KEEPERS if other != role)}",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)  # type: ignore[call-overload]


def test_the_role_of_search_makes_its_index(up: UpSystem) -> None:
    with opened(up, "search", "search") as connection:
        connection.execute("create table tried (word text)")
        connection.execute("drop table tried")


def test_an_autoscaler_learns_how_many_mails_are_due_and_nothing_else(
    up: UpSystem,
) -> None:
    with opened(up, SCALING, SCALED) as connection:
        (due,) = connection.execute(f"select {DUE_MAILS}()").fetchone() or ()
        assert isinstance(due, int)
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = 'public'"
        ).fetchall()
        assert ("mails",) in tables
        for forbidden in (
            *(f"table {table}" for (table,) in tables),
            *(f"truncate {table}" for (table,) in tables),
            "create table spy (word text)",
            "create temporary table spy (word text)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)


def test_a_role_needs_its_password(up: UpSystem) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication"):
        opened(up, "messages", "messages", password="guess")
