"""Asking `search` with canned neighbours: `projects` and `messages` without a broker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clp_contracts.errors import CallFailed, Refused
from clp_contracts.facts_cache import KnownFacts
from clp_contracts.feed import Change, Changes
from clp_contracts.messages import Attachment, Author, Content, Contents, Message
from clp_contracts.projects import Facts, PersonFacts, ProjectFacts
from clp_contracts.search import AskFind, Found
from clp_search.dependencies import Parts
from clp_search.engine import Document, Engine
from clp_search.page_cursors import PageCursors
from clp_search.projection import MessagesProjection
from clp_search.use_cases.find import find
from tests.services.search.scenario import START


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


def parts_with(engine: Engine, neighbours: Neighbours, sealed_by: str = "us") -> Parts:
    callers: Any = neighbours
    return Parts(
        engine=engine,
        projection=MessagesProjection(
            engine, callers, clock=lambda: START, folder=Path("unused")
        ),
        callers=callers,
        known=KnownFacts(callers.projects),
        cursors=PageCursors(sealed_by),
    )


def story() -> Neighbours:
    neighbours = Neighbours()
    for internal in ("ivy", "ian"):
        neighbours.person(internal)
    neighbours.person("nat", "north")
    neighbours.person("sam", "south")
    neighbours.person("wil", "west")
    neighbours.person("lin", roles=("dub_portal_user", "dialogue_list_author"))
    neighbours.person("lea", "north", active=False)
    neighbours.project("p1", ["north", "south"], ["west"])
    return neighbours


def find_as(parts: Parts, actor: str, query: str, **ask: Any) -> Found:
    scope = {} if "channel" in ask or "project" in ask else {"project": "p1"}
    return find(AskFind(query=query, **scope, **ask), actor=actor, parts=parts)


def ids_of(found: Found) -> list[str]:
    return [hit.message for hit in found.hits]


def refusal_of(parts: Parts, actor: str, query: str = "common", **ask: Any) -> Refused:
    with pytest.raises(Refused) as refusal:
        find_as(parts, actor, query, **ask)
    return refusal.value
