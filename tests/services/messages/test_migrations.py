"""The migrated schema is the one the code works with, on both databases."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text

from clp_chassis.persistence.database import Database, migrate
from clp_messages.tables import AttachmentRow, Base, HeldBytesRow


def test_the_migrated_schema_is_the_schema_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    before = inspect(database.engine).get_table_names()
    migrate(database.engine.url.render_as_string(hide_password=False), "clp_messages")
    assert inspect(database.engine).get_table_names() == before


BEFORE_QUOTAS = "1001"
ROWS = """
insert into channels values ('p1/direct/north', 'p1', 2);
insert into messages values
 ('m1', 'p1/direct/north', 'p1', 1, 1, 'nat', 'Nat', 'external', 1, '', '[]',
  '2026-01-01', null, null, 'k1', '', '[]'),
 ('m2', 'p1/direct/north', 'p1', 2, 1, 'ivy', 'Ivy', 'internal', 1, '', '[]',
  '2026-01-01', null, null, 'k2', '', '[]');
insert into attachments values
 ('f1', 'p1/direct/north', 'nat', 'a.pdf', 10, '', 'k1', 'ready', '2026-01-01', 'm1', 0),
 ('f2', 'p1/direct/north', 'nat', 'b.pdf', 20, '', 'k2', 'ready', '2026-01-01', 'm1', 1),
 ('f3', 'p1/direct/north', 'ivy', 'c.pdf', 40, '', 'k3', 'ready', '2026-01-01', 'm2', 0);
"""


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    folder = Path("services/messages/src/clp_messages/migrations")
    config.set_main_option("script_location", str(folder.resolve()))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_files_posted_before_there_was_a_quota_are_charged(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rows.db'}")
    with database.engine.begin() as connection:
        upgrade(connection, BEFORE_QUOTAS)
        for statement in ROWS.split(";")[:-1]:
            connection.execute(text(statement))
        upgrade(connection, "head")
    with database.reading() as session:
        (held,) = session.scalars(select(HeldBytesRow))
        assert (held.partner, held.bytes) == ("north", 30)
        found = select(AttachmentRow.partner).order_by(AttachmentRow.id)
        assert session.scalars(found).all() == ["north", "north", None]
    database.close()
