"""Channels, messages, mentions, attachments, quotas, read markers and the feed."""

import sqlalchemy as sa
from alembic import op

from clp_chassis.persistence.migrations import (
    create_feed_tables,
    create_reader_tables,
    drop_feed_tables,
    drop_reader_tables,
)

revision = "1000"
down_revision = None
branch_labels = None
depends_on = None


def name(length: int) -> sa.types.TypeEngine[str]:
    by_bytes = sa.String(length, collation="C")
    return sa.String(length).with_variant(by_bytes, "postgresql")


ID = name(64)
RANDOM_ID = name(32)
CHANNEL = name(140)
IDEMPOTENCY_KEY = name(200)
TIME = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    channels_and_messages()
    content_of_messages()
    upload_tallies()
    read_markers()
    create_feed_tables()
    create_reader_tables()


def channels_and_messages() -> None:
    op.create_table(
        "channels",
        sa.Column("name", CHANNEL, primary_key=True),
        sa.Column("project", ID, nullable=False),
        sa.Column("last_number", BIG, nullable=False),
    )
    op.create_table(
        "messages",
        sa.Column("id", RANDOM_ID, primary_key=True),
        sa.Column("channel", CHANNEL, sa.ForeignKey("channels.name"), nullable=False),
        sa.Column("project", ID, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("author", ID, nullable=False),
        sa.Column("author_name", sa.Text, nullable=False),
        sa.Column("author_side", sa.String(16), nullable=False),
        sa.Column("author_number", BIG, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
        sa.Column("posted_at", TIME, nullable=False),
        sa.Column("edited_at", TIME),
        sa.Column("deleted_at", TIME),
        sa.Column("idempotency_key", IDEMPOTENCY_KEY, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("outcomes", sa.Text, nullable=False),
        sa.UniqueConstraint("channel", "number", name="messages_in_order"),
        sa.UniqueConstraint(
            "channel", "author", "idempotency_key", name="messages_once"
        ),
    )
    op.create_index(
        "messages_by_author",
        "messages",
        ["channel", "author", "number", "author_number"],
    )
    deleted = sa.text("deleted_at IS NOT NULL")
    op.create_index(
        "messages_deleted",
        "messages",
        ["channel", "number", "author"],
        postgresql_where=deleted,
        sqlite_where=deleted,
    )


def content_of_messages() -> None:
    op.create_table(
        "revisions",
        sa.Column("message", RANDOM_ID, sa.ForeignKey("messages.id"), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
        sa.Column("replaced_at", TIME, nullable=False),
        sa.Column("replaced_by", ID, nullable=False),
    )
    op.create_table(
        "mentions",
        sa.Column("message", RANDOM_ID, sa.ForeignKey("messages.id"), primary_key=True),
        sa.Column("person", ID, primary_key=True),
    )
    op.create_table(
        "attachments",
        sa.Column("id", RANDOM_ID, primary_key=True),
        sa.Column("channel", CHANNEL, nullable=False),
        sa.Column("uploader", ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("store_key", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("uploaded_at", TIME, nullable=False),
        sa.Column("message", RANDOM_ID, sa.ForeignKey("messages.id")),
        sa.Column("place", sa.Integer, nullable=False),
    )
    op.create_index("attachments_of_message", "attachments", ["message", "place"])
    unposted = sa.text("message IS NULL")
    op.create_index(
        "attachments_unposted",
        "attachments",
        ["uploaded_at"],
        postgresql_where=unposted,
        sqlite_where=unposted,
    )


def upload_tallies() -> None:
    op.create_table(
        "upload_tallies",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("scope", sa.String(16), primary_key=True),
        sa.Column("name", CHANNEL, primary_key=True),
        sa.Column("files", BIG, nullable=False),
        sa.Column("bytes", BIG, nullable=False),
    )


def read_markers() -> None:
    op.create_table(
        "read_markers",
        sa.Column("person", ID, primary_key=True),
        sa.Column("channel", CHANNEL, primary_key=True),
        sa.Column("number", BIG, nullable=False),
    )


def downgrade() -> None:
    drop_reader_tables()
    drop_feed_tables()
    for table in (
        "read_markers",
        "upload_tallies",
        "attachments",
        "mentions",
        "revisions",
        "messages",
        "channels",
    ):
        op.drop_table(table)
