"""The tables of the PostgreSQL index; the folder index has none."""

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

from clp_chassis.persistence.column_types import Instant

# Compared byte by byte: no locale has a say in what is the same and what comes first.
NAME: Final = String(40, collation="C")
ID: Final = String(64, collation="C")
# PROJECT/direct/PARTNER, both ids of 64 characters.
CHANNEL: Final = String(140, collation="C")
TERMS: Final = ARRAY(Text(collation="C"))

METADATA: Final = MetaData()

# A generation is one way to read texts, up to a position of the feed. ``seen_at`` is
# when a process last worked with it: one that nobody works with any more is removed.
GENERATIONS: Final = Table(
    "generations",
    METADATA,
    Column("name", NAME, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("seen_at", Instant, nullable=False),
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
    Column("posted_at", Instant, nullable=False),
    Column("text", Text, nullable=False),
    Column("attachments", ARRAY(Text), nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("terms", TERMS, nullable=False),
    Column("author_terms", TERMS, nullable=False),
    # What was taken is found at once: no list of what waits for the index is read.
    Index(
        "documents_by_term",
        "terms",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    ),
    Index("documents_by_time", "channel", "posted_at", "number", "message"),
)
