"""Read markers and unread numbers (rules 31 and 32)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Row, Select, bindparam, case, func, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import INSERTS, in_array
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
from clp_contracts.projects import Facts
from clp_core.channels import Channel, ProjectId, is_id
from clp_core.people import Person
from clp_core.visibility import channels_readable_by
from clp_messages.dependencies import Dependencies
from clp_messages.mapping import access_context_of
from clp_messages.tables import CHANNELS, ID, MESSAGES, NUMBER, READ_MARKERS
from clp_messages.use_cases.authorization import channel_named, reader_in

# More have no leases: each is a row, and a place in the cache that others may need.
MAX_LEASED_PROJECTS: Final = 20
# Above the number of any message, and within what the databases store.
MAX_NUMBER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ChannelCount:
    """The unread messages of a channel, and the number of its last message."""

    unread: ChannelUnread
    last: int


def _unread_after_marker() -> Select[Any]:
    """Count the numbers after the marker, less the reader's own and the deleted ones.

    Neither numbers nor author numbers have gaps, so counting is subtracting, and a long
    history costs no more than a short one. Only deleted messages are counted singly.
    In a channel that was read to its end, as most are, nothing is looked up.
    """
    reader: BindParameter[str] = bindparam("reader")
    marker = func.coalesce(READ_MARKERS.c.number, 0)
    here = MESSAGES.c.channel == CHANNELS.c.name
    after = (here, MESSAGES.c.number > marker)
    own = (here, MESSAGES.c.author == reader)
    others = MESSAGES.c.author != reader
    kept = MESSAGES.c.deleted_at.is_(None)
    number, author_number = MESSAGES.c.number, MESSAGES.c.author_number
    subqueries = {
        "own": select(author_number).where(*own).order_by(number.desc()),
        "own_read": select(author_number)
        .where(*own, number <= marker)
        .order_by(number.desc()),
        "gone": select(func.count()).where(*after, ~kept, others),
        "first": select(number).where(*after, kept, others).order_by(number),
    }
    has_news = CHANNELS.c.last_number > marker
    columns = (
        case(
            (
                has_news,
                subquery.limit(1).correlate(CHANNELS, READ_MARKERS).scalar_subquery(),
            )
        ).label(name)
        for name, subquery in subqueries.items()
    )
    return (
        select(
            CHANNELS.c.name, CHANNELS.c.last_number, marker.label("marker"), *columns
        )
        .outerjoin(
            READ_MARKERS,
            (READ_MARKERS.c.channel == CHANNELS.c.name)
            & (READ_MARKERS.c.person == reader),
        )
        .where(in_array(CHANNELS.c.name, "channels"))
    )


# Built once at import: this is a frequent query.
UNREAD: Final = _unread_after_marker()


def _advance_marker(insert: Any) -> Any:
    """Move a marker as `clp_core.unread.advance_marker`, to an existing message."""
    last, wanted = CHANNELS.c.last_number, bindparam("wanted", type_=NUMBER)
    reached = select(
        bindparam("reader", type_=ID),
        CHANNELS.c.name,
        case((wanted < last, wanted), else_=last),
    ).where(CHANNELS.c.name == bindparam("in_channel"))
    upsert = insert(READ_MARKERS).from_select(["person", "channel", "number"], reached)
    old, new = READ_MARKERS.c.number, upsert.excluded.number
    return upsert.on_conflict_do_update(
        index_elements=READ_MARKERS.primary_key,
        set_={"number": case((old < new, new), else_=old)},
    ).returning(old)


ADVANCE_MARKER: Final = {
    dialect: _advance_marker(insert) for dialect, insert in INSERTS.items()
}


def mark_read(request: MarkRead, *, actor: Passport, deps: Dependencies) -> MarkedRead:
    """Move the actor's marker forward, at most to the channel's last message.

    Raises:
        Refused: ``channel.missing``.
    """
    channel = channel_named(request.channel)
    reader, _ = reader_in(channel, actor, deps)
    number = max(0, min(request.number, MAX_NUMBER))
    parameters = {"reader": reader.id, "in_channel": channel.name, "wanted": number}
    with deps.database.writing(notify=False, at_once=True) as session:
        statement = ADVANCE_MARKER[session.get_bind().dialect.name]
        reached = session.scalar(statement, parameters) or 0
    return MarkedRead(channel=channel.name, number=reached)


def unread(request: GetUnread, *, actor: Passport, deps: Dependencies) -> Unread:
    """Return the unread numbers of projects in the order of the request (rule 31).

    Hidden and missing projects are left out. At most one call to `projects` and one
    statement, however many projects and messages there are.
    """
    wanted = [
        ProjectId(name) for name in dict.fromkeys(request.projects) if is_id(name)
    ]
    facts = _facts_about(wanted, actor, deps)
    reader = to_people(facts.people).get(actor.subject)
    if reader is None:
        return Unread(projects=())
    readable = {
        ProjectId(found.id): channels
        for found in facts.projects
        if (channels := channels_readable_by(reader, to_project(found)))
    }
    names = [channel.name for channels in readable.values() for channel in channels]
    with deps.database.reading() as session:
        counts = unread_of_channels(session, reader, names)
    return Unread(
        projects=tuple(
            project_unread(project, readable[project], counts=counts)
            for project in wanted
            if project in readable
        )
    )


def _facts_about(
    projects: Sequence[ProjectId], actor: Passport, deps: Dependencies
) -> Facts:
    """Return facts about projects: leased ones where they show all, else current."""
    person = actor.subject
    if len(projects) > MAX_LEASED_PROJECTS:
        return deps.clients.projects.facts(
            project_ids=projects, people=[person], narrowed=True
        )
    leased = {name: deps.facts.complete(person, name) for name in projects}
    found = {
        name: facts
        for name, facts in leased.items()
        if facts is not None and _shows_a_channel(facts, actor)
    }
    missing = [name for name in projects if name not in found]
    if missing:
        fetched = deps.facts.fetch_each(person, missing)
        found.update((ProjectId(name), facts) for name, facts in fetched.items())
    return Facts(
        projects=tuple(one for facts in found.values() for one in facts.projects),
        people=next((facts.people for facts in found.values()), ()),
    )


def _shows_a_channel(facts: Facts, actor: Passport) -> bool:
    context = access_context_of(actor, facts)
    person, project = context.actor, context.project
    if person is None or project is None:
        return False
    return bool(channels_readable_by(person, project))


def project_unread(
    project: ProjectId,
    readable: Iterable[Channel],
    *,
    counts: Mapping[str, ChannelCount],
) -> ProjectUnread:
    """Sum the unread numbers of the channels of a project that a person may read."""
    numbers = tuple(
        counts[channel.name].unread
        if channel.name in counts
        else ChannelUnread(channel=channel.name, unread=0, first=None, marker=0)
        for channel in readable
    )
    return ProjectUnread(
        project=project,
        unread=sum(number.unread for number in numbers),
        channels=numbers,
    )


def unread_of_channels(
    session: Session, reader: Person, channels: Iterable[str]
) -> Mapping[str, ChannelCount]:
    """Count the unread messages of those channels that have any message."""
    parameters = {"reader": reader.id, "channels": channels}
    return {
        row.name: ChannelCount(_channel_unread(row), row.last_number)
        for row in session.execute(UNREAD, parameters).all()
    }


def _channel_unread(row: Row[Any]) -> ChannelUnread:
    own_after = (row.own or 0) - (row.own_read or 0)
    return ChannelUnread(
        channel=row.name,
        unread=row.last_number - row.marker - own_after - (row.gone or 0),
        first=row.first,
        marker=row.marker,
        last=row.last_number,
    )
