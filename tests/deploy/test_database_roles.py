"""A role opens its own database and nothing else; the one that serves owns nothing."""

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
    owner_of,
    roles_sql,
)
from tests.deploy.running import UpSystem

pytestmark = pytest.mark.broker

DATABASE_OF = {
    **{database: database for database in DATABASES},
    **{owner_of(database): database for database in DATABASES},
    SCALING: SCALED_DATABASE,
}
OTHERS = [
    (role, database)
    for role, database in product(ROLES, (*DATABASES, "postgres", "template1"))
    if database != DATABASE_OF[role]
]
# What the role that serves may do with no table of its own service.
FORBIDDEN_ON_TABLES = (
    "alter table {table} add column spied text",
    "alter table {table} disable trigger all",
    "drop table {table}",
    "truncate {table}",
    "create index spy on {table} ((1))",
    "create policy spy on {table}",
    "alter table {table} owner to current_user",
)
FORBIDDEN_ANYWHERE = (
    "create table spy (word text)",
    "create temporary table spy (word text)",
    "create view spy as select 1",
    "create schema spy",
    "create function spy() returns int language sql as 'select 1'",
    "create extension pg_trgm",
    "insert into alembic_version values ('spied')",
    "update alembic_version set version_num = 'spied'",
    "delete from alembic_version",
)


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
    with connected(up, role, DATABASE_OF[role]) as connection:
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
            *(f"set role {other}" for other in ROLES if other != role),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)  # type: ignore[call-overload]


@pytest.mark.parametrize("service", DATABASE_SERVICES)
def test_the_role_that_serves_creates_changes_and_drops_nothing(
    up: UpSystem, service: str
) -> None:
    with connected(up, service, service) as connection:
        tables = [
            name
            for (name,) in connection.execute(
                "select tablename from pg_tables where schemaname = 'public'"
            ).fetchall()
        ]
        assert len(tables) >= 2
        for forbidden in (
            *FORBIDDEN_ANYWHERE,
            *(one.format(table=t) for one in FORBIDDEN_ON_TABLES for t in tables),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)  # type: ignore[call-overload]


@pytest.mark.parametrize("service", DATABASES)
def test_the_role_that_migrates_makes_tables_for_the_one_that_serves(
    up: UpSystem, service: str
) -> None:
    with connected(up, owner_of(service), service) as owner:
        owner.execute("create table tried (id bigserial primary key, word text)")
        try:
            with connected(up, service, service) as serving:
                serving.execute("insert into tried (word) values ('a')")
                serving.execute("update tried set word = 'b'")
                assert serving.execute("select word from tried").fetchall() == [("b",)]
                serving.execute("delete from tried")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    serving.execute("drop table tried")
        finally:
            owner.execute("drop table tried")


def test_the_script_takes_over_tables_of_the_role_that_serves(up: UpSystem) -> None:
    """A database made before there were two roles."""
    superuser = (up.data / "secrets/postgres_superuser_password").read_text()
    serving = {"user": "clp", "password": superuser}
    with connected(up, "search", "search", **serving) as database:
        database.execute("create table old (id bigserial primary key)")
        database.execute("alter table old owner to search")
        try:
            for script in upgrade_of("search"):
                database.execute(script)  # type: ignore[call-overload]
            with connected(up, "search", "search") as role:
                role.execute("insert into old default values")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    role.execute("drop table old")
        finally:
            database.execute("drop table old")


def upgrade_of(service: str) -> list[str]:
    """The statements of `roles.sql` inside the database of a service."""
    inside = roles_sql().split(f"\\connect {service}\n")[1].partition("RESET ROLE;")
    statements = "".join(inside[:2]).split(";")
    return [one for one in statements if one.strip() and "gexec" not in one]


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
