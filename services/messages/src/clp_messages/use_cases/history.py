"""Pages of a channel, and the channels of a project."""

from collections.abc import Iterable
from typing import Final, Protocol

from clp_chassis.security.passports import Passport
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
from clp_messages.mapping import ProjectReader, message_views
from clp_messages.queries import PageBounds, PageRows, page_rows
from clp_messages.use_cases.authorization import (
    channel_named,
    current_context,
    reader_in,
    refuse,
    require_at_most_one,
)

MAX_MESSAGES: Final = 100
BROADCAST_TITLE: Final = "Broadcast"
BEYOND: Final = 2**31 - 1


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


def page(request: GetPage, *, actor: Passport, deps: Dependencies) -> Page:
    """Return messages before, after or around a number; the newest without one.

    Raises:
        Refused: ``channel.missing``; ``request.malformed`` for two of the three.
    """
    require_at_most_one(
        before=request.before, after=request.after, around=request.around
    )
    channel = channel_named(request.channel)
    reader = ProjectReader(*reader_in(channel, actor, deps))
    with deps.database.reading() as session:
        found = page_rows(session, channel.name, _bounds(request))
    return page_view(found, numbers_of_page(request, found.last), reader)


def page_view(found: PageRows, numbers: range, reader: ProjectReader) -> Page:
    """Map the rows of a page that has these numbers."""
    rows, last = found
    return Page(
        messages=message_views(rows, reader),
        more_before=numbers.start > 1,
        more_after=numbers.stop <= last,
    )


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


def _bounds(request: PageRequest) -> PageBounds:
    """Return the same page as `numbers_of_page`, for a last number not known yet."""
    limit = max(1, min(request.limit, MAX_MESSAGES))
    if request.before is not None:
        wanted = _stored_number(request.before) - limit
        return PageBounds(wanted, back=limit, size=limit, floor=1 - limit)
    if request.after is not None:
        return PageBounds(_stored_number(request.after) + 1, back=0, size=limit)
    if request.around is not None:
        wanted = max(_stored_number(request.around), 1) - limit // 2
        return PageBounds(wanted, back=limit, size=limit)
    return PageBounds(BEYOND, back=limit, size=limit)


def _stored_number(number: int) -> int:
    """Limit a number to those that a message can have, and zero."""
    return max(0, min(number, BEYOND - MAX_MESSAGES))


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
