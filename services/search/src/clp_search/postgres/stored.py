"""Documents as rows, with the terms that PostgreSQL needs of them."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Row

from clp_search.engine import Document
from clp_search.tables import DOCUMENTS
from clp_search.terms import (
    AUTHOR,
    BEGINNING,
    MESSAGE,
    PREFIX_LENGTH,
    SHORTEST_PREFIX,
    document_terms,
)

TOLD: Final = tuple(
    DOCUMENTS.c[name]
    for name in (
        "message", "revision", "project", "channel", "number", "author",
        "author_name", "posted_at", "text", "attachments",
    )
)  # fmt: skip


def row_of(document: Document, generation: str) -> dict[str, Any]:
    """A document to be written."""
    terms = frozenset() if document.deleted else document_terms(document)
    return {
        "generation": generation,
        "message": document.message,
        "revision": document.revision,
        "project": document.project,
        "channel": document.channel,
        "number": document.number,
        "author": document.author,
        "author_name": document.author_name,
        "posted_at": document.posted_at,
        "text": document.text,
        "attachments": list(document.attachments),
        "deleted": document.deleted,
        "terms": sorted(_stored_terms(terms)),
        "author_terms": sorted(term for term in terms if term[0] == AUTHOR),
    }


def document_of(row: Row[Any]) -> Document:
    """A row that was found."""
    told = row._asdict()
    return Document(**told | {"attachments": tuple(told["attachments"])})


def _stored_terms(terms: frozenset[str]) -> Iterator[str]:
    """An array cannot be asked for what begins alike: the shortest beginnings too."""
    shorter = {
        term[: 1 + SHORTEST_PREFIX]
        for term in terms
        if term[0] == BEGINNING and len(term) == 1 + PREFIX_LENGTH
    }
    return (term for term in terms | shorter if term[0] != MESSAGE)
