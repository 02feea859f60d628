"""When a mail was made, to count an hour's; and who wants mails without content."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("mails", sa.Column("made_at", TIME))
    op.create_index("mails_made", "mails", ["person", "made_at"])
    op.create_table(
        "mail_preferences",
        sa.Column("person", sa.String(64), primary_key=True),
        sa.Column("content", sa.Boolean, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("mail_preferences")
    op.drop_index("mails_made", "mails")
    with op.batch_alter_table("mails") as mails:
        mails.drop_column("made_at")
