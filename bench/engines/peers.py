"""What is compared: our two engines, and what others would reach for first.

Each is told the same messages and asked the same questions: the newest twenty messages
of one channel with all of some words. Ours alone finds every script and part; the
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
from bench.search_messages import Question
from clp_chassis.clock import now
from clp_search.engine import Document, Engine, Wanted
from clp_search.index.sharded_index import BUILDING, ShardedIndex
from clp_search.postgres.engine import open_index
from clp_search.query import parse
from clp_search.terms import plan_of

PAGE = 20
WORD = re.compile(r"\w+")


class Peer(ABC):
    """One engine, begun in a place of its own or opened again."""

    @abstractmethod
    def take(self, documents: Sequence[Document], first: int) -> None:
        """Take the next messages."""

    def settle(self) -> None:  # noqa: B027 - most have nothing to do
        """All was told: do what an operator would do once."""

    @abstractmethod
    def ask(self, question: Question) -> int:
        """Answer a question with a page of texts; say how many."""

    @abstractmethod
    def size_bytes(self) -> int:
        """How much it takes on disk."""

    def close(self) -> None:  # noqa: B027
        """Let go of everything."""


class Ours(Peer):
    """An engine of ours, from the typed query to the page."""

    def __init__(self, engine: Engine, *, marked: bool = False) -> None:
        self._engine = engine
        self._marked = marked

    def take(self, documents: Sequence[Document], first: int) -> None:
        self._engine.apply(documents, after=first, upto=first + len(documents))
        # By the clock of the one who tells: by that of messages days pass in a turn.
        self._engine.tidy(now())

    def settle(self) -> None:
        settle(self._engine)

    def ask(self, question: Question) -> int:
        query = parse(question.text)
        page = self._engine.search(
            Wanted(
                project=question.project,
                channels=frozenset({question.channel}),
                plan=plan_of(query),
                limit=PAGE,
            )
        )
        if self._marked:
            self._engine.show(page.documents, query)
        return len(page.documents)

    def marking(self) -> "Ours":
        """The same engine, with the finds of each page marked."""
        return Ours(self._engine, marked=True)

    def size_bytes(self) -> int:
        return self._engine.size().size_bytes

    def close(self) -> None:
        self._engine.close()


def ours_in_a_folder(folder: Path) -> Ours:
    return Ours(ShardedIndex(folder, BUILDING))


def ours_in_postgres(url: str) -> Ours:
    return Ours(open_index(url))


class Fts5(Peer):
    """SQLite's full-text search as its page shows it; the channel is a column."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "fts5.db"
        self._link = sqlite3.connect(self._file)
        self._link.execute("pragma journal_mode = wal")
        self._link.execute(
            "create virtual table if not exists messages"
            " using fts5(text, channel unindexed, tokenize = 'unicode61')"
        )

    def take(self, documents: Sequence[Document], first: int) -> None:
        with self._link:
            self._link.executemany(
                "insert into messages (rowid, text, channel) values (?, ?, ?)",
                [(d.number, _all_text(d), d.channel) for d in documents],
            )

    def settle(self) -> None:
        with self._link:
            self._link.execute("insert into messages (messages) values ('optimize')")
        self._link.execute("pragma wal_checkpoint(truncate)")

    def ask(self, question: Question) -> int:
        words = " ".join(f'"{word}"' for word in question.text.split())
        return len(
            self._link.execute(
                "select rowid, text from messages where messages match ?"
                " and channel = ? order by rowid desc limit ?",
                (words.replace("\0", ""), question.channel, PAGE),
            ).fetchall()
        )

    def size_bytes(self) -> int:
        return self._file.stat().st_size

    def close(self) -> None:
        self._link.close()


class PostgresSimple(Peer):
    """PostgreSQL's text search: configuration `simple`, GIN, an index on the channel."""

    def __init__(self, url: str) -> None:
        self._link = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        self._link.execute(
            "create table if not exists messages (id bigint primary key,"
            " channel text not null, text text not null, words tsvector"
            " generated always as (to_tsvector('simple', text)) stored)"
        )
        self._link.execute(
            "create index if not exists by_word on messages using gin (words)"
        )
        self._link.execute(
            "create index if not exists by_channel on messages (channel, id)"
        )

    def take(self, documents: Sequence[Document], first: int) -> None:
        with self._link.cursor() as cursor:
            cursor.executemany(
                "insert into messages (id, channel, text) values (%s, %s, %s)",
                [(d.number, d.channel, _all_text(d)) for d in documents],
            )

    def settle(self) -> None:
        self._link.execute("vacuum analyze messages")

    def ask(self, question: Question) -> int:
        return len(
            self._link.execute(
                "select id, text from messages where channel = %s"
                " and words @@ plainto_tsquery('simple', %s)"
                " order by id desc limit %s",
                (question.channel, question.text, PAGE),
            ).fetchall()
        )

    def size_bytes(self) -> int:
        asked = self._link.execute("select pg_total_relation_size('messages')")
        return int((asked.fetchone() or (0,))[0])

    def close(self) -> None:
        self._link.close()


class Tantivy(Peer):
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

    def take(self, documents: Sequence[Document], first: int) -> None:
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

    def ask(self, question: Question) -> int:
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
