"""The story's people and messages, as the other services would tell them.

Plain classes with facts in dictionaries; they answer by the rules of the core, so what
they refuse a reader is what the real services refuse.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from clp_chassis.persistence.database import Database
from clp_contracts import events
from clp_contracts.client import Callers
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.feed import Change
from clp_contracts.messages import (
    Attachment,
    Author,
    Content,
    Contents,
    ForMails,
    MailReader,
    Message,
    ReaderMail,
)
from clp_contracts.projects import (
    LONGEST_GOOD_S,
    Facts,
    Follow,
    PartnerName,
    People,
    PersonFacts,
    ProjectFacts,
)
from clp_core.channels import Channel
from clp_core.visibility import may_read
from clp_notifications.mapping import person_of, project_of

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PORTAL = ("dub_portal_user",)
LINGUIST = ("dub_portal_user", "dialogue_list_author")

CAST = {
    "ivy": ("Ivy Lane", None, PORTAL),
    "ian": ("Ian Moss", None, PORTAL),
    "lin": ("Lin Okafor", None, LINGUIST),
    "nat": ("Nat Moreau", "north", PORTAL),
    "nia": ("Nia Roux", "north", PORTAL),
    "sam": ("Sam Duarte", "south", PORTAL),
    "sol": ("Sol Reyes", "south", PORTAL),
}
PARTNERS = {"north": "North Dubbing", "south": "South Subtitles"}
BROADCAST, NORTH, SOUTH = "p1/broadcast", "p1/direct/north", "p1/direct/south"


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class World:
    """Everything the other services know."""

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
    markers: dict[tuple[str, str], int] = field(default_factory=dict)
    feed: list[Change] = field(default_factory=list)
    is_down: bool = False
    # One of before, that does not tell by which facts it judged.
    messages_is_old: bool = False
    # One of before, that knows of no answers that hold.
    projects_is_old: bool = False
    # Until then nobody is told that access has ended.
    holds_until: datetime = NOON
    at_each_call: Callable[[], None] = lambda: None
    after_each_call: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        for id, (name, partner, roles) in CAST.items():  # noqa: A001
            home = partner or "studio"
            self.people[id] = PersonFacts(
                id=id,
                name=name,
                email=f"{id}@{home}.example",
                partner=partner,
                roles=roles,
                active=True,
            )

    def follow(self, *people: str) -> None:
        self.following.extend(people)

    def unfollow(self, person: str) -> None:
        self.following.remove(person)

    def change_person(self, person: str, **facts: Any) -> None:
        self.people[person] = replace(self.people[person], **facts)

    def change_project(self, **facts: Any) -> None:
        self.project = replace(self.project, **facts)

    def withdraw(self, partner: str) -> None:
        left = tuple(p for p in self.project.assigned if p != partner)
        self.change_project(assigned=left, withdrawn=(*self.project.withdrawn, partner))

    def post(
        self,
        author: str,
        channel: str = BROADCAST,
        text: str = "Hello",
        *,
        mentions: Sequence[str] = (),
        files: Sequence[tuple[str, int]] = (),
    ) -> str:
        """Post a message; gives its id."""
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
        self._changed(events.MESSAGE_POSTED, message)
        return message

    def edit(
        self, message: str, *, mentions: Sequence[str], text: str = "Edited"
    ) -> None:
        self.messages[message] = replace(self.messages[message], text=text)
        self.mentioned[message] = tuple(mentions)
        self._changed(events.MESSAGE_EDITED, message)

    def delete(self, message: str) -> None:
        gone = replace(self.messages[message], text="", deleted=True, attachments=())
        self.messages[message] = gone
        self.mentioned[message] = ()
        self._changed(events.MESSAGE_DELETED, message)

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
                detail={},
            )
        )

    def facts(
        self,
        projects: Sequence[str],
        people: Sequence[str],
        follows: Sequence[Follow],
        good_for_s: float,
    ) -> Facts:
        """What is known of projects and people, and for how long it is to hold."""
        granted = min(good_for_s, LONGEST_GOOD_S)
        self.holds_until = max(
            self.holds_until, self.clock() + timedelta(seconds=granted)
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
            good_for_s=granted,
        )

    @property
    def callers(self) -> Callers:
        """Callers that reach these facts and nothing else."""
        return cast(Callers, _Callers(_Projects(self), _Messages(self)))

    def call(self) -> None:
        self.at_each_call()
        if self.is_down:
            raise CallFailed("nobody answers")


@dataclass
class _Callers:
    projects: "_Projects"
    messages: "_Messages"


@dataclass
class _Projects:
    world: World

    def facts(
        self,
        *,
        projects_: Sequence[str] = (),
        people: Sequence[str] = (),
        follows: Sequence[Follow] = (),
        good_for_s: float = 0.0,
    ) -> Facts:
        self.world.call()
        facts = self.world.facts(projects_, people, follows, good_for_s)
        self.world.after_each_call()
        return facts

    def followers(self, *, project: str) -> People:
        self.world.call()
        assert project == self.world.project.id
        return People(people=tuple(self.world.people[p] for p in self.world.following))


@dataclass
class _Messages:
    world: World

    def contents(self, *, messages_: Sequence[str]) -> Contents:
        self.world.call()
        return Contents(
            contents=tuple(
                Content(
                    message=self.world.messages[one],
                    mentioned=self.world.mentioned[one],
                )
                for one in messages_
                if one in self.world.messages
            )
        )

    def for_mails(
        self, *, readers: Sequence[MailReader], good_for_s: float = 0.0
    ) -> ForMails:
        world, messages = self.world, self.world.messages
        world.call()
        if good_for_s and (world.messages_is_old or world.projects_is_old):
            raise Refused.because("ask.malformed", fields={"good_for_s": ["unknown"]})
        parts = tuple(map(self._part, readers))
        readable = {message for part in parts for message in part.readable}
        told = ForMails(
            readers=parts,
            messages=tuple(messages[one] for one in sorted(readable)),
            deleted=tuple(
                sorted(
                    one
                    for one in {m for reader in readers for m in reader.messages}
                    if messages[one].deleted
                )
            ),
            facts=None if world.messages_is_old else self._facts(readers, good_for_s),
        )
        self.world.after_each_call()
        return told

    def _facts(self, readers: Sequence[MailReader], good_for_s: float) -> Facts:
        people, project = [reader.person for reader in readers], self.world.project.id
        follows = [Follow(person=person, project=project) for person in people]
        return self.world.facts([project], people, follows, good_for_s)

    def _part(self, asked: MailReader) -> ReaderMail:
        world, person = self.world, asked.person
        reader, rules = person_of(world.people[person]), project_of(world.project)
        readable = [
            message
            for message in (world.messages[one] for one in asked.messages)
            if not message.deleted
            and may_read(reader, Channel.named(message.channel), rules)
        ]
        return ReaderMail(
            person=person,
            readable=tuple(m.id for m in readable),
            read=tuple(
                m.id
                for m in readable
                if world.markers.get((person, m.channel), 0) >= m.number
            ),
            mentioned=tuple(m.id for m in readable if person in world.mentioned[m.id]),
        )


def fresh_changes(world: World, cursor: int) -> tuple[Change, ...]:
    """What a reader of the feed has not seen yet."""
    return tuple(world.feed[cursor:])


__all__ = ["BROADCAST", "NOON", "NORTH", "SOUTH", "Clock", "Database", "World"]
