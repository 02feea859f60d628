"""Map contract facts and rows to the core's values, and rows to contract values."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from clp_chassis.security.passports import Passport
from clp_contracts.core_mapping import to_people, to_project
from clp_contracts.messages import (
    Attachment,
    Author,
    Mention,
    MentionMark,
    Message,
    MessageMay,
)
from clp_contracts.projects import Facts, ProjectFacts
from clp_contracts.serialization import dump, load
from clp_core.channels import Channel, Project
from clp_core.mentions import Span, StoredMark, visible_marks
from clp_core.messages import MessageFacts, may_delete, may_edit
from clp_core.people import Author as CoreAuthor
from clp_core.people import PartnerId, Person, PersonId, Side

ROBOT_NAME: Final = "Robot"
# The marks of most messages, as stored.
NO_MARKS: Final = "[]"
# A row of `messages`; where it is shown, with its ``files`` as JSON.
StoredRow = Any


@dataclass(frozen=True, slots=True)
class AccessContext:
    """Facts about the actor of a call and the project it concerns.

    Each is None if it does not exist; to callers that looks like a refusal (rule 5).
    """

    actor: Person | None
    project: Project | None
    project_facts: ProjectFacts | None = None


def access_context_of(passport: Passport, facts: Facts) -> AccessContext:
    """Build the context of a passport from facts about it and at most one project."""
    project_facts = facts.projects[0] if facts.projects else None
    project = None if project_facts is None else to_project(project_facts)
    actor = to_people(facts.people).get(passport.subject)
    return AccessContext(actor, project, project_facts)


def author_view(author: CoreAuthor) -> Author:
    """Map an author to the contract; the robot has a reserved name."""
    if isinstance(author, Person):
        return Author(id=author.id, name=author.name, side=author.side.value)
    return Author(id=author.id, name=ROBOT_NAME, side=Side.INTERNAL.value)


def to_message_facts(row: StoredRow) -> MessageFacts:
    """Map a row to what the rules need of a message."""
    return MessageFacts(
        channel=Channel.named(row.channel),
        number=row.number,
        author=PersonId(row.author),
        deleted=row.deleted_at is not None,
    )


@dataclass(frozen=True, slots=True)
class ProjectReader:
    """The person for whom messages of a project are shown."""

    person: Person
    project: Project
    # What they may do to messages, judged once for all that the rules judge alike.
    judged: dict[tuple[str, bool, bool], MessageMay] = field(
        default_factory=dict, compare=False
    )


def message_view(row: StoredRow, reader: ProjectReader | None = None) -> Message:
    """Map a row to the contract; a deleted one to its tombstone (rule 12).

    Without a reader there are no mention marks, and nothing may be done to it.
    """
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
        attachments=() if deleted or not row.files else _attachments(row.files),
        mentions=() if reader is None else mention_marks(row, reader.person),
        may=MessageMay() if reader is None else message_may(row, reader),
    )


def message_views(
    rows: Iterable[StoredRow], reader: ProjectReader | None = None
) -> tuple[Message, ...]:
    """Map rows as a reader sees them, or as stored, in the same order."""
    return tuple(message_view(row, reader) for row in rows)


def _attachments(files: str) -> tuple[Attachment, ...]:
    """Parse the files of a message, in their order."""
    return tuple(
        Attachment(id=file, name=name, size=size)
        for _, file, name, size in sorted(json.loads(files))
    )


def mention_marks(row: StoredRow, reader: Person) -> tuple[MentionMark, ...]:
    """Return the marks of a message for one reader (rule 45)."""
    if row.deleted_at is not None or row.marks == NO_MARKS:
        return ()
    return tuple(
        MentionMark(
            start=mark.span.start,
            end=mark.span.end,
            person=mark.person,
            me=mark.person == reader.id,
        )
        for mark in visible_marks(parse_marks(row.marks), reader)
    )


def message_may(row: StoredRow, reader: ProjectReader) -> MessageMay:
    """Return what a reader may do to a message now.

    It depends on the channel, and on whether the message is theirs or deleted.
    """
    alike = (row.channel, row.author == reader.person.id, row.deleted_at is not None)
    if (judged := reader.judged.get(alike)) is None:
        facts = to_message_facts(row)
        judged = reader.judged[alike] = MessageMay(
            edit=bool(may_edit(reader.person, facts, reader.project)),
            delete=bool(may_delete(reader.person, facts, reader.project)),
        )
    return judged


def serialize_marks(marks: Iterable[StoredMark]) -> str:
    """Serialize mention marks for a row."""
    return json.dumps(
        [[mark.span.start, mark.span.end, mark.person, mark.partner] for mark in marks]
    )


def parse_marks(text: str) -> tuple[StoredMark, ...]:
    """Parse the mention marks of a row."""
    if text == NO_MARKS:
        return ()
    return tuple(
        StoredMark(
            Span(start, end),
            PersonId(person),
            None if partner is None else PartnerId(partner),
        )
        for start, end, person, partner in json.loads(text)
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
