"""The sample world of `notifications`: the other services with facts in dictionaries.

They apply the rules of the core, so they refuse what the real services refuse.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from clp_chassis.persistence.database import Database
from clp_contracts import events
from clp_contracts.client import Clients
from clp_contracts.core_mapping import to_person, to_project
from clp_contracts.errors import CallFailed
from clp_contracts.feed import Change
from clp_contracts.messages import (
    Attachment,
    Author,
    MailReader,
    Message,
    MessageChannel,
    ReadableMessages,
    ReaderMessages,
    RevisionMentions,
    StoredMessage,
    StoredMessages,
)
from clp_contracts.projects import (
    MAX_LEASE_S,
    Facts,
    Follow,
    PartnerName,
    People,
    PersonFacts,
    ProjectFacts,
)
from clp_core.channels import Channel
from clp_core.mentions import address_key, name_key
from clp_core.visibility import may_read
from tests.support.sample_world import (
    BROADCAST,
    CAST,
    NOON,
    NORTH,
    PARTNERS,
    SOUTH,
    facts_of,
)


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class World:
    """The facts of the other services."""

    clock: Clock = field(default_factory=Clock)
    people: dict[str, PersonFacts] = field(default_factory=dict)
    project: ProjectFacts = field(
        default_factory=lambda: ProjectFacts(
            id="p1",
            title="Night Train",
            assigned=("north", "south"),
            withdrawn=(),
            partners=tuple(
                PartnerName(id=one, name=name) for one, name in PARTNERS.items()
            ),
        )
    )
    following: list[str] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    mentioned: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # The mentions of each revision, from the first on.
    history: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    markers: dict[tuple[str, str], int] = field(default_factory=dict)
    feed: list[Change] = field(default_factory=list)
    is_down: bool = False
    # When the last read lease expires.
    leased_until: datetime = NOON
    at_each_call: Callable[[], None] = lambda: None
    after_each_call: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.people |= {member.id: facts_of(member) for member in CAST}

    def follow(self, *people: str) -> None:
        self.following.extend(people)

    def unfollow(self, person: str) -> None:
        self.following.remove(person)

    def change_person(self, person: str, **facts: Any) -> None:
        self.people[person] = replace(self.people[person], **facts)

    def change_project(self, **facts: Any) -> None:
        self.project = replace(self.project, **facts)

    def withdraw(self, partner: str) -> None:
        assigned = tuple(p for p in self.project.assigned if p != partner)
        self.change_project(
            assigned=assigned, withdrawn=(*self.project.withdrawn, partner)
        )

    def post(
        self,
        author: str,
        channel: str = BROADCAST,
        text: str = "Hello",
        *,
        mentions: Sequence[str] = (),
        files: Sequence[tuple[str, int]] = (),
    ) -> str:
        """Post a message; return its id."""
        message = f"m{len(self.messages) + 1}"
        number = 1 + sum(m.channel == channel for m in self.messages.values())
        self.messages[message] = Message(
            id=message,
            channel=channel,
            number=number,
            revision=1,
            author=self._author(author),
            text=text,
            posted_at=self.clock(),
            edited_at=None,
            deleted=False,
            attachments=tuple(
                Attachment(id=f"f{n}", name=name, size=size)
                for n, (name, size) in enumerate(files)
            ),
        )
        self.mentioned[message] = tuple(mentions)
        self.history[message] = [tuple(mentions)]
        self._changed(events.MESSAGE_POSTED, message)
        return message

    def edit(
        self, message: str, *, mentions: Sequence[str], text: str = "Edited"
    ) -> None:
        self._revise(message, text=text, mentions=mentions)
        self._changed(events.MESSAGE_EDITED, message)

    def delete(self, message: str) -> None:
        self._revise(message, text="", deleted=True, attachments=())
        self._changed(events.MESSAGE_DELETED, message)

    def _revise(
        self, message: str, *, mentions: Sequence[str] = (), **changed: Any
    ) -> None:
        before = self.messages[message]
        self.messages[message] = replace(
            before, revision=before.revision + 1, **changed
        )
        self.mentioned[message] = tuple(mentions)
        self.history[message].append(tuple(mentions))

    def read(self, person: str, channel: str) -> None:
        last = max(m.number for m in self.messages.values() if m.channel == channel)
        self.markers[person, channel] = last

    def _author(self, author: str) -> Author:
        if author == "robot":
            return Author(id="robot", name="Robot", side="internal")
        person = self.people[author]
        side = "internal" if person.partner is None else "external"
        return Author(id=author, name=person.name, side=side)

    def _changed(self, kind: str, message: str) -> None:
        self.feed.append(
            Change(
                position=len(self.feed) + 1,
                type=kind,
                subject=message,
                project="p1",
                at=self.clock(),
                detail={"revision": str(self.messages[message].revision)},
            )
        )

    def facts(
        self,
        *,
        projects: Sequence[str],
        people: Sequence[str],
        follows: Sequence[Follow],
        lease_s: float,
    ) -> Facts:
        """Facts of projects and people, with the granted lease."""
        granted = min(lease_s, MAX_LEASE_S)
        self.leased_until = max(
            self.leased_until, self.clock() + timedelta(seconds=granted)
        )
        known = {self.project.id: self.project}
        return Facts(
            projects=tuple(known[one] for one in projects if one in known),
            people=tuple(self.people[one] for one in people if one in self.people),
            follows=tuple(
                one
                for one in follows
                if one.project in known and one.person in self.following
            ),
            lease_s=granted,
        )

    @property
    def clients(self) -> Clients:
        """Return clients that reach these facts and nothing else."""
        return cast(Clients, _Clients(_Projects(self), _Messages(self)))

    def call(self) -> None:
        self.at_each_call()
        if self.is_down:
            raise CallFailed("no response")


@dataclass
class _Clients:
    projects: "_Projects"
    messages: "_Messages"


@dataclass
class _Projects:
    world: World

    def facts(
        self,
        *,
        project_ids: Sequence[str] = (),
        people: Sequence[str] = (),
        follows: Sequence[Follow] = (),
        lease_s: float = 0.0,
        narrowed: bool = False,
        all_follows: bool = False,
    ) -> Facts:
        self.world.call()
        if all_follows:
            follows = [
                Follow(person=person, project=project)
                for project in project_ids
                for person in sorted(self.world.following)
            ]
            people = [*dict.fromkeys((*people, *sorted(self.world.following)))]
        facts = self.world.facts(
            projects=project_ids, people=people, follows=follows, lease_s=lease_s
        )
        self.world.after_each_call()
        return facts

    def followers(self, *, project: str, partner: str | None = None) -> People:
        self.world.call()
        assert project == self.world.project.id
        followers = [self.world.people[one] for one in self.world.following]
        return People(
            people=tuple(
                one for one in followers if partner in (None, one.partner or partner)
            )
        )

    def people_by_handle(
        self,
        *,
        lookup_keys: Sequence[str],
        partner: str | None = None,
        everybody: bool = False,
    ) -> People:
        self.world.call()
        return People(
            people=tuple(
                one
                for one in self.world.people.values()
                if {name_key(one.name), address_key(one.email)} & set(lookup_keys)
                and (everybody or one.partner in (None, partner))
            )
        )


@dataclass
class _Messages:
    world: World

    def message_channel(self, *, message: str) -> MessageChannel:
        self.world.call()
        found = self.world.messages.get(message)
        if found is None:
            return MessageChannel()
        return MessageChannel(channel=found.channel, author=found.author.id)

    def get_messages(self, *, message_ids: Sequence[str]) -> StoredMessages:
        self.world.call()
        return StoredMessages(
            messages=tuple(
                StoredMessage(
                    message=self.world.messages[one],
                    mentioned=self.world.mentioned[one],
                    history=tuple(
                        RevisionMentions(revision=revision, mentioned=mentioned)
                        for revision, mentioned in enumerate(self.world.history[one], 1)
                    ),
                )
                for one in message_ids
                if one in self.world.messages
            )
        )

    def readable_messages(
        self, *, readers: Sequence[MailReader], lease_s: float = 0.0
    ) -> ReadableMessages:
        world, messages = self.world, self.world.messages
        world.call()
        entries = tuple(map(self._entry_of, readers))
        readable = {message for entry in entries for message in entry.readable}
        response = ReadableMessages(
            readers=entries,
            messages=tuple(messages[one] for one in sorted(readable)),
            deleted_ids=tuple(
                sorted(
                    one
                    for one in {m for reader in readers for m in reader.message_ids}
                    if messages[one].deleted
                )
            ),
            facts=self._facts(readers, lease_s),
        )
        self.world.after_each_call()
        return response

    def _facts(self, readers: Sequence[MailReader], lease_s: float) -> Facts:
        people, project = [reader.person for reader in readers], self.world.project.id
        follows = [Follow(person=person, project=project) for person in people]
        return self.world.facts(
            projects=[project], people=people, follows=follows, lease_s=lease_s
        )

    def _entry_of(self, requested: MailReader) -> ReaderMessages:
        world, person = self.world, requested.person
        reader, rules = to_person(world.people[person]), to_project(world.project)
        readable = [
            message
            for message in (world.messages[one] for one in requested.message_ids)
            if not message.deleted
            and may_read(reader, Channel.named(message.channel), rules)
        ]
        return ReaderMessages(
            person=person,
            readable=tuple(m.id for m in readable),
            read=tuple(
                m.id
                for m in readable
                if world.markers.get((person, m.channel), 0) >= m.number
            ),
            mentioned_in=tuple(
                m.id for m in readable if person in world.mentioned[m.id]
            ),
        )


def fresh_changes(world: World, cursor: int) -> tuple[Change, ...]:
    """Return the changes after a cursor."""
    return tuple(world.feed[cursor:])


__all__ = ["BROADCAST", "NOON", "NORTH", "SOUTH", "Clock", "Database", "World"]
