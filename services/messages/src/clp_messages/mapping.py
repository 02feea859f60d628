"""Map contract facts and rows to the core's values, and rows to contract values."""

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
class AccessContext:
    """Facts about the actor of a call and the project it concerns.

    Each is None if it does not exist; to callers that looks like a refusal (rule 5).
    """

    actor: CoreAuthor | None
    project: Project | None
    project_facts: ProjectFacts | None = None


def access_context_of(passport: Passport, facts: Facts) -> AccessContext:
    """Build the context of a passport from facts about it and at most one project."""
    project_facts = facts.projects[0] if facts.projects else None
    project = None if project_facts is None else to_project(project_facts)
    actor: CoreAuthor | None = ROBOT
    if passport.kind is not PassportKind.ROBOT:
        actor = to_people(facts.people).get(passport.subject)
    return AccessContext(actor, project, project_facts)


def to_person(facts: PersonFacts) -> Person:
    """Map a person to the core's value."""
    return Person(
        id=PersonId(facts.id),
        name=facts.name,
        email=facts.email,
        partner=None if facts.partner is None else PartnerId(facts.partner),
        roles=frozenset(facts.roles),
        active=facts.active,
    )


def to_people(people: Iterable[PersonFacts]) -> Mapping[str, Person]:
    """Map people to the core's values, by id."""
    return {facts.id: to_person(facts) for facts in people}


def to_project(facts: ProjectFacts) -> Project:
    """Map a project to the core's value."""
    return Project(
        id=ProjectId(facts.id),
        assigned=frozenset(PartnerId(partner) for partner in facts.assigned),
        withdrawn=frozenset(PartnerId(partner) for partner in facts.withdrawn),
    )


def author_view(author: CoreAuthor) -> Author:
    """Map an author to the contract; the robot has a reserved name."""
    if isinstance(author, Person):
        return Author(id=author.id, name=author.name, side=author.side.value)
    return Author(id=author.id, name=ROBOT_NAME, side=Side.INTERNAL.value)


def to_message_facts(row: MessageRow) -> MessageFacts:
    """Map a row to what the rules need of a message."""
    return MessageFacts(
        channel=Channel.named(row.channel),
        number=row.number,
        author=PersonId(row.author),
        deleted=row.deleted_at is not None,
    )


def message_view(row: MessageRow, attachments: Iterable[AttachmentRow]) -> Message:
    """Map a row to the contract; a deleted one to its tombstone (rule 12)."""
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
    """Mention outcomes as stored."""

    mentions: tuple[Mention, ...]


def serialize_outcomes(mentions: Iterable[Mention]) -> str:
    """Serialize outcomes for a row."""
    return json.dumps(dump(StoredOutcomes(mentions=tuple(mentions))))


def parse_outcomes(text: str) -> tuple[Mention, ...]:
    """Parse the outcomes of a row."""
    stored: Any = json.loads(text)
    return load(StoredOutcomes, stored).mentions
