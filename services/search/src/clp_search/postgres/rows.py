"""Documents as rows, with the terms that PostgreSQL needs."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any, Final

from sqlalchemy import Connection

from clp_search.engine import Document
from clp_search.tables import DOCUMENTS
from clp_search.terms import document_terms

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


def rows_of(documents: Iterable[Document], generation: str) -> list[tuple[Any, ...]]:
    """Return the newest revisions of documents as rows of a generation."""
    newest: dict[str, Document] = {}
    for document in documents:
        known = newest.get(document.message)
        if known is None or known.revision < document.revision:
            newest[document.message] = document
    return [_row_of(document, generation) for document in newest.values()]


def upsert(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    """Write rows, each in place of an older revision."""
    if rows:
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
        "terms": sorted(terms),
    }
    return tuple(row[name] for name in _COLUMNS)
