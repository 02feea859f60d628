"""Run `search` on fake `projects` and `messages`, without a broker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clp_contracts.errors import CallFailed, Refused
from clp_contracts.facts_cache import FactsCache
from clp_contracts.feed import Change
from clp_contracts.messages import (
    Attachment,
    Author,
    Message,
    MessageChanges,
    StoredMessage,
    StoredMessages,
)
from clp_contracts.projects import Facts, People, PersonFacts, ProjectFacts
from clp_contracts.search import FindMessages, SearchPage
from clp_search.dependencies import Dependencies
from clp_search.engine import Document, Engine
from clp_search.page_cursors import PageCursors
from clp_search.projection import MessagesProjection
from clp_search.search_slots import SearchSlots
from clp_search.use_cases.find import find
from tests.services.search.scenario import APPLIED, START


@dataclass(slots=True)
class NeighbourServices:
    """Fakes of `projects` and `messages`, as far as `search` calls them."""

    people: dict[str, PersonFacts] = field(default_factory=dict)
    shown: dict[str, ProjectFacts] = field(default_factory=dict)
    stored: dict[str, StoredMessage] = field(default_factory=dict)
    feed: list[Change] = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    away: bool = False
    # Without a lease each call of a test sees the facts of that moment.
    lease_s: float = 0.0
    # Whose documents `messages` has as well.
    engine: Engine | None = None

    @property
    def projects(self) -> Any:
        return SimpleNamespace(facts=self._facts, suggest_people=self._suggest_people)

    @property
    def messages(self) -> Any:
        return SimpleNamespace(changes=self._changes, get_messages=self._get_messages)

    def person(self, name: str, partner: str | None = None, /, **given: Any) -> None:
        fields: dict[str, Any] = {
            "id": name,
            "name": name.title(),
            "email": f"{name}@studio.example",
            "partner": partner,
            "roles": ("dub_portal_user",),
            "active": True,
        }
        self.people[name] = PersonFacts(**(fields | given))

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
        """Post, edit or delete a message: its state, and the change in the feed."""
        self.stored[given.message] = stored_message(given)
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

    def _facts(
        self,
        *,
        project_ids: Sequence[str],
        people: Sequence[str],
        lease_s: float,
        narrowed: bool,
    ) -> Facts:
        assert lease_s > 0
        assert narrowed
        self.calls.append(("facts", (tuple(project_ids), tuple(people))))
        return Facts(
            projects=tuple(self.shown[p] for p in project_ids if p in self.shown),
            people=tuple(self.people[p] for p in people if p in self.people),
            lease_s=self.lease_s,
        )

    def _changes(self, *, after: int, limit: int = 200, contents: bool) -> Any:
        if self.away:
            raise CallFailed("messages.changes")
        changes = tuple(self.feed[after : after + limit])
        ids = dict.fromkeys(change.subject for change in changes if contents)
        self.calls.append(("contents", tuple(ids)))
        messages = tuple(self.stored[message] for message in ids)
        return MessageChanges(changes=changes, head=len(self.feed), messages=messages)

    def contents_read(self) -> int:
        """Return how many messages were read, with changes or by their ids."""
        kinds = ("get_messages", "contents")
        return sum(len(ids) for what, ids in self.calls if what in kinds)

    def _get_messages(self, *, message_ids: Sequence[str]) -> StoredMessages:
        if self.away:
            raise CallFailed("messages.get_messages")
        self.calls.append(("get_messages", tuple(message_ids)))
        applied = {} if self.engine is None else APPLIED.get(self.engine, {})
        known = {m: stored_message(applied[m]) for m in message_ids if m in applied}
        known |= {m: self.stored[m] for m in message_ids if m in self.stored}
        return StoredMessages(messages=tuple(known.values()))

    def _suggest_people(self, *, typed: str, **scope: Any) -> People:
        """Return people whose name or address begins like this, within a scope."""
        self.calls.append(("suggest_people", (typed, scope["partner"])))
        typed = typed.casefold()
        return People(
            people=tuple(
                person
                for person in self.people.values()
                if scope["everybody"] or person.partner in {None, scope["partner"]}
                if person.email.startswith(typed) or typed in person.name.casefold()
            )
        )


def stored_message(given: Document) -> StoredMessage:
    """Return a document as `messages` has it."""
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
    return StoredMessage(message=message, mentioned=())


def dependencies_with(
    engine: Engine, neighbours: NeighbourServices, key: str = "us"
) -> Dependencies:
    neighbours.engine = engine
    clients: Any = neighbours
    return Dependencies(
        engine=engine,
        projection=MessagesProjection(
            engine, clients, clock=lambda: START, folder=Path("unused")
        ),
        clients=clients,
        facts=FactsCache(clients.projects),
        cursors=PageCursors(key),
        search_slots=SearchSlots(1),
    )


def sample_neighbours() -> NeighbourServices:
    neighbours = NeighbourServices()
    for internal in ("ivy", "ian"):
        neighbours.person(internal)
    neighbours.person("nat", "north")
    neighbours.person("sam", "south")
    neighbours.person("wil", "west")
    neighbours.person("lin", roles=("dub_portal_user", "dialogue_list_author"))
    neighbours.person("lea", "north", active=False)
    neighbours.project("p1", ["north", "south"], ["west"])
    return neighbours


def find_as(deps: Dependencies, actor: str, query: str, **arguments: Any) -> SearchPage:
    scope = (
        {} if "channel" in arguments or "project" in arguments else {"project": "p1"}
    )
    return find(FindMessages(query=query, **scope, **arguments), actor=actor, deps=deps)


def ids_of(search_ids: SearchPage) -> list[str]:
    return [hit.message for hit in search_ids.hits]


def refusal_of(
    deps: Dependencies, actor: str, query: str = "common", **arguments: Any
) -> Refused:
    with pytest.raises(Refused) as refusal:
        find_as(deps, actor, query, **arguments)
    return refusal.value
