"""What an operator, or the database by itself, does after a bulk load."""

from clp_search.engine import Engine
from clp_search.postgres.engine import PostgresIndex


def settle(engine: Engine) -> None:
    """Flush everything; update the statistics of PostgreSQL, as autovacuum would."""
    engine.checkpoint()
    if isinstance(engine, PostgresIndex):
        link = engine.database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with link.connect() as connection:
            connection.exec_driver_sql("vacuum analyze documents")
