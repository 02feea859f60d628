"""First revision: people, projects, followers, announcements, leases and the feed."""

import sqlalchemy as sa
from alembic import op

from clp_chassis.persistence.migrations import create_feed_tables

revision = "1000"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(64)
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    people()
    projects()
    followers_and_announcements()
    read_leases()
    create_feed_tables()


def people() -> None:
    op.create_table(
        "partners",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.create_table(
        "people",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("partner", ID, sa.ForeignKey("partners.id")),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("language", ID),
        sa.Column("time_zone", ID),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("address_key", KEY, nullable=False),
    )
    op.create_index("people_by_name", "people", ["name_key", "partner", "id"])
    op.create_index("people_by_address", "people", ["address_key", "partner", "id"])
    op.create_table(
        "person_roles",
        sa.Column("person", ID, sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("role", KEY, primary_key=True),
    )
    op.create_index("ix_person_roles_role", "person_roles", ["role"])
    op.create_table(
        "prefix_entries",
        sa.Column("person", ID, sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("rank", sa.Integer, primary_key=True),
        sa.Column("key", KEY, primary_key=True),
        sa.Column("partner", ID, nullable=False),
    )
    op.create_index(
        "prefix_entries_in_order",
        "prefix_entries",
        ["rank", "key", "person", "partner"],
    )


def projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", ID, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("title_key", KEY, nullable=False),
    )
    op.create_index("projects_by_title", "projects", ["title_key", "id"])
    op.create_table(
        "assignments",
        sa.Column("project", ID, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("partner", ID, sa.ForeignKey("partners.id"), primary_key=True),
        sa.Column("languages", sa.JSON, nullable=False),
        sa.Column("withdrawn_at", TIME),
    )
    op.create_index("assignments_of_partner", "assignments", ["partner", "project"])


def followers_and_announcements() -> None:
    op.create_table(
        "followers",
        sa.Column("project", ID, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("person", ID, sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("followed_at", TIME, nullable=False),
    )
    op.create_index("ix_followers_person", "followers", ["person"])
    op.create_table(
        "announcements",
        sa.Column("id", ID, primary_key=True),
        sa.Column("project", ID, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("kind", ID, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("announced_at", TIME, nullable=False),
        sa.UniqueConstraint("project", "key"),
    )


def read_leases() -> None:
    op.create_table(
        "read_leases",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("scope", ID, nullable=False),
        sa.Column("person", ID, nullable=False),
        sa.Column("partner", ID, nullable=False),
        sa.Column("project", ID, nullable=False),
        sa.Column("until", TIME, nullable=False),
    )
    op.create_index("read_leases_of_partner", "read_leases", ["partner", "project"])
    op.create_index("read_leases_of_person", "read_leases", ["person"])
    op.create_index("read_leases_by_end", "read_leases", ["until"])


def downgrade() -> None:
    for table in (
        "outbox_relay",
        "changes",
        "read_leases",
        "announcements",
        "followers",
        "assignments",
        "projects",
        "prefix_entries",
        "person_roles",
        "people",
        "partners",
    ):
        op.drop_table(table)
