"""The language and the time zone of the mails to a person, where they are known."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people", sa.Column("language", sa.String(64)))
    op.add_column("people", sa.Column("time_zone", sa.String(64)))


def downgrade() -> None:
    with op.batch_alter_table("people") as people:
        people.drop_column("time_zone")
        people.drop_column("language")
