"""Read markers and unread numbers (rules 31 and 32)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Row, Select, bindparam, func, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import in_array, insert_if_absent
from clp_chassis.security.passports import Passport
from clp_contracts.core_mapping import to_people, to_project
from clp_contracts.messages import (
    ChannelUnread,
    GetUnread,
    MarkedRead,
    MarkRead,
    ProjectUnread,
    Unread,
)
from clp_core.channels import Channel, Project, ProjectId, is_id
from clp_core.people import Person
from clp_core.unread import advance_marker, project_unread_count
from clp_core.visibility import channels_readable_by
from clp_messages.dependencies import Dependencies
from clp_messages.queries import last_number
from clp_messages.tables import Base, ChannelRow, MessageRow, ReadMarkerRow
from clp_messages.use_cases.authorization import channel_named, reader_in


@dataclass(frozen=True, slots=True)
class ChannelCount:
    """The unread messages of a channel, and the number of its last message."""

    unread: ChannelUnread
    last: int


def _unread_after_marker() -> Select[Any]:
    """Count the numbers after the marker, less the reader's own and the deleted ones.

    Neither numbers nor author numbers have gaps, so counting is subtracting, and a long
    history costs no more than a short one. Only deleted messages are counted singly.
    """
    reader: BindParameter[str] = bindparam("reader")
    marker = func.coalesce(ReadMarkerRow.number, 0)
    here = MessageRow.channel == ChannelRow.name
    after = (here, MessageRow.number > marker)
    own = (here, MessageRow.author == reader)
    others = MessageRow.author != reader
    kept = MessageRow.deleted_at.is_(None)
    number, author_number = MessageRow.number, MessageRow.author_number
    subqueries = {
        "own": select(author_number).where(*own).order_by(number.desc()),
        "own_read": select(author_number)
        .where(*own, number <= marker)
        .order_by(number.desc()),
        "gone": select(func.count()).where(*after, ~kept, others),
        "first": select(number).where(*after, kept, others).order_by(number),
    }
    columns = (
        subquery.limit(1)
        .correlate(ChannelRow, ReadMarkerRow)
        .scalar_subquery()
        .label(name)
        for name, subquery in subqueries.items()
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
        .where(in_array(ChannelRow.name, "channels"))
    )


# Built once at import: this is a frequent query.
UNREAD: Final = _unread_after_marker()


def mark_read(request: MarkRead, *, actor: Passport, deps: Dependencies) -> MarkedRead:
    """Move the actor's marker forward, at most to the channel's last message.

    Raises:
        Refused: ``channel.missing``.
    """
    channel = channel_named(request.channel)
    reader, _ = reader_in(channel, actor, deps)
    with deps.database.writing(notify=False) as session:
        reached = min(request.number, last_number(session, channel.name))
        marker = _locked_marker(session, reader, channel)
        marker.number = advance_marker(marker.number, reached)
        return MarkedRead(channel=channel.name, number=marker.number)


def _locked_marker(session: Session, reader: Person, channel: Channel) -> ReadMarkerRow:
    table = Base.metadata.tables["read_markers"]
    key = {"person": reader.id, "channel": channel.name}
    insert_if_absent(session, table, {**key, "number": 0})
    return session.get_one(
        ReadMarkerRow, (reader.id, channel.name), with_for_update=True
    )


def unread(request: GetUnread, *, actor: Passport, deps: Dependencies) -> Unread:
    """Return the unread numbers of projects in the order of the request (rule 31).

    Hidden and missing projects are left out. One call to `projects` and one statement,
    however many projects and messages there are.
    """
    wanted = [
        ProjectId(name) for name in dict.fromkeys(request.projects) if is_id(name)
    ]
    facts = deps.clients.projects.facts(project_ids=wanted, people=[actor.subject])
    reader = to_people(facts.people).get(actor.subject)
    if reader is None:
        return Unread(projects=())
    projects = {project.id: to_project(project) for project in facts.projects}
    readable = {
        project.id: channels
        for project in projects.values()
        if (channels := channels_readable_by(reader, project))
    }
    names = [channel.name for channels in readable.values() for channel in channels]
    with deps.database.reading() as session:
        counts = unread_of_channels(session, reader, names)
    return Unread(
        projects=tuple(
            project_unread(reader, projects[project], counts=counts)
            for project in wanted
            if project in readable
        )
    )


def project_unread(
    reader: Person, project: Project, *, counts: Mapping[str, ChannelCount]
) -> ProjectUnread:
    """Sum the unread numbers of the channels of a project that a person may read."""
    numbers = {
        channel: counts[channel.name].unread
        if channel.name in counts
        else ChannelUnread(channel=channel.name, unread=0, first=None, marker=0)
        for channel in channels_readable_by(reader, project)
    }
    return ProjectUnread(
        project=project.id,
        unread=project_unread_count(
            {channel: number.unread for channel, number in numbers.items()},
            reader,
            project,
        ),
        channels=tuple(numbers.values()),
    )


def unread_of_channels(
    session: Session, reader: Person, channels: Iterable[str]
) -> Mapping[str, ChannelCount]:
    """Count the unread messages of those channels that have any message."""
    parameters = {"reader": reader.id, "channels": channels}
    return {
        row.name: ChannelCount(_channel_unread(row), row.last_number)
        for row in session.execute(UNREAD, parameters)
    }


def _channel_unread(row: Row[Any]) -> ChannelUnread:
    own_after = (row.own or 0) - (row.own_read or 0)
    return ChannelUnread(
        channel=row.name,
        unread=row.last_number - row.marker - own_after - row.gone,
        first=row.first,
        marker=row.marker,
    )
