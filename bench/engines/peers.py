"""The engines compared: our two, and the usual alternatives.

Each indexes the same messages and runs the same queries: the newest twenty messages of
one channel with all of some words. Only ours finds every script and part of a word; the
others find what their defaults find.
"""

import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import tantivy

from bench.engines.settling import settle
from bench.search_messages import SampleQuery
from clp_chassis.clock import now
from clp_chassis.persistence.database import migrate
from clp_search.engine import Document, Engine, SearchRequest
from clp_search.index.sharded_index import BULK, ShardedIndex
from clp_search.postgres.engine import open_index
from clp_search.query import parse
from clp_search.terms import query_plan

PAGE = 20
WORD = re.compile(r"\w+")


class PeerEngine(ABC):
    """An engine, created or opened in a folder of its own."""

    @abstractmethod
    def add_documents(self, documents: Sequence[Document], first: int) -> None:
        """Index the next messages."""

    def settle(self) -> None:  # noqa: B027 - most have nothing to do
        """Finish the index as an operator would once."""

    @abstractmethod
    def search(self, question: SampleQuery) -> int:
        """Run a query for a page of texts; return their number."""

    @abstractmethod
    def size_bytes(self) -> int:
        """Bytes on disk."""

    def close(self) -> None:  # noqa: B027
        """Release everything."""


class Ours(PeerEngine):
    """An engine of ours, from the typed query to the page."""

    def __init__(self, engine: Engine, *, marked: bool = False) -> None:
        self._engine = engine
        self._marked = marked

    def add_documents(self, documents: Sequence[Document], first: int) -> None:
        self._engine.apply(documents, after=first, upto=first + len(documents))
        # Use the wall clock: by that of the messages days pass in one batch.
        self._engine.maintain(now())

    def settle(self) -> None:
        settle(self._engine)

    def search(self, question: SampleQuery) -> int:
        query = parse(question.text)
        page = self._engine.search(
            SearchRequest(
                project=question.project,
                channels=frozenset({question.channel}),
                plan=query_plan(query),
                limit=PAGE,
            )
        )
        if self._marked:
            self._engine.highlight(page.documents, query)
        return len(page.documents)

    def marking(self) -> "Ours":
        """The same engine, with the matches of each page highlighted."""
        return Ours(self._engine, marked=True)

    def size_bytes(self) -> int:
        return self._engine.size().size_bytes

    def close(self) -> None:
        self._engine.close()


def ours_in_a_folder(folder: Path) -> Ours:
    return Ours(ShardedIndex(folder, BULK))


def ours_in_postgres(url: str) -> Ours:
    migrate(url, "clp_search")
    return Ours(open_index(url))


class Fts5(PeerEngine):
    """SQLite's full-text search as its page shows it; the channel is a column."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "fts5.db"
        self._connection = sqlite3.connect(self._file)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute(
            "create virtual table if not exists messages"
            " using fts5(text, channel unindexed, tokenize = 'unicode61')"
        )

    def add_documents(self, documents: Sequence[Document], first: int) -> None:
        with self._connection:
            self._connection.executemany(
                "insert into messages (rowid, text, channel) values (?, ?, ?)",
                [(d.number, _all_text(d), d.channel) for d in documents],
            )

    def settle(self) -> None:
        with self._connection:
            self._connection.execute(
                "insert into messages (messages) values ('optimize')"
            )
        self._connection.execute("pragma wal_checkpoint(truncate)")

    def search(self, question: SampleQuery) -> int:
        words = " ".join(f'"{word}"' for word in question.text.split())
        return len(
            self._connection.execute(
                "select rowid, text from messages where messages match ?"
                " and channel = ? order by rowid desc limit ?",
                (words.replace("\0", ""), question.channel, PAGE),
            ).fetchall()
        )

    def size_bytes(self) -> int:
        return self._file.stat().st_size

    def close(self) -> None:
        self._connection.close()


class PostgresSimple(PeerEngine):
    """PostgreSQL's text search: configuration `simple`, GIN, an index on the channel."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        self._connection.execute(
            "create table if not exists messages (id bigint primary key,"
            " channel text not null, text text not null, words tsvector"
            " generated always as (to_tsvector('simple', text)) stored)"
        )
        self._connection.execute(
            "create index if not exists by_word on messages using gin (words)"
        )
        self._connection.execute(
            "create index if not exists by_channel on messages (channel, id)"
        )

    def add_documents(self, documents: Sequence[Document], first: int) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "insert into messages (id, channel, text) values (%s, %s, %s)",
                [(d.number, d.channel, _all_text(d)) for d in documents],
            )

    def settle(self) -> None:
        self._connection.execute("vacuum analyze messages")

    def search(self, question: SampleQuery) -> int:
        return len(
            self._connection.execute(
                "select id, text from messages where channel = %s"
                " and words @@ plainto_tsquery('simple', %s)"
                " order by id desc limit %s",
                (question.channel, question.text, PAGE),
            ).fetchall()
        )

    def size_bytes(self) -> int:
        cursor = self._connection.execute("select pg_total_relation_size('messages')")
        return int((cursor.fetchone() or (0,))[0])

    def close(self) -> None:
        self._connection.close()


class Tantivy(PeerEngine):
    """Tantivy with its default tokenizer; the channel is a term of the query."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        fields = tantivy.SchemaBuilder()
        fields.add_text_field("text", stored=True)
        fields.add_text_field("channel", tokenizer_name="raw", index_option="basic")
        fields.add_integer_field("number", stored=True, fast=True)
        self._schema = fields.build()
        self._index = tantivy.Index(self._schema, path=str(folder))
        self._searcher = self._index.searcher()
        self._writer: Any = None

    def add_documents(self, documents: Sequence[Document], first: int) -> None:
        self._writer = self._writer or self._index.writer(num_threads=1)
        for document in documents:
            self._writer.add_document(
                tantivy.Document(
                    text=_all_text(document),
                    channel=document.channel,
                    number=document.number,
                )
            )
        self._writer.commit()

    def settle(self) -> None:
        self._writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(self, question: SampleQuery) -> int:
        must = tantivy.Occur.Must
        words = [("text", word.lower()) for word in WORD.findall(question.text)]
        terms = [("channel", question.channel), *words]
        query = tantivy.Query.boolean_query(
            [(must, tantivy.Query.term_query(self._schema, *term)) for term in terms]
        )
        found: Any = self._searcher.search(
            query, PAGE, order_by_field="number", count=False
        )
        return len([self._searcher.doc(place)["text"] for _, place in found.hits])

    def size_bytes(self) -> int:
        return sum(f.stat().st_size for f in self._folder.iterdir() if f.is_file())


def _all_text(document: Document) -> str:
    return "\n".join((document.text, *document.attachments))
