"""Facts as they travel, and rows, as the rules take them and as callers see them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from clp_chassis.security.passports import Passport
from clp_contracts.messages import Attachment, Author, Mention, Message
from clp_contracts.methods import PassportKind
from clp_contracts.projects import Facts, PersonFacts, ProjectFacts
from clp_contracts.serialization import dump, load
from clp_core.channels import Channel, Project, ProjectId
from clp_core.messages import MessageFacts
from clp_core.people import ROBOT, PartnerId, Person, PersonId, Side
from clp_core.people import Author as CoreAuthor
from clp_messages.tables import AttachmentRow, MessageRow

ROBOT_NAME: Final = "Robot"


@dataclass(frozen=True, slots=True)
class Standing:
    """What `projects` knows now of who asks, and of the project it is about.

    Either is None when it does not exist, which no caller can tell from a refusal.
    """

    actor: CoreAuthor | None
    project: Project | None
    shown: ProjectFacts | None = None


def standing_of(passport: Passport, told: Facts) -> Standing:
    """The standing that a passport has, by facts asked for it and one project."""
    shown = told.projects[0] if told.projects else None
    project = None if shown is None else core_project(shown)
    if passport.kind is PassportKind.ROBOT:
        return Standing(ROBOT, project, shown)
    return Standing(core_people(told.people).get(passport.subject), project, shown)


def core_person(facts: PersonFacts) -> Person:
    """A person as the rules take them."""
    return Person(
        id=PersonId(facts.id),
        name=facts.name,
        email=facts.email,
        partner=None if facts.partner is None else PartnerId(facts.partner),
        roles=frozenset(facts.roles),
        active=facts.active,
    )


def core_people(people: Iterable[PersonFacts]) -> Mapping[str, Person]:
    """People as the rules take them, by id."""
    return {facts.id: core_person(facts) for facts in people}


def core_project(facts: ProjectFacts) -> Project:
    """A project as the rules take it."""
    return Project(
        id=ProjectId(facts.id),
        assigned=frozenset(PartnerId(partner) for partner in facts.assigned),
        withdrawn=frozenset(PartnerId(partner) for partner in facts.withdrawn),
    )


def shown_author(author: CoreAuthor) -> Author:
    """An author as readers see them: the robot by a name nobody else can choose."""
    if isinstance(author, Person):
        return Author(id=author.id, name=author.name, side=author.side.value)
    return Author(id=author.id, name=ROBOT_NAME, side=Side.INTERNAL.value)


def core_message(row: MessageRow) -> MessageFacts:
    """A message as the rules take it."""
    return MessageFacts(
        channel=Channel.named(row.channel),
        number=row.number,
        author=PersonId(row.author),
        deleted=row.deleted_at is not None,
    )


def shown_message(row: MessageRow, attachments: Iterable[AttachmentRow]) -> Message:
    """A message as its readers see it; of a deleted one, only its place (rule 12)."""
    deleted = row.deleted_at is not None
    return Message(
        id=row.id,
        channel=row.channel,
        number=row.number,
        revision=row.revision,
        author=Author(id=row.author, name=row.author_name, side=row.author_side),
        text="" if deleted else row.text,
        posted_at=row.posted_at,
        edited_at=row.edited_at,
        deleted=deleted,
        attachments=()
        if deleted
        else tuple(
            Attachment(id=file.id, name=file.name, size=file.size)
            for file in attachments
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOutcomes:
    """Mention outcomes as a row keeps them."""

    mentions: tuple[Mention, ...]


def stored_outcomes(mentions: Iterable[Mention]) -> str:
    """Outcomes as text for a row."""
    return json.dumps(dump(StoredOutcomes(mentions=tuple(mentions))))


def outcomes_stored(text: str) -> tuple[Mention, ...]:
    """Outcomes as a row kept them."""
    kept: Any = json.loads(text)
    return load(StoredOutcomes, kept).mentions
