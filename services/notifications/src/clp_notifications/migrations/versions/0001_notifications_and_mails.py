"""Who was told, the mails, their steps, settings, suppressed addresses, and the feed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
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
    feed()
    cursors()


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
    dead = sa.text("state = 'dead'")
    op.create_index(
        "notifications_dead",
        "notifications",
        ["id"],
        postgresql_where=dead,
        sqlite_where=dead,
    )
    op.create_table(
        "steps",
        sa.Column("id", BIG, primary_key=True, autoincrement=True),
        sa.Column(
            "notification", ID, sa.ForeignKey("notifications.id"), nullable=False
        ),
        sa.Column("at", TIME, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("reason", CODE, nullable=False),
    )
    op.create_index("steps_notification", "steps", ["notification", "id"])


def people() -> None:
    op.create_table(
        "mail_settings",
        sa.Column("person", ID, primary_key=True),
        sa.Column("project", ID, primary_key=True),
        sa.Column("mode", CODE, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_table(
        "suppressed_addresses",
        sa.Column("address", sa.String(320), primary_key=True),
        sa.Column("reason", CODE, nullable=False),
        sa.Column("mail", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )


def feed() -> None:
    op.create_table(
        "changes",
        sa.Column("id", BIG, primary_key=True, autoincrement=True),
        sa.Column("position", BIG, unique=True),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("project", ID, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("announced_at", TIME),
    )
    for index, waits in (
        ("changes_unannounced", sa.text("announced_at IS NULL")),
        ("changes_unnumbered", sa.text("position IS NULL")),
    ):
        op.create_index(
            index, "changes", ["id"], postgresql_where=waits, sqlite_where=waits
        )
    op.create_table(
        "relay",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", BIG, nullable=False),
    )


def cursors() -> None:
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


def downgrade() -> None:
    for table in (
        "dead_letters",
        "cursors",
        "relay",
        "changes",
        "suppressed_addresses",
        "mail_settings",
        "steps",
        "notifications",
        "mails",
        "outcomes",
        "routed_messages",
    ):
        op.drop_table(table)
