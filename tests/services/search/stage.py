"""Documents and neighbours for the tests of `search`: canned facts, no broker."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from clp_contracts.feed import Change, Changes
from clp_contracts.messages import Attachment, Author, Content, Contents, Message
from clp_contracts.projects import Facts, PersonFacts, ProjectFacts
from clp_contracts.refusal import CallFailed
from clp_search.engine import Document, Engine, Key, Wanted
from clp_search.index.shard import Writing
from clp_search.index.sharded import Limits, ShardedIndex
from clp_search.query import parse
from clp_search.terms import plan_of

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
BROADCAST, WITH_NORTH, WITH_SOUTH = "p1/broadcast", "p1/direct/north", "p1/direct/south"
EVERYWHERE = frozenset({BROADCAST, WITH_NORTH, WITH_SOUTH})

# Small enough that a short test writes, merges and reads segments.
SMALL = Limits(
    shards=2, flush_at=4, writing=Writing(smallest=4, alike=3, most=60, surely=False)
)


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


@dataclass(slots=True)
class Neighbours:
    """`projects` and `messages`, as far as `search` asks them."""

    people: dict[str, PersonFacts] = field(default_factory=dict)
    shown: dict[str, ProjectFacts] = field(default_factory=dict)
    stored: dict[str, Content] = field(default_factory=dict)
    feed: list[Change] = field(default_factory=list)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    away: bool = False

    @property
    def projects(self) -> Any:
        return SimpleNamespace(facts=self._facts)

    @property
    def messages(self) -> Any:
        return SimpleNamespace(changes=self._changes, contents=self._contents)

    def person(self, name: str, partner: str | None = None, **given: Any) -> None:
        told: dict[str, Any] = {
            "id": name,
            "name": name.title(),
            "email": f"{name}@studio.example",
            "partner": partner,
            "roles": ("dub_portal_user",),
            "active": True,
        }
        self.people[name] = PersonFacts(**(told | given))

    def project(
        self, name: str, assigned: Iterable[str], withdrawn: Iterable[str] = ()
    ) -> None:
        self.shown[name] = ProjectFacts(
            id=name,
            title=name,
            assigned=tuple(assigned),
            withdrawn=tuple(withdrawn),
            partners=(),
        )

    def stores(self, given: Document) -> None:
        """A message was posted, edited or deleted: its state, and a change that says so."""
        message = Message(
            id=given.message,
            channel=given.channel,
            number=given.number,
            revision=given.revision,
            author=Author(id=given.author, name=given.author_name, side="internal"),
            text=given.text,
            posted_at=given.posted_at,
            edited_at=None,
            deleted=given.deleted,
            attachments=tuple(
                Attachment(id=name, name=name, size=1) for name in given.attachments
            ),
        )
        self.stored[given.message] = Content(message=message, mentioned=())
        self.feed.append(
            Change(
                position=len(self.feed) + 1,
                type="clp.messages.message_posted.v1",
                subject=given.message,
                project=given.project,
                at=given.posted_at,
                detail={},
            )
        )

    def _facts(self, *, projects_: Sequence[str], people: Sequence[str]) -> Facts:
        self.asked.append(("facts", (tuple(projects_), tuple(people))))
        return Facts(
            projects=tuple(self.shown[p] for p in projects_ if p in self.shown),
            people=tuple(self.people[p] for p in people if p in self.people),
        )

    def _changes(self, *, after: int, limit: int = 200) -> Changes:
        if self.away:
            raise CallFailed("messages.changes")
        return Changes(
            changes=tuple(self.feed[after : after + limit]), head=len(self.feed)
        )

    def _contents(self, *, messages_: Sequence[str]) -> Contents:
        if self.away:
            raise CallFailed("messages.contents")
        self.asked.append(("contents", tuple(messages_)))
        return Contents(contents=tuple(self.stored[m] for m in messages_))
