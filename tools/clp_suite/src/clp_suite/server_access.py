"""Access to a running broker and database server, whichever process started them."""

from dataclasses import dataclass
from typing import Final, Protocol

import psycopg
from psycopg import sql

LOOPBACK: Final = "127.0.0.1"
SUPERUSER: Final = "clp"


class Broker(Protocol):
    """A running RabbitMQ."""

    @property
    def url(self) -> str:
        """The AMQP URL of a virtual host."""


class DatabaseServer(Protocol):
    """A running PostgreSQL."""

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database and return its SQLAlchemy URL."""


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
        return (
            f"postgresql+psycopg://{SUPERUSER}:{self.password}@{LOOPBACK}:{self.port}"
            f"/{self.prefix}{name}"
        )

    def drop_database(self, name: str) -> None:
        """Drop a database and end its connections."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                    self._name(name)
                )
            )

    def connect(self) -> psycopg.Connection:
        """Connect to the maintenance database, with every statement committed."""
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=SUPERUSER,
            password=self.password,
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
        )

    def _name(self, name: str) -> sql.Identifier:
        return sql.Identifier(self.prefix + name)
