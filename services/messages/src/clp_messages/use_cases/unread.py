"""Read markers and what is unread after them (rules 31 and 32)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import BindParameter, Row, Select, bindparam, func, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import among, insert_if_absent
from clp_chassis.security.passports import Passport
from clp_contracts.messages import (
    AskUnread,
    ChannelUnread,
    Marked,
    MarkRead,
    ProjectUnread,
    Unread,
)
from clp_core.channels import Channel, Project, ProjectId, is_id
from clp_core.people import Person
from clp_core.unread import moved_marker, project_unread_count
from clp_core.visibility import channels_readable_by
from clp_messages.dependencies import Parts
from clp_messages.mapping import core_people, core_project
from clp_messages.queries import last_number
from clp_messages.tables import Base, ChannelRow, MessageRow, ReadMarkerRow
from clp_messages.use_cases.authorization import channel_named, reader_in


def _unread_after_marker() -> Select[Any]:
    """All numbers after the marker, less the reader's own and the deleted ones.

    Neither numbers nor those of an author have gaps, so counting is subtracting, and a
    long history costs no more than a short one. Only what was deleted is counted.
    """
    reader: BindParameter[str] = bindparam("reader")
    marker = func.coalesce(ReadMarkerRow.number, 0)
    here = MessageRow.channel == ChannelRow.name
    after = (here, MessageRow.number > marker)
    own = (here, MessageRow.author == reader)
    others = MessageRow.author != reader
    kept = MessageRow.deleted_at.is_(None)
    number, author_number = MessageRow.number, MessageRow.author_number
    wanted = {
        "own": select(author_number).where(*own).order_by(number.desc()),
        "own_read": select(author_number)
        .where(*own, number <= marker)
        .order_by(number.desc()),
        "gone": select(func.count()).where(*after, ~kept, others),
        "first": select(number).where(*after, kept, others).order_by(number),
    }
    columns = (
        asked.limit(1)
        .correlate(ChannelRow, ReadMarkerRow)
        .scalar_subquery()
        .label(name)
        for name, asked in wanted.items()
    )
    return (
        select(
            ChannelRow.name, ChannelRow.last_number, marker.label("marker"), *columns
        )
        .outerjoin(
            ReadMarkerRow,
            (ReadMarkerRow.channel == ChannelRow.name)
            & (ReadMarkerRow.person == reader),
        )
        .where(among(ChannelRow.name, "channels"))
    )


# Written once: people look at it all the time.
UNREAD: Final = _unread_after_marker()


def mark_read(ask: MarkRead, *, actor: Passport, parts: Parts) -> Marked:
    """Move the actor's marker forward, at most to the channel's last message."""
    channel = channel_named(ask.channel)
    reader, _ = reader_in(channel, actor, parts)
    with parts.database.writing(tell=False) as session:
        reached = min(ask.number, last_number(session, channel.name))
        marker = _locked_marker(session, reader, channel)
        marker.number = moved_marker(marker.number, reached)
        return Marked(channel=channel.name, number=marker.number)


def _locked_marker(session: Session, reader: Person, channel: Channel) -> ReadMarkerRow:
    table = Base.metadata.tables["read_markers"]
    key = {"person": reader.id, "channel": channel.name}
    insert_if_absent(session, table, {**key, "number": 0})
    return session.get_one(
        ReadMarkerRow, (reader.id, channel.name), with_for_update=True
    )


def unread(ask: AskUnread, *, actor: Passport, parts: Parts) -> Unread:
    """The unread numbers of projects, as many as wanted, in the order asked for.

    However many projects and messages there are, the rows are asked once.
    """
    asked = [ProjectId(name) for name in dict.fromkeys(ask.projects) if is_id(name)]
    told = parts.callers.projects.facts(projects_=asked, people=[actor.subject])
    reader = core_people(told.people).get(actor.subject)
    if reader is None:
        return Unread(projects=())
    projects = {facts.id: core_project(facts) for facts in told.projects}
    readable = {
        project.id: channels
        for project in projects.values()
        if (channels := channels_readable_by(reader, project))
    }
    names = [channel.name for some in readable.values() for channel in some]
    with parts.database.reading() as session:
        counted = _counted(session, reader, names)
    return Unread(
        projects=tuple(
            _project_unread((reader, projects[project]), (readable[project], counted))
            for project in asked
            if project in readable
        )
    )


def _project_unread(
    about: tuple[Person, Project],
    seen: tuple[Iterable[Channel], Mapping[str, ChannelUnread]],
) -> ProjectUnread:
    (reader, project), (channels, counted) = about, seen
    numbers = {
        channel: counted.get(channel.name)
        or ChannelUnread(channel=channel.name, unread=0, first=None, marker=0)
        for channel in channels
    }
    counts = {channel: number.unread for channel, number in numbers.items()}
    return ProjectUnread(
        project=project.id,
        unread=project_unread_count(counts, reader, project),
        channels=tuple(numbers.values()),
    )


def _counted(
    session: Session, reader: Person, channels: Iterable[str]
) -> Mapping[str, ChannelUnread]:
    asked = {"reader": reader.id, "channels": channels}
    return {row.name: _channel_unread(row) for row in session.execute(UNREAD, asked)}


def _channel_unread(row: Row[Any]) -> ChannelUnread:
    own_after = (row.own or 0) - (row.own_read or 0)
    return ChannelUnread(
        channel=row.name,
        unread=row.last_number - row.marker - own_after - row.gone,
        first=row.first,
        marker=row.marker,
    )
