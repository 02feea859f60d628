"""Until when answers hold that were given to hold for a while."""

import sqlalchemy as sa
from alembic import op

from clp_chassis.persistence.column_types import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "promises",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("until", Instant, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("promises")
