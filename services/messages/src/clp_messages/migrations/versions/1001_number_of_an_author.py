"""The next number of an author in a channel, as committed when it is called."""

from alembic import op

revision = "1001"
down_revision = "1000"
branch_labels = None
depends_on = None

# Each statement in a volatile function sees what was committed before it began, and
# not only what was committed before the statement that calls the function.
CREATE = """
CREATE OR REPLACE FUNCTION next_author_number(in_channel text, by_author text)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  last bigint;
BEGIN
  SELECT author_number INTO last FROM messages
  WHERE channel = in_channel AND author = by_author ORDER BY number DESC LIMIT 1;
  RETURN coalesce(last, 0) + 1;
END
$$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(CREATE)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION next_author_number(text, text)")
