"""Messages that readers may be mailed, judged right before mails leave (rule 23)."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from clp_contracts.messages import (
    GetReadableMessages,
    MailReader,
    Message,
    ReadableMessages,
    ReaderMessages,
)
from clp_contracts.projects import Facts, Follow
from clp_messages.dependencies import Dependencies
from clp_messages.mapping import message_views
from clp_messages.queries import (
    markers_among,
    mentioned_in,
    messages_by_id,
    projects_of,
)
from clp_messages.use_cases.authorization import ReaderAccess


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
    wanted = {message for reader in request.readers for message in reader.message_ids}
    with deps.database.reading() as session:
        projects = projects_of(session, wanted)
    facts = _facts(request, projects, deps)
    access = ReaderAccess(facts)
    with deps.database.reading() as session:
        # After the call to `projects`: a message deleted meanwhile must not be mailed.
        stored = _stored_state(session, wanted, people)
    readers = tuple(_messages_of(reader, stored, access) for reader in request.readers)
    readable = {message for reader in readers for message in reader.readable}
    return ReadableMessages(
        readers=readers,
        messages=tuple(stored.messages[message] for message in sorted(readable)),
        deleted_ids=tuple(
            sorted(
                message.id for message in stored.messages.values() if message.deleted
            )
        ),
        facts=facts,
    )


def _facts(
    request: GetReadableMessages, projects: Mapping[str, str], deps: Dependencies
) -> Facts:
    """Fetch the readers, the projects of their messages, and who follows them."""
    follows = {
        (reader.person, projects[message])
        for reader in request.readers
        for message in reader.message_ids
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


def _stored_state(
    session: Session, messages: set[str], people: list[str]
) -> _StoredState:
    views = message_views(messages_by_id(session, messages))
    by_id = {view.id: view for view in views}
    return _StoredState(
        messages=by_id,
        mentioned=mentioned_in(session, by_id),
        markers=markers_among(session, people, {view.channel for view in views}),
    )


def _messages_of(
    reader: MailReader, stored: _StoredState, access: ReaderAccess
) -> ReaderMessages:
    person = reader.person
    readable = [
        message
        for key in reader.message_ids
        if (message := stored.messages.get(key)) is not None
        and not message.deleted
        and access.may_read(person, message.channel)
    ]
    return ReaderMessages(
        person=person,
        readable=tuple(message.id for message in readable),
        read=tuple(
            message.id
            for message in readable
            if stored.markers.get((person, message.channel), 0) >= message.number
        ),
        mentioned_in=tuple(
            message.id
            for message in readable
            if person in stored.mentioned.get(message.id, ())
        ),
    )
