"""What people and channels bring a day."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME = sa.String(140).with_variant(sa.String(140, collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "upload_tallies",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("holder", sa.String(16), primary_key=True),
        sa.Column("name", NAME, primary_key=True),
        sa.Column("files", BIG, nullable=False),
        sa.Column("bytes", BIG, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("upload_tallies")
