"""What an operator, or the database by itself, does once much was told."""

from clp_search.engine import Engine
from clp_search.postgres.engine import PostgresIndex


def settle(engine: Engine) -> None:
    """Write everything; have PostgreSQL count what it holds, as autovacuum would."""
    engine.checkpoint()
    if isinstance(engine, PostgresIndex):
        link = engine.database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with link.connect() as connection:
            connection.exec_driver_sql("vacuum analyze documents")
