"""Documents that are not on disk yet: buffered in memory and searchable at once."""

from collections.abc import Iterator, Sequence

from clp_search.engine import Disjunction, Document, QueryPlan
from clp_search.index.documents import IndexedDocument, microseconds
from clp_search.index.query_evaluator import Scope
from clp_search.terms import document_terms


class MemoryBuffer:
    """The newest revision of each message that waits to be flushed."""

    def __init__(self) -> None:
        self._documents: dict[str, IndexedDocument] = {}
        # Terms that were put; those of older revisions count as well.
        self.terms = 0
        self._superseded: set[str] = set()

    def __len__(self) -> int:
        return len(self._documents)

    def __iter__(self) -> Iterator[IndexedDocument]:
        return iter(self._documents.values())

    def revision_of(self, message: str) -> int | None:
        """Return the buffered revision of a message, if any."""
        buffered = self._documents.get(message)
        return buffered.document.revision if buffered else None

    def put(self, document: Document) -> None:
        """Buffer a document in place of its older revision."""
        terms = tuple(document_terms(document))
        self.terms += len(terms)
        self._documents[document.message] = IndexedDocument(document, terms)

    def supersede(self, newer: Document) -> None:
        """Hide a document here, because a newer revision is buffered elsewhere."""
        if newer.message in self._documents:
            self._superseded.add(newer.message)

    def is_superseded(self, document: Document) -> bool:
        """Return whether a newer revision is buffered elsewhere."""
        return document.message in self._superseded

    def current(self) -> Iterator[IndexedDocument]:
        """Return all documents that are not superseded."""
        return (i for i in self if i.document.message not in self._superseded)

    def restore(self, other: "MemoryBuffer") -> None:
        """Take back documents that could not be written, unless superseded here."""
        self._documents = {
            i.document.message: i for i in other.current()
        } | self._documents
        self.terms += other.terms

    def matching(self, plan: QueryPlan, scope: Scope) -> "BufferedMatches":
        """Return the documents that match a plan within a scope."""
        return BufferedMatches(
            sorted(
                (i.document for i in self.current() if _matches(i, plan, scope)),
                key=lambda document: document.key,
            )
        )


class BufferedMatches:
    """Matching documents of the buffer, as a source of a page."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents

    @property
    def newest(self) -> int:
        """The time of the newest one."""
        return self.time(-1) if self._documents else -1

    def found(self) -> Sequence[int]:
        """The numbers of all of them."""
        return range(len(self._documents))

    def time(self, number: int) -> int:
        """Return the time of a document."""
        return microseconds(self._documents[number].posted_at)

    def load(self, number: int) -> Document:
        """Return a document."""
        return self._documents[number]


def _matches(indexed: IndexedDocument, plan: QueryPlan, scope: Scope) -> bool:
    document = indexed.document
    return (
        not document.deleted
        and document.channel in scope.channels
        and (plan.since is None or plan.since <= document.posted_at)
        and (plan.until is None or document.posted_at < plan.until)
        and _matches_terms(frozenset(indexed.terms), plan)
    )


def _matches_terms(terms: frozenset[str], plan: QueryPlan) -> bool:
    return all(_matches_disjunction(terms, some) for some in plan.must) and not any(
        _matches_disjunction(terms, some) for some in plan.must_not
    )


def _matches_disjunction(terms: frozenset[str], disjunction: Disjunction) -> bool:
    return any(
        all(not terms.isdisjoint(group.terms) for group in conjunction)
        for conjunction in disjunction
    )
