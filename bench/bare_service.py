"""Baseline of `post`: a bare Nameko service that inserts one row.

Runs as a process of its own: ``python -m bench.bare_service BROKER_URL DATABASE_URL``.
"""

import sys
from typing import Any, Final

import clp_chassis.concurrency.monkey_patch  # noqa: F401 - before all that talks to anybody

from nameko.extensions import DependencyProvider  # isort: skip
from nameko.rpc import rpc  # noqa: TID251 - as Nameko ships it is what is measured
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    insert,
)

from clp_chassis.runner import run

ENGINE: Final = "bare_engine"
METADATA: Final = MetaData()
ROWS: Final = Table(
    "bare_rows",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("channel", Text),
    Column("text", Text),
)


class EngineOfConfig(DependencyProvider):  # type: ignore[misc]
    """The database engine that the service was started with."""

    def get_dependency(self, worker_ctx: Any) -> Engine:
        engine: Engine = self.container.config[ENGINE]
        return engine


class BareService:
    """One method, one row, one commit."""

    name = "bare"
    engine = EngineOfConfig()

    @rpc
    def post(self, channel: str, text: str) -> dict[str, int]:
        with self.engine.begin() as connection:
            row = connection.execute(insert(ROWS).values(channel=channel, text=text))
            (number,) = row.inserted_primary_key or (0,)
        return {"number": number}


def config_of(broker_url: str, database_url: str) -> dict[str, Any]:
    """Create the table and return the container's configuration."""
    engine = create_engine(database_url, pool_size=12)
    METADATA.create_all(engine)
    return {"AMQP_URI": broker_url, "max_workers": 10, ENGINE: engine}


if __name__ == "__main__":
    run((BareService,), config_of(*sys.argv[1:]))
