"""Each service's role opens its own database and nothing else, asked of a real server."""

from itertools import product

import psycopg
import pytest
from sqlalchemy.engine import make_url

from clp_suite.deployment.database_roles import KEEPERS
from tests.deploy.running import UpSystem

pytestmark = pytest.mark.broker

OTHERS = [
    (a, b) for a, b in product(KEEPERS, (*KEEPERS, "postgres", "template1")) if a != b
]


def opened(
    up: UpSystem, role: str, database: str, **changed: str
) -> psycopg.Connection:
    url = make_url(up.address(f"CLP_{role.upper()}_DATABASE_URL"))
    told = {
        "host": str(url.host),
        "port": str(url.port),
        "user": str(url.username),
        "password": str(url.password),
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


@pytest.mark.parametrize("role", KEEPERS)
def test_a_role_is_no_more_than_the_owner_of_its_rows(up: UpSystem, role: str) -> None:
    with opened(up, role, role) as connection:
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


def test_a_role_needs_its_password(up: UpSystem) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication"):
        opened(up, "messages", "messages", password="guess")
