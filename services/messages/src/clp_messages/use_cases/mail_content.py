"""What may be mailed to whom, asked right before mails leave (rule 23)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import among
from clp_contracts.messages import (
    AskForMail,
    AskForMails,
    ForMail,
    ForMails,
    MailItem,
    MailReader,
    Message,
    ReaderMail,
)
from clp_contracts.projects import Facts, Follow
from clp_core.channels import Channel
from clp_core.visibility import may_read
from clp_messages.dependencies import Parts
from clp_messages.mapping import core_people, core_project
from clp_messages.queries import (
    markers_among,
    mentioned_in,
    messages_by_id,
    random_ids,
    shown_messages,
)
from clp_messages.tables import MessageRow

# Written once: it is used for every few mails.
PROJECTS: Final = select(MessageRow.id, MessageRow.project).where(
    among(MessageRow.id, "ids")
)
MayRead = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """The messages asked for as they are stored at this moment."""

    messages: Mapping[str, Message]
    mentioned: Mapping[str, tuple[str, ...]]
    markers: Mapping[tuple[str, str], int]


def for_mail(ask: AskForMail, *, parts: Parts) -> ForMail:
    """Messages as one person may read them at this moment."""
    reader = MailReader(person=ask.person, messages=ask.messages)
    told = for_mails(AskForMails(readers=(reader,)), parts=parts)
    found = {message.id: message for message in told.messages}
    (mail,) = told.readers
    return ForMail(
        items=tuple(
            MailItem(
                id=message,
                readable=True,
                read=message in mail.read,
                mentioned=message in mail.mentioned,
                message=found[message],
            )
            if message in mail.readable
            else MailItem(id=message, readable=False)
            for message in ask.messages
        )
    )


def for_mails(ask: AskForMails, *, parts: Parts) -> ForMails:
    """Messages as each of several people may read them at this moment."""
    people = sorted({reader.person for reader in ask.readers})
    wanted = {message for reader in ask.readers for message in reader.messages}
    with parts.database.reading() as session:
        projects = _projects_of(session, wanted)
    facts = _facts(ask, projects, parts)
    may = _judge(facts)
    with parts.database.reading() as session:
        # After `projects` answered: what was deleted meanwhile must not leave.
        stored = _stored(session, wanted, people)
    readers = tuple(_part_of(reader, stored, may) for reader in ask.readers)
    readable = {message for reader in readers for message in reader.readable}
    return ForMails(
        readers=readers,
        messages=tuple(stored.messages[message] for message in sorted(readable)),
        deleted=tuple(
            sorted(one.id for one in stored.messages.values() if one.deleted)
        ),
        facts=facts,
    )


def _projects_of(session: Session, messages: Iterable[str]) -> Mapping[str, str]:
    """The project of each message that there is."""
    rows = session.execute(PROJECTS, {"ids": random_ids(messages)})
    return {row.id: row.project for row in rows}


def _facts(ask: AskForMails, projects: Mapping[str, str], parts: Parts) -> Facts:
    """Of this moment: the readers, the projects of their messages, who follows them."""
    follows = {
        (reader.person, projects[message])
        for reader in ask.readers
        for message in reader.messages
        if message in projects
    }
    return parts.callers.projects.facts(
        projects_=sorted(set(projects.values())),
        people=sorted({reader.person for reader in ask.readers}),
        follows=[Follow(person=who, project=what) for who, what in sorted(follows)],
        good_for_s=ask.good_for_s,
    )


def _judge(told: Facts) -> MayRead:
    """Who may read what; each pair is judged once."""
    persons = core_people(told.people)
    known = {facts.id: core_project(facts) for facts in told.projects}
    judged: dict[tuple[str, str], bool] = {}

    def judge(person: str, name: str) -> bool:
        channel, reader = Channel.named(name), persons.get(person)
        project = known.get(channel.project)
        if reader is None or project is None:
            return False
        return bool(may_read(reader, channel, project))

    def may(person: str, channel: str) -> bool:
        pair = (person, channel)
        if pair not in judged:
            judged[pair] = judge(person, channel)
        return judged[pair]

    return may


def _stored(session: Session, messages: set[str], people: list[str]) -> _Stored:
    shown = shown_messages(session, messages_by_id(session, messages))
    found = {message.id: message for message in shown}
    return _Stored(
        messages=found,
        mentioned=mentioned_in(session, found),
        markers=markers_among(session, people, {m.channel for m in shown}),
    )


def _part_of(reader: MailReader, stored: _Stored, may: MayRead) -> ReaderMail:
    person = reader.person
    readable = [
        message
        for key in reader.messages
        if (message := stored.messages.get(key)) is not None
        and not message.deleted
        and may(person, message.channel)
    ]
    return ReaderMail(
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
