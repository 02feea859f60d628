"""Delivery processes leave signs of life."""

import sqlalchemy as sa
from alembic import op

from clp_chassis.persistence.migrations import TIME

revision = "1010"
down_revision = "1000"


def upgrade() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("process", sa.String(64), primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("refusing_since", TIME),
        sa.Column("last_refusal", sa.String(200), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("heartbeats")
