"""Access to a running broker and database server, whichever process started them."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final, LiteralString, Protocol

import psycopg
from psycopg import sql
from psycopg.errors import DuplicateObject, UniqueViolation

LOOPBACK: Final = "127.0.0.1"
SUPERUSER: Final = "clp"
SERVING_ROLE: Final = "clp_serving"
SERVING_PRIVILEGES: Final[tuple[LiteralString, ...]] = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
)


class Broker(Protocol):
    """A running RabbitMQ."""

    @property
    def url(self) -> str:
        """The AMQP URL of a virtual host."""


class DatabaseServer(Protocol):
    """A running PostgreSQL."""

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database and return its SQLAlchemy URL."""

    def serving_url(self, name: str) -> str:
        """The URL of a migrated database for the role that serves."""


@dataclass(frozen=True, slots=True)
class BrokerAccess:
    """A virtual host of a RabbitMQ on loopback."""

    url: str


@dataclass(frozen=True, slots=True)
class DatabaseAccess:
    """The superuser's access to a PostgreSQL on loopback.

    ``prefix`` is put before the names of databases, so that test processes share one
    server.
    """

    port: int
    password: str
    prefix: str = ""

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database, empty or a copy of ``template``; return its URL."""
        command = sql.SQL("CREATE DATABASE {}").format(self._name(name))
        if template is not None:
            command += sql.SQL(" TEMPLATE {}").format(self._name(template))
        with self.connect() as connection:
            connection.execute(command)
        return self._url(SUPERUSER, name)

    def serving_url(self, name: str) -> str:
        """The URL of a migrated database for the role that serves.

        As in a deployment this role reads and writes rows, and nothing else.
        """
        with self.connect() as connection, suppress(DuplicateObject, UniqueViolation):
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(SERVING_ROLE), self.password
                )
            )
        with self.connect(self.prefix + name) as connection:
            for statement in SERVING_PRIVILEGES:
                connection.execute(
                    sql.SQL(statement).format(role=sql.Identifier(SERVING_ROLE))
                )
        return self._url(SERVING_ROLE, name)

    def drop_database(self, name: str) -> None:
        """Drop a database and end its connections."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                    self._name(name)
                )
            )

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Connect to a database, with every statement committed."""
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=SUPERUSER,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _url(self, role: str, name: str) -> str:
        place = f"{LOOPBACK}:{self.port}/{self.prefix}{name}"
        return f"postgresql+psycopg://{role}:{self.password}@{place}"

    def _name(self, name: str) -> sql.Identifier:
        return sql.Identifier(self.prefix + name)
