"""People, partners, projects, assignments, followers, announcements and the feed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
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
    feed()


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
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("address_key", KEY, nullable=False),
    )
    op.create_index("ix_people_name_key", "people", ["name_key"])
    op.create_index("ix_people_address_key", "people", ["address_key"])
    op.create_table(
        "person_roles",
        sa.Column("person", ID, sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("role", KEY, primary_key=True),
    )
    op.create_index("ix_person_roles_role", "person_roles", ["role"])
    op.create_table(
        "person_openings",
        sa.Column("person", ID, sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("rank", sa.Integer, primary_key=True),
        sa.Column("key", KEY, primary_key=True),
        sa.Column("partner", ID, nullable=False),
    )
    op.create_index(
        "person_openings_in_order",
        "person_openings",
        ["rank", "key", "person", "partner"],
    )


def projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", ID, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
    )
    op.create_table(
        "assignments",
        sa.Column("project", ID, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("partner", ID, sa.ForeignKey("partners.id"), primary_key=True),
        sa.Column("languages", sa.JSON, nullable=False),
        sa.Column("withdrawn_at", TIME),
    )


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


def downgrade() -> None:
    for table in (
        "relay",
        "changes",
        "announcements",
        "followers",
        "assignments",
        "projects",
        "person_openings",
        "person_roles",
        "people",
        "partners",
    ):
        op.drop_table(table)
