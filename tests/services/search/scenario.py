"""Documents, and indexes in folders of their own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from clp_chassis.persistence.database import migrate
from clp_search.engine import Document, Engine, SearchRequest, SortKey
from clp_search.index.shard import MergePolicy
from clp_search.index.sharded_index import FlushPolicy, ShardedIndex
from clp_search.postgres.engine import PostgresIndex, open_index
from clp_search.query import parse
from clp_search.terms import query_plan

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
BROADCAST, WITH_NORTH, WITH_SOUTH = "p1/broadcast", "p1/direct/north", "p1/direct/south"
EVERYWHERE = frozenset({BROADCAST, WITH_NORTH, WITH_SOUTH})

# Small enough that a short test writes, merges and reads segments.
SMALL = FlushPolicy(
    shards=2,
    flush_docs=4,
    merge_policy=MergePolicy(
        floor_docs=4, merge_factor=3, max_merge_docs=60, fsync=False
    ),
)

Engines = Callable[[], AbstractContextManager[Engine]]
ENGINES = ("folder", pytest.param("postgres", marks=pytest.mark.broker))


@contextmanager
def fresh_engine() -> Iterator[ShardedIndex]:
    """Open an empty index for one generated example."""
    with TemporaryDirectory() as folder:
        engine = ShardedIndex(Path(folder), SMALL)
        try:
            yield engine
        finally:
            engine.abandon()


def document(number: int, text: str = "", **given: Any) -> Document:
    """Return a message of the broadcast, one minute after the one before."""
    channel = given.get("channel", BROADCAST)
    fields: dict[str, Any] = {
        "message": f"m{number}",
        "revision": 0,
        "project": channel.split("/")[0],
        "channel": channel,
        "number": number,
        "author": "ivy",
        "author_name": "Ivy Lane",
        "posted_at": START + timedelta(minutes=number),
        "text": text,
    }
    return Document(**(fields | given))


def edited(old: Document, text: str) -> Document:
    return replace(old, revision=old.revision + 1, text=text)


def deleted(old: Document) -> Document:
    emptied = replace(old, text="", attachments=(), deleted=True)
    return replace(emptied, revision=old.revision + 1)


# What each engine was given, as `messages` would still have it.
APPLIED: WeakKeyDictionary[Engine, dict[str, Document]] = WeakKeyDictionary()


def apply_to(engine: Engine, documents: Sequence[Document]) -> None:
    """Apply documents to an engine as the next changes of the feed."""
    known = APPLIED.setdefault(engine, {})
    for one in documents:
        if one.message not in known or known[one.message].revision <= one.revision:
            known[one.message] = one
    after = engine.cursor()
    engine.apply(documents, after=after, upto=after + max(1, len(documents)))


def request_for(
    query: str,
    channels: Iterable[str] = EVERYWHERE,
    *,
    after: SortKey | None = None,
    limit: int = 50,
) -> SearchRequest:
    channels = frozenset(channels)
    return SearchRequest(
        project=min(channels).split("/")[0],
        channels=channels,
        plan=query_plan(parse(query)),
        after=after,
        limit=limit,
    )


def search_ids(
    engine: Engine, query: str, channels: Iterable[str] = EVERYWHERE
) -> list[str]:
    """Return the ids of all matching messages, newest first, over all pages."""
    ids: list[str] = []
    after: SortKey | None = None
    while True:
        page = engine.search(request_for(query, channels, after=after, limit=7))
        ids += [hit.message for hit in page.documents]
        if page.next is None:
            return ids
        after = page.next


class IndexHarness:
    """Opens an index repeatedly; what is left open is closed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: ShardedIndex | None = None

    def open(self, limits: FlushPolicy = SMALL) -> ShardedIndex:
        """Open the index, after abandoning the one before without a flush."""
        self.abandon()
        self._open = ShardedIndex(self.folder, limits)
        return self._open

    def abandon(self) -> None:
        """Leave the index as a killed process would."""
        if self._open is not None:
            self._open.abandon()
            self._open = None

    def files(self, pattern: str) -> list[Path]:
        """Return files of the index, by name."""
        return sorted(self.folder.rglob(pattern))


class DatabaseHarness:
    """One migrated database, in which each engine starts a generation of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        migrate(url, "clp_search")
        self._first = open_index(url)
        self._numbers = count(1)

    @contextmanager
    def emptied(self) -> Iterator[PostgresIndex]:
        """Open an engine without documents, at the beginning of the feed."""
        yield self.another(f"g{next(self._numbers)}")

    def another(self, generation: str) -> PostgresIndex:
        """Open one more engine, as another process would."""
        return PostgresIndex(self._first.database, generation=generation)

    def close(self) -> None:
        self._first.close()
