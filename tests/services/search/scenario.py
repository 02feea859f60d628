"""Documents, and indexes on a folder of their own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from clp_search.engine import Document, Engine, Key, Wanted
from clp_search.index.shard import Writing
from clp_search.index.sharded_index import Limits, ShardedIndex
from clp_search.postgres.engine import PostgresIndex, open_index
from clp_search.query import parse
from clp_search.terms import plan_of

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
BROADCAST, WITH_NORTH, WITH_SOUTH = "p1/broadcast", "p1/direct/north", "p1/direct/south"
EVERYWHERE = frozenset({BROADCAST, WITH_NORTH, WITH_SOUTH})

# Small enough that a short test writes, merges and reads segments.
SMALL = Limits(
    shards=2, flush_at=4, writing=Writing(smallest=4, alike=3, most=60, surely=False)
)

Engines = Callable[[], AbstractContextManager[Engine]]
ENGINES = ("folder", pytest.param("postgres", marks=pytest.mark.broker))


@contextmanager
def fresh_engine() -> Iterator[ShardedIndex]:
    """An empty index, for one example of a generated test."""
    with TemporaryDirectory() as folder:
        engine = ShardedIndex(Path(folder), SMALL)
        try:
            yield engine
        finally:
            engine.let_go()


def document(number: int, text: str = "", **given: Any) -> Document:
    """A message of the broadcast, one minute after the one before."""
    channel = given.get("channel", BROADCAST)
    told: dict[str, Any] = {
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
    return Document(**(told | given))


def edited(old: Document, text: str) -> Document:
    return replace(old, revision=old.revision + 1, text=text)


def deleted(old: Document) -> Document:
    emptied = replace(old, text="", attachments=(), deleted=True)
    return replace(emptied, revision=old.revision + 1)


def told(engine: Engine, documents: Sequence[Document]) -> None:
    """Give an engine documents as the next changes of the feed."""
    after = engine.cursor()
    engine.apply(documents, after=after, upto=after + max(1, len(documents)))


def wanted(
    query: str,
    channels: Iterable[str] = EVERYWHERE,
    *,
    after: Key | None = None,
    limit: int = 50,
) -> Wanted:
    channels = frozenset(channels)
    return Wanted(
        project=min(channels).split("/")[0],
        channels=channels,
        plan=plan_of(parse(query)),
        after=after,
        limit=limit,
    )


def found(
    engine: Engine, query: str, channels: Iterable[str] = EVERYWHERE
) -> list[str]:
    """The ids of all messages that a query finds, newest first, over all pages."""
    ids: list[str] = []
    after: Key | None = None
    while True:
        page = engine.search(wanted(query, channels, after=after, limit=7))
        ids += [hit.message for hit in page.documents]
        if page.next is None:
            return ids
        after = page.next


class Workbench:
    """Opens an index again and again; what is left open is closed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: ShardedIndex | None = None

    def open(self, limits: Limits = SMALL) -> ShardedIndex:
        """Open the index, after giving up the one before without writing anything."""
        self.give_up()
        self._open = ShardedIndex(self.folder, limits)
        return self._open

    def give_up(self) -> None:
        """Leave the index as a killed process would."""
        if self._open is not None:
            self._open.let_go()
            self._open = None

    def files(self, pattern: str) -> list[Path]:
        """Files of the index, by name."""
        return sorted(self.folder.rglob(pattern))


class DatabaseBench:
    """One migrated database, in which each engine begins a generation of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._first = open_index(url)
        self._numbers = count(1)

    @contextmanager
    def emptied(self) -> Iterator[PostgresIndex]:
        """An engine without a document, at the beginning of the feed."""
        yield self.another(f"g{next(self._numbers)}")

    def another(self, generation: str) -> PostgresIndex:
        """One more engine, as another process would open it."""
        return PostgresIndex(self._first.database, generation=generation)

    def close(self) -> None:
        self._first.close()
