"""What other services are told: stored messages, the feed, and how far all this is."""

from collections.abc import Mapping
from typing import Final

from clp_contracts import feed
from clp_contracts.messages import (
    AskContents,
    AskForMail,
    Content,
    Contents,
    ForMail,
    MailItem,
    Message,
)
from clp_core.channels import Channel
from clp_core.people import Person
from clp_core.visibility import may_read
from clp_messages.facts import core_people, core_project
from clp_messages.parts import Parts
from clp_messages.rows import (
    markers_of,
    mentioned_in,
    messages_by_id,
    shown_messages,
)
from clp_messages.tables import CURSORS, OUTBOX

ANNOUNCEMENTS: Final = "messages.announcements"
PROJECTS: Final = "projects"


def contents(ask: AskContents, *, parts: Parts) -> Contents:
    """Messages as they are stored now, for projections and routing."""
    with parts.database.reading() as session:
        rows = messages_by_id(session, ask.messages)
        people = mentioned_in(session, [row.id for row in rows])
        shown = shown_messages(session, rows)
    return Contents(
        contents=tuple(
            Content(message=message, mentioned=people.get(message.id, ()))
            for message in shown
        )
    )


def for_mail(ask: AskForMail, *, parts: Parts) -> ForMail:
    """Messages as one person may read them at this moment (rule 23)."""
    with parts.database.reading() as session:
        rows = messages_by_id(session, ask.messages)
        projects = sorted({row.project for row in rows})
    told = parts.callers.projects.facts(projects_=projects, people=[ask.person])
    person = core_people(told.people).get(ask.person)
    known = {facts.id: core_project(facts) for facts in told.projects}
    with parts.database.reading() as session:
        # Asked again: what was deleted while `projects` answered must not leave.
        rows = messages_by_id(session, ask.messages)
        shown = {message.id: message for message in shown_messages(session, rows)}
        people = mentioned_in(session, shown)
        channels = sorted({message.channel for message in shown.values()})
        markers = markers_of(session, ask.person, channels)

    def readable(message: Message) -> bool:
        channel = Channel.named(message.channel)
        project = known.get(channel.project)
        return (
            isinstance(person, Person)
            and project is not None
            and not message.deleted
            and bool(may_read(person, channel, project))
        )

    return ForMail(
        items=tuple(
            _mail_item(
                shown[message], markers, mentioned=ask.person in people.get(message, ())
            )
            if message in shown and readable(shown[message])
            else MailItem(id=message, readable=False)
            for message in ask.messages
        )
    )


def _mail_item(
    message: Message, markers: Mapping[str, int], *, mentioned: bool
) -> MailItem:
    return MailItem(
        id=message.id,
        readable=True,
        read=markers.get(message.channel, 0) >= message.number,
        mentioned=mentioned,
        message=message,
    )


def changes(ask: feed.ReadChanges, *, parts: Parts) -> feed.Changes:
    """The feed after a position."""
    with parts.database.reading() as session:
        return OUTBOX.after(session, ask)


def progress(*, parts: Parts) -> feed.Progress:
    """How far the service's own feed is, and what it has read of that of `projects`."""
    with parts.database.reading() as session:
        # In the order in which work moves on, so that none is overlooked between.
        cursor = CURSORS.position(session, ANNOUNCEMENTS)
        pending = OUTBOX.pending(session)
        head = OUTBOX.head(session)
    reader = feed.ReaderProgress(reader=ANNOUNCEMENTS, source=PROJECTS, cursor=cursor)
    return feed.Progress(head=head, pending=pending, due=0, readers=(reader,))
