"""The bytes that each partner holds in the store of attachments."""

import sqlalchemy as sa
from alembic import op

revision = "1002"
down_revision = "1001"
branch_labels = None
depends_on = None

ID = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ATTACHMENTS = sa.table(
    "attachments",
    sa.column("id"),
    sa.column("channel"),
    sa.column("message"),
    sa.column("partner"),
    sa.column("size"),
    sa.column("state"),
)
MESSAGES = sa.table("messages", sa.column("id"), sa.column("author_side"))
HELD = sa.table("held_bytes", sa.column("partner"), sa.column("bytes"))


def upgrade() -> None:
    op.add_column("attachments", sa.Column("partner", ID))
    discarded = sa.text("state = 'discarded'")
    op.create_index(
        "attachments_discarded",
        "attachments",
        ["id"],
        postgresql_where=discarded,
        sqlite_where=discarded,
    )
    op.create_table(
        "held_bytes",
        sa.Column("partner", ID, primary_key=True),
        sa.Column("bytes", BIG, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("alter table held_bytes set (fillfactor = 50)")
    fill()


def fill() -> None:
    """Charge partners with the files of their people's messages.

    Somebody external writes in the direct channel of their partner alone.
    """
    connection = op.get_bind()
    found = connection.execute(
        sa.select(ATTACHMENTS.c.id, ATTACHMENTS.c.channel, ATTACHMENTS.c.size)
        .join(MESSAGES, MESSAGES.c.id == ATTACHMENTS.c.message)
        .where(MESSAGES.c.author_side == "external")
    ).all()
    held: dict[str, int] = {}
    for id, channel, size in found:
        partner = channel.rpartition("/")[2]
        held[partner] = held.get(partner, 0) + size
        connection.execute(
            ATTACHMENTS.update().where(ATTACHMENTS.c.id == id).values(partner=partner)
        )
    for partner, size in held.items():
        connection.execute(HELD.insert().values(partner=partner, bytes=size))


def downgrade() -> None:
    op.drop_table("held_bytes")
    op.drop_index("attachments_discarded", "attachments")
    op.drop_column("attachments", "partner")
