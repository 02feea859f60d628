"""Documents as rows, with the terms that PostgreSQL needs."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any, Final

from sqlalchemy import Connection

from clp_search.engine import Document
from clp_search.tables import DOCUMENTS
from clp_search.terms import (
    AUTHOR,
    MIN_PREFIX_LENGTH,
    PREFIX,
    PREFIX_LENGTH,
    document_terms,
)

# The columns of a document, in the order of its fields.
COLUMNS: Final = (
    "message, revision, project, channel, number, author, author_name, posted_at,"
    " text, attachments"
)
_FIELDS: Final = tuple(COLUMNS.replace(" ", "").split(","))

_COLUMNS: Final = [column.name for column in DOCUMENTS.columns]
_UPSERT: Final = (
    f"insert into documents ({', '.join(_COLUMNS)})"  # noqa: S608 - our own names only
    f" values ({', '.join('%s' for _ in _COLUMNS)})"
    " on conflict (generation, message) do update set "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
    + " where documents.revision < excluded.revision"
)


def upsert(connection: Connection, documents: Iterable[Document], of: str) -> None:
    """Write documents of a generation, each in place of an older revision."""
    newest: dict[str, Document] = {}
    for document in documents:
        known = newest.get(document.message)
        if known is None or known.revision < document.revision:
            newest[document.message] = document
    if newest:
        rows = [_row_of(document, of) for document in newest.values()]
        connection.exec_driver_sql(_UPSERT, rows)


def document_of(row: Sequence[Any]) -> Document:
    """Convert a row to a document."""
    values = dict(zip(_FIELDS, row, strict=True))
    values["posted_at"] = values["posted_at"].astimezone(UTC)
    values["attachments"] = tuple(values["attachments"])
    return Document(**values)


def _row_of(document: Document, generation: str) -> tuple[Any, ...]:
    terms = frozenset() if document.deleted else document_terms(document)
    row = {
        "generation": generation,
        **{name: getattr(document, name) for name in _FIELDS},
        "attachments": list(document.attachments),
        "deleted": document.deleted,
        "terms": sorted(_stored_terms(terms)),
        "author_terms": sorted(term for term in terms if term[0] == AUTHOR),
    }
    return tuple(row[name] for name in _COLUMNS)


def _stored_terms(terms: frozenset[str]) -> frozenset[str]:
    """Add the shortest prefixes: an array has no prefix search."""
    shorter = {
        term[: 1 + MIN_PREFIX_LENGTH]
        for term in terms
        if term[0] == PREFIX and len(term) == 1 + PREFIX_LENGTH
    }
    return terms | shorter
