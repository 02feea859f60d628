"""Documents as rows, with the terms that PostgreSQL needs of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any, Final

from sqlalchemy import Connection

from clp_search.engine import Document
from clp_search.tables import DOCUMENTS
from clp_search.terms import (
    AUTHOR,
    BEGINNING,
    PREFIX_LENGTH,
    SHORTEST_PREFIX,
    document_terms,
)

# What a document is read from, in the order of its fields.
TOLD: Final = (
    "message, revision, project, channel, number, author, author_name, posted_at,"
    " text, attachments"
)
_NAMES: Final = tuple(TOLD.replace(" ", "").split(","))

_COLUMNS: Final = [column.name for column in DOCUMENTS.columns]
_TAKE: Final = (
    f"insert into documents ({', '.join(_COLUMNS)})"  # noqa: S608 - our own names only
    f" values ({', '.join('%s' for _ in _COLUMNS)})"
    " on conflict (generation, message) do update set "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
    + " where documents.revision < excluded.revision"
)


def take(connection: Connection, documents: Iterable[Document], of: str) -> None:
    """Write documents of a generation, each instead of an older revision."""
    newest: dict[str, Document] = {}
    for document in documents:
        known = newest.get(document.message)
        if known is None or known.revision < document.revision:
            newest[document.message] = document
    if newest:
        rows = [_row_of(document, of) for document in newest.values()]
        connection.exec_driver_sql(_TAKE, rows)


def document_of(row: Sequence[Any]) -> Document:
    """A document that was found."""
    told = dict(zip(_NAMES, row, strict=True))
    told["posted_at"] = told["posted_at"].astimezone(UTC)
    told["attachments"] = tuple(told["attachments"])
    return Document(**told)


def _row_of(document: Document, generation: str) -> tuple[Any, ...]:
    terms = frozenset() if document.deleted else document_terms(document)
    row = {
        "generation": generation,
        **{name: getattr(document, name) for name in _NAMES},
        "attachments": list(document.attachments),
        "deleted": document.deleted,
        "terms": sorted(_stored_terms(terms)),
        "author_terms": sorted(term for term in terms if term[0] == AUTHOR),
    }
    return tuple(row[name] for name in _COLUMNS)


def _stored_terms(terms: frozenset[str]) -> frozenset[str]:
    """An array cannot be asked for what begins alike: the shortest beginnings too."""
    shorter = {
        term[: 1 + SHORTEST_PREFIX]
        for term in terms
        if term[0] == BEGINNING and len(term) == 1 + PREFIX_LENGTH
    }
    return terms | shorter
