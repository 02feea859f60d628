"""Bringing a database to the newest schema of a service, with Alembic.

Only imported when there is something to do: a process that starts again, as after a
kill, serves sooner without it.
"""

import logging
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

log = logging.getLogger(__name__)

# Any number, the same in every process that migrates.
MIGRATION_LOCK: Final = 7_205_759


def upgrade(connection: Connection, scripts: Path) -> None:
    """Apply the revisions that are missing, one process at a time.

    A schema newer than this program is left as it is.
    """
    if connection.dialect.name == "postgresql":
        lock = text("select pg_advisory_xact_lock(:lock)")
        connection.execute(lock, {"lock": MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.attributes["connection"] = connection
    if newer := _unknown_revisions(connection, config):
        log.warning("the schema is newer than this program: %s", ", ".join(newer))
        return
    command.upgrade(config, "head")


def _unknown_revisions(connection: Connection, config: Config) -> list[str]:
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    there = MigrationContext.configure(connection).get_current_heads()
    return sorted(set(there) - known)
