"""Upgrade schemas with Alembic, and the feed tables for the services' revisions.

Imported only when there is something to upgrade: a restarted process serves sooner
without it.
"""

import logging
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

log = logging.getLogger(__name__)

# The number of PostgreSQL's advisory lock, the same in every process.
MIGRATION_LOCK: Final = 7_205_759


def upgrade(connection: Connection, scripts: Path) -> None:
    """Apply missing revisions, one process at a time.

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
    if connection.dialect.name == "postgresql":
        _protect_revision(connection)


# Default privileges of the owner's role let the serving role write every new table.
WRITERS: Final = text(
    "select distinct grantee from information_schema.role_table_grants"
    " where table_name = 'alembic_version' and privilege_type <> 'SELECT'"
    " and grantee <> current_user"
)


def _protect_revision(connection: Connection) -> None:
    """Leave the revision readable by roles that serve, and writable by the owner."""
    quote = connection.dialect.identifier_preparer.quote
    for role in connection.scalars(WRITERS).all():
        connection.exec_driver_sql(
            f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {quote(role)}"
        )


def _unknown_revisions(connection: Connection, config: Config) -> list[str]:
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    there = MigrationContext.configure(connection).get_current_heads()
    return sorted(set(there) - known)


TIME: Final = sa.DateTime(timezone=True)
BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def create_feed_tables() -> None:
    """Create the outbox of a service (see `events.outbox.Outbox`)."""
    op.create_table(
        "changes",
        sa.Column("id", BIG, primary_key=True, autoincrement=True),
        sa.Column("position", BIG, unique=True),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("published_at", TIME),
    )
    for index, condition in (
        ("changes_unpublished", sa.text("published_at IS NULL")),
        ("changes_unsequenced", sa.text("position IS NULL")),
    ):
        op.create_index(
            index, "changes", ["id"], postgresql_where=condition, sqlite_where=condition
        )
    op.create_table(
        "outbox_relay",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", BIG, nullable=False),
    )


def create_reader_tables() -> None:
    """Create cursors and dead letters (see `events.projections.Cursors`)."""
    op.create_table(
        "cursors",
        sa.Column("reader", sa.String(64), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "dead_letters",
        sa.Column("reader", sa.String(64), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )


def drop_feed_tables() -> None:
    """Drop the outbox of a service."""
    op.drop_table("outbox_relay")
    op.drop_table("changes")


def drop_reader_tables() -> None:
    """Drop cursors and dead letters."""
    op.drop_table("dead_letters")
    op.drop_table("cursors")
