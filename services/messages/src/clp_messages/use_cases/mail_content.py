"""Messages that readers may be mailed, judged right before mails leave (rule 23)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import in_array
from clp_contracts.messages import (
    GetReadableMessages,
    MailReader,
    Message,
    ReadableMessages,
    ReaderMessages,
)
from clp_contracts.projects import Facts, Follow
from clp_core.channels import Channel
from clp_core.visibility import may_read
from clp_messages.dependencies import Dependencies
from clp_messages.mapping import to_people, to_project
from clp_messages.queries import (
    markers_among,
    mentioned_in,
    message_views,
    messages_by_id,
    random_ids,
)
from clp_messages.tables import MessageRow

# Built once at import: it runs for every batch of mails.
PROJECTS: Final = select(MessageRow.id, MessageRow.project).where(
    in_array(MessageRow.id, "ids")
)
MayRead = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredState:
    """The requested messages as they are stored now."""

    messages: Mapping[str, Message]
    mentioned: Mapping[str, tuple[str, ...]]
    markers: Mapping[tuple[str, str], int]


def readable_messages(
    request: GetReadableMessages, *, deps: Dependencies
) -> ReadableMessages:
    """Return messages as each of several people may read them now."""
    people = sorted({reader.person for reader in request.readers})
    wanted = {message for reader in request.readers for message in reader.messages}
    with deps.database.reading() as session:
        projects = _projects_of(session, wanted)
    facts = _facts(request, projects, deps)
    may = _judge(facts)
    with deps.database.reading() as session:
        # After the call to `projects`: a message deleted meanwhile must not be mailed.
        stored = _stored_state(session, wanted, people)
    readers = tuple(_messages_of(reader, stored, may) for reader in request.readers)
    readable = {message for reader in readers for message in reader.readable}
    return ReadableMessages(
        readers=readers,
        messages=tuple(stored.messages[message] for message in sorted(readable)),
        deleted=tuple(
            sorted(
                message.id for message in stored.messages.values() if message.deleted
            )
        ),
        facts=facts,
    )


def _projects_of(session: Session, messages: Iterable[str]) -> Mapping[str, str]:
    """Return the project of each message that exists."""
    rows = session.execute(PROJECTS, {"ids": random_ids(messages)})
    return {row.id: row.project for row in rows}


def _facts(
    request: GetReadableMessages, projects: Mapping[str, str], deps: Dependencies
) -> Facts:
    """Fetch the readers, the projects of their messages, and who follows them."""
    follows = {
        (reader.person, projects[message])
        for reader in request.readers
        for message in reader.messages
        if message in projects
    }
    return deps.clients.projects.facts(
        project_ids=sorted(set(projects.values())),
        people=sorted({reader.person for reader in request.readers}),
        follows=[
            Follow(person=person, project=project)
            for person, project in sorted(follows)
        ],
        lease_s=request.lease_s,
    )


def _judge(facts: Facts) -> MayRead:
    """Return a function that judges each pair of person and channel once."""
    people = to_people(facts.people)
    projects = {project.id: to_project(project) for project in facts.projects}
    judged: dict[tuple[str, str], bool] = {}

    def judge(person: str, name: str) -> bool:
        channel, reader = Channel.named(name), people.get(person)
        project = projects.get(channel.project)
        if reader is None or project is None:
            return False
        return bool(may_read(reader, channel, project))

    def may(person: str, channel: str) -> bool:
        pair = (person, channel)
        if pair not in judged:
            judged[pair] = judge(person, channel)
        return judged[pair]

    return may


def _stored_state(
    session: Session, messages: set[str], people: list[str]
) -> _StoredState:
    views = message_views(session, messages_by_id(session, messages))
    by_id = {view.id: view for view in views}
    return _StoredState(
        messages=by_id,
        mentioned=mentioned_in(session, by_id),
        markers=markers_among(session, people, {view.channel for view in views}),
    )


def _messages_of(
    reader: MailReader, stored: _StoredState, may: MayRead
) -> ReaderMessages:
    person = reader.person
    readable = [
        message
        for key in reader.messages
        if (message := stored.messages.get(key)) is not None
        and not message.deleted
        and may(person, message.channel)
    ]
    return ReaderMessages(
        person=person,
        readable=tuple(message.id for message in readable),
        read=tuple(
            message.id
            for message in readable
            if stored.markers.get((person, message.channel), 0) >= message.number
        ),
        mentioned=tuple(
            message.id
            for message in readable
            if person in stored.mentioned.get(message.id, ())
        ),
    )
