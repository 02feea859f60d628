"""Pages of a channel, and the channels of a project."""

from collections.abc import Iterable
from typing import Final, Protocol

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from clp_chassis.security.passports import Passport
from clp_contracts.errors import Refused
from clp_contracts.messages import (
    ChannelFacts,
    Channels,
    GetChannels,
    GetPage,
    Page,
)
from clp_contracts.projects import ProjectFacts
from clp_core.channels import Channel, is_id
from clp_core.decisions import Reason
from clp_core.visibility import channels_readable_by, may_post
from clp_messages.dependencies import Dependencies
from clp_messages.mapping import ProjectReader
from clp_messages.queries import last_number, message_views
from clp_messages.tables import MessageRow
from clp_messages.use_cases.authorization import (
    at_most_one,
    channel_named,
    current_context,
    reader_in,
    refuse,
)

MAX_MESSAGES: Final = 100
BROADCAST_TITLE: Final = "Broadcast"
# Built once at import: this is the most frequent query.
PAGE: Final = (
    select(MessageRow)
    .where(
        MessageRow.channel == bindparam("channel"),
        MessageRow.number >= bindparam("start"),
        MessageRow.number < bindparam("stop"),
    )
    .order_by(MessageRow.number)
)


def page(request: GetPage, *, actor: Passport, deps: Dependencies) -> Page:
    """Return messages before, after or around a number; the newest without one.

    Raises:
        Refused: ``channel.missing``; ``request.malformed`` for two of the three.
    """
    if not at_most_one((request.before, request.after, request.around)):
        raise Refused.because(
            "request.malformed", fields={"": ["before, after or around, not several"]}
        )
    channel = channel_named(request.channel)
    reader = ProjectReader(*reader_in(channel, actor, deps))
    with deps.database.reading() as session:
        last = last_number(session, channel.name)
        numbers = numbers_of_page(request, last)
        return read_page(session, channel, numbers, last=last, reader=reader)


def read_page(
    session: Session,
    channel: Channel,
    numbers: range,
    *,
    last: int,
    reader: ProjectReader,
) -> Page:
    """Read a run of messages of a channel whose last message has number ``last``."""
    parameters = {
        "channel": channel.name,
        "start": numbers.start,
        "stop": numbers.stop,
    }
    rows = session.scalars(PAGE, parameters).all()
    return Page(
        messages=message_views(session, rows, reader),
        more_before=numbers.start > 1,
        more_after=numbers.stop <= last,
    )


class PageRequest(Protocol):
    """The fields of a request that select a page."""

    @property
    def before(self) -> int | None: ...
    @property
    def after(self) -> int | None: ...
    @property
    def around(self) -> int | None: ...
    @property
    def limit(self) -> int: ...


def numbers_of_page(request: PageRequest, last: int) -> range:
    """Return the numbers on a page of a channel whose last message has number `last`.

    Numbers have no gaps (rule 11), so a page is a run of numbers and stays the same
    under new posts.

    >>> numbers_of_page(GetPage(channel="p1/broadcast", around=10, limit=5), last=100)
    range(8, 13)
    """
    limit = max(1, min(request.limit, MAX_MESSAGES))
    end = last + 1
    if request.before is not None:
        stop = max(1, min(request.before, end))
        return range(max(1, stop - limit), stop)
    if request.after is not None:
        start = max(0, min(request.after, last)) + 1
        return range(start, min(start + limit, end))
    if request.around is not None:
        start = min(max(request.around, 1) - limit // 2, end - limit)
        start = max(1, start)
        return range(start, min(start + limit, end))
    return range(max(1, end - limit), end)


def channels(request: GetChannels, *, actor: Passport, deps: Dependencies) -> Channels:
    """Return the channels of a project that exist for the actor, the broadcast first.

    Raises:
        Refused: ``project.missing``.
    """
    project_id = request.project if is_id(request.project) else None
    context = current_context(actor, project_id, deps)
    person, project, facts = context.actor, context.project, context.project_facts
    if person is None or project is None or facts is None:
        refuse(Reason.PROJECT_MISSING)
    readable = channels_readable_by(person, project)
    if not readable:
        refuse(Reason.PROJECT_MISSING)
    reader = ProjectReader(person, project)
    return Channels(channels=channel_facts(readable, facts, reader))


def channel_facts(
    channels: Iterable[Channel], facts: ProjectFacts, reader: ProjectReader
) -> tuple[ChannelFacts, ...]:
    """Describe channels that a person may read."""
    return tuple(
        ChannelFacts(
            name=channel.name,
            kind=channel.kind.value,
            partner=channel.partner,
            title=_title_of(channel, facts),
            may_post=bool(may_post(reader.person, channel, reader.project)),
        )
        for channel in channels
    )


def _title_of(channel: Channel, facts: ProjectFacts) -> str:
    """Title a direct channel with the name of its partner."""
    names = {partner.id: partner.name for partner in facts.partners}
    if channel.partner is None:
        return BROADCAST_TITLE
    return names.get(channel.partner, channel.partner)
