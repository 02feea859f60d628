"""Create the documents with their terms, and the generations of the index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "1000"
down_revision = None
branch_labels = None
depends_on = None

GENERATION = sa.String(40, collation="C")
ID = sa.String(64, collation="C")
TERMS = ARRAY(sa.Text(collation="C"))
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "generations",
        sa.Column("name", GENERATION, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
    )
    op.create_table(
        "documents",
        sa.Column("generation", GENERATION, primary_key=True),
        sa.Column("message", ID, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("project", ID, nullable=False),
        sa.Column("channel", sa.String(140, collation="C"), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("author", ID, nullable=False),
        sa.Column("author_name", sa.Text, nullable=False),
        sa.Column("posted_at", TIME, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("attachments", ARRAY(sa.Text), nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("terms", TERMS, nullable=False),
    )
    op.create_index(
        "documents_by_term",
        "documents",
        ["terms"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.create_index(
        "documents_by_time",
        "documents",
        ["channel", "posted_at", "number", "message"],
    )


def downgrade() -> None:
    op.drop_table("documents")
    op.drop_table("generations")
