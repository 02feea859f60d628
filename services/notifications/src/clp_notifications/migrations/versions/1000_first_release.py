"""First revision: routing, mails, transitions, settings, suppressions and the feed."""

import sqlalchemy as sa
from alembic import op

from clp_chassis.persistence.migrations import create_feed_tables, create_reader_tables

revision = "1000"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(64)
CODE = sa.String(64)
CHANNEL = sa.String(200)
TIME = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    routing()
    mails()
    people()
    tickets()
    create_feed_tables()
    create_reader_tables()


def routing() -> None:
    op.create_table(
        "routed_messages",
        sa.Column("message", ID, primary_key=True),
        sa.Column("channel", CHANNEL, nullable=False),
        sa.Column("author", ID, nullable=False),
        sa.Column("mentioned", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_table(
        "outcomes",
        sa.Column("message", ID, primary_key=True),
        sa.Column("person", ID, primary_key=True),
        sa.Column("rule", CODE, nullable=False),
        sa.Column("reason", CODE, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )


def mails() -> None:
    op.create_table(
        "mails",
        sa.Column("number", BIG, primary_key=True, autoincrement=True),
        sa.Column("id", ID, nullable=False, unique=True),
        sa.Column("person", ID, nullable=False),
        sa.Column("project", ID, nullable=False),
        sa.Column("channel", CHANNEL, nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("first_message", ID, nullable=False),
        sa.Column("joinable", sa.Boolean, nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("lease", ID),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_tried_at", TIME),
        sa.Column("made_at", TIME),
        sa.Column("dated_at", TIME),
    )
    waits, held = sa.text("due_at IS NOT NULL"), sa.text("lease_until IS NOT NULL")
    for index, columns, where in (
        ("mails_due", ["due_at", "number"], waits),
        ("mails_open", ["person", "channel"], waits),
        ("mails_held", ["lease_until"], held),
    ):
        op.create_index(
            index, "mails", columns, postgresql_where=where, sqlite_where=where
        )
    op.create_index("mails_made", "mails", ["person", "made_at"])
    op.create_table(
        "notifications",
        sa.Column("id", ID, primary_key=True),
        sa.Column("message", ID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("person", ID, nullable=False),
        sa.Column("project", ID, nullable=False),
        sa.Column("channel", CHANNEL, nullable=False),
        sa.Column("trigger", CODE, nullable=False),
        sa.Column("rule", CODE, nullable=False),
        sa.Column("routing_reason", CODE, nullable=False),
        sa.Column("mail", ID, sa.ForeignKey("mails.id"), nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("reason", CODE, nullable=False),
        sa.UniqueConstraint("message", "person"),
    )
    op.create_index("notifications_mail", "notifications", ["mail"])
    for state in ("dead", "suppressed"):
        where = sa.text(f"state = '{state}'")
        op.create_index(
            f"notifications_{state}",
            "notifications",
            ["id"],
            postgresql_where=where,
            sqlite_where=where,
        )
    op.create_table(
        "transitions",
        sa.Column("id", BIG, primary_key=True, autoincrement=True),
        sa.Column(
            "notification", ID, sa.ForeignKey("notifications.id"), nullable=False
        ),
        sa.Column("at", TIME, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("reason", CODE, nullable=False),
    )
    op.create_index("transitions_notification", "transitions", ["notification", "id"])


def tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", ID, primary_key=True),
        sa.Column("author", ID, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("urgency", CODE, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("screenshot", sa.LargeBinary),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("due_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.UniqueConstraint("author", "key"),
    )
    op.create_index("tickets_created", "tickets", ["created_at", "id"])
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "tickets_due", "tickets", ["due_at"], postgresql_where=due, sqlite_where=due
    )


def people() -> None:
    op.create_table(
        "mail_settings",
        sa.Column("person", ID, primary_key=True),
        sa.Column("project", ID, primary_key=True),
        sa.Column("mode", CODE, nullable=False),
        sa.Column("cause", CODE),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_table(
        "unsubscribe_tokens",
        sa.Column("person", ID, primary_key=True),
        sa.Column("project", ID, primary_key=True),
        sa.Column("token", ID, nullable=False, unique=True),
    )
    op.create_table(
        "mail_preferences",
        sa.Column("person", ID, primary_key=True),
        sa.Column("content", sa.Boolean, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_table(
        "bounces",
        sa.Column("mail", ID, primary_key=True),
        sa.Column("kind", CODE, primary_key=True),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("bounces_address", "bounces", ["address"])
    op.create_table(
        "suppressions",
        sa.Column("address", sa.String(320), primary_key=True),
        sa.Column("reason", CODE, nullable=False),
        sa.Column("mail", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "dead_letters",
        "cursors",
        "outbox_relay",
        "changes",
        "suppressions",
        "tickets",
        "mail_settings",
        "unsubscribe_tokens",
        "mail_preferences",
        "bounces",
        "transitions",
        "notifications",
        "mails",
        "outcomes",
        "routed_messages",
    ):
        op.drop_table(table)
