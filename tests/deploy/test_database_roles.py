"""The role of a service opens its own database and nothing else, on a real PostgreSQL."""

from itertools import product

import psycopg
import pytest
from sqlalchemy.engine import make_url

from clp_contracts.broker_users import SCALING
from clp_deploy.database_roles import (
    DATABASE_SERVICES,
    DATABASES,
    DUE_MAILS,
    ROLES,
    SCALED_DATABASE,
)
from tests.deploy.running import UpSystem

pytestmark = pytest.mark.broker

OTHERS = [
    (role, database)
    for role, database in product(ROLES, (*DATABASES, "postgres", "template1"))
    if role != database and (role, database) != (SCALING, SCALED_DATABASE)
]


def connected(
    up: UpSystem, role: str, database: str, **changed: str
) -> psycopg.Connection:
    url = make_url(up.address(f"CLP_{DATABASE_SERVICES[0].upper()}_DATABASE_URL"))
    parameters = {
        "host": str(url.host),
        "port": str(url.port),
        "user": role,
        "password": (up.data / f"secrets/{role}_database_password").read_text(),
        "sslmode": str(url.query["sslmode"]),
        "sslrootcert": str(url.query["sslrootcert"]),
    }
    return psycopg.connect(dbname=database, **(parameters | changed), autocommit=True)


@pytest.mark.parametrize(("role", "database"), OTHERS)
def test_a_role_opens_no_other_database(up: UpSystem, role: str, database: str) -> None:
    with pytest.raises(
        psycopg.OperationalError, match="permission denied for database"
    ):
        connected(up, role, database)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_no_privilege_beyond_its_database(up: UpSystem, role: str) -> None:
    with connected(
        up, role, SCALED_DATABASE if role == SCALING else role
    ) as connection:
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
            f"set role {next(other for other in DATABASE_SERVICES if other != role)}",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)  # type: ignore[call-overload]


def test_the_role_of_search_creates_its_tables(up: UpSystem) -> None:
    with connected(up, "search", "search") as connection:
        connection.execute("create table tried (word text)")
        connection.execute("drop table tried")


def test_an_autoscaler_reads_the_number_of_due_mails_and_nothing_else(
    up: UpSystem,
) -> None:
    with connected(up, SCALING, SCALED_DATABASE) as connection:
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
        connected(up, "messages", "messages", password="guess")
