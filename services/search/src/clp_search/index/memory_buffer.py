"""What is not on disk yet: kept in memory, and found at once."""

from collections.abc import Iterator, Sequence

from clp_search.engine import Condition, Document, Group, Plan
from clp_search.index.documents import Indexed, microseconds
from clp_search.index.query_evaluator import Scope
from clp_search.terms import document_terms


class Hot:
    """The newest revision of each message that waits to be written."""

    def __init__(self) -> None:
        self._waiting: dict[str, Indexed] = {}
        self._outdated: set[str] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Indexed]:
        return iter(self._waiting.values())

    def revision_of(self, message: str) -> int | None:
        """The revision that waits; None when the message does not."""
        waiting = self._waiting.get(message)
        return waiting.document.revision if waiting else None

    def put(self, document: Document) -> None:
        """Keep a document in place of its older revision."""
        self._waiting[document.message] = Indexed(
            document, tuple(document_terms(document))
        )

    def outdate(self, newer: Document) -> None:
        """A newer revision is kept elsewhere: do not find the one here any more."""
        if newer.message in self._waiting:
            self._outdated.add(newer.message)

    def is_outdated(self, document: Document) -> bool:
        """Whether a newer revision is kept elsewhere."""
        return document.message in self._outdated

    def current(self) -> Iterator[Indexed]:
        """All that no newer revision has replaced."""
        return (i for i in self if i.document.message not in self._outdated)

    def take_back(self, other: "Hot") -> None:
        """Keep what could not be written, but where a newer revision is here."""
        self._waiting = {i.document.message: i for i in other.current()} | self._waiting

    def meeting(self, plan: Plan, scope: Scope) -> "Found":
        """The documents that meet a plan within a scope."""
        return Found(
            sorted(
                (i.document for i in self.current() if _meets(i, plan, scope)),
                key=lambda document: document.key,
            )
        )


class Found:
    """Documents found in memory, as a source of a page."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents

    @property
    def newest(self) -> int:
        """The time of the last one."""
        return self.time(-1) if self._documents else -1

    def found(self) -> Sequence[int]:
        """All of them."""
        return range(len(self._documents))

    def time(self, number: int) -> int:
        """When one was posted."""
        return microseconds(self._documents[number].posted_at)

    def load(self, number: int) -> Document:
        """The whole of one."""
        return self._documents[number]


def _meets(indexed: Indexed, plan: Plan, scope: Scope) -> bool:
    document, terms = indexed.document, indexed.terms
    return (
        not document.deleted
        and document.channel in scope.channels
        and all(_meets_condition(terms, condition) for condition in plan.must)
        and not any(_meets_condition(terms, condition) for condition in plan.must_not)
        and (plan.since is None or plan.since <= document.posted_at)
        and (plan.until is None or document.posted_at < plan.until)
    )


def _meets_condition(terms: tuple[str, ...], condition: Condition) -> bool:
    return any(all(_meets_group(terms, group) for group in way) for way in condition)


def _meets_group(terms: tuple[str, ...], group: Group) -> bool:
    if not set(group.terms).isdisjoint(terms):
        return True
    starts = group.beginnings
    return bool(starts) and any(term.startswith(starts) for term in terms)
