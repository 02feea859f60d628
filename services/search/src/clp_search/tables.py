"""Tables of the PostgreSQL engine; the folder index has none."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from clp_chassis.persistence.column_types import UtcDateTime

# Compare byte by byte, independent of any locale.
NAME: Final = String(40, collation="C")
ID: Final = String(64, collation="C")
# PROJECT/direct/PARTNER, both ids of up to 64 characters.
CHANNEL: Final = String(140, collation="C")
TERMS: Final = ARRAY(Text(collation="C"))

METADATA: Final = MetaData()

# A generation is one version of the analysis, up to a position of the feed. ``seen_at``
# is when a process last used it; unused generations are removed.
GENERATIONS: Final = Table(
    "generations",
    METADATA,
    Column("name", NAME, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

# A message with its terms; a deleted one has none and keeps its revision.
DOCUMENTS: Final = Table(
    "documents",
    METADATA,
    Column("generation", NAME, primary_key=True),
    Column("message", ID, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("project", ID, nullable=False),
    Column("channel", CHANNEL, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("author", ID, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("posted_at", UtcDateTime, nullable=False),
    Column("text", Text, nullable=False),
    Column("attachments", ARRAY(Text), nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("terms", TERMS, nullable=False),
    # Without the pending list of GIN, which every search would have to scan.
    Index(
        "documents_by_term",
        "terms",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    ),
    Index("documents_by_time", "channel", "posted_at", "number", "message"),
)
