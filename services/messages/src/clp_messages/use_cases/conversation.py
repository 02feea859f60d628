"""A channel with everything that a page of it shows, in one call (rules 32 and 45)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clp_chassis.security.passports import Passport
from clp_contracts.messages import Conversation, GetConversation
from clp_contracts.projects import Follow, ProjectFacts
from clp_core.channels import Channel, is_id
from clp_core.decisions import Reason
from clp_core.visibility import channels_readable_by
from clp_messages.dependencies import Dependencies
from clp_messages.mapping import ProjectReader, access_context_of
from clp_messages.queries import PageBounds, page_rows
from clp_messages.use_cases.authorization import (
    channel_named,
    refuse,
    refuse_fields,
    require_at_most_one,
)
from clp_messages.use_cases.history import (
    MAX_MESSAGES,
    channel_facts,
    numbers_of_page,
    page_view,
)
from clp_messages.use_cases.unread import (
    ChannelCount,
    project_unread,
    unread_of_channels,
)

# This part of a page that opens at the first unread message stands before it.
CONTEXT: Final = 4


@dataclass(frozen=True, slots=True)
class _ProjectView:
    """A reader, the project with its facts, and the channels that they may read."""

    reader: ProjectReader
    facts: ProjectFacts
    following: bool
    channels: tuple[Channel, ...]


def conversation(
    request: GetConversation, *, actor: Passport, deps: Dependencies
) -> Conversation:
    """Return channels, unread numbers and a page of one channel of a project.

    One call to `projects`, however much there is.

    Raises:
        Refused: ``channel.missing`` or ``project.missing``; ``request.malformed`` for
            both or none of them, or for two pages at once.
    """
    _require_one_page(request)
    named = None if request.channel is None else channel_named(request.channel)
    project = request.project if named is None else named.project
    view = _read_facts(project, actor, deps)
    if view is None or (named is not None and named not in view.channels):
        refuse(Reason.PROJECT_MISSING if named is None else Reason.CHANNEL_MISSING)
    reader, channels = view.reader, view.channels
    with deps.database.reading() as session:
        counts = unread_of_channels(
            session, reader.person, [channel.name for channel in channels]
        )
        channel = named or _first_unread_channel(channels, counts)
        count = counts.get(channel.name)
        numbers = _numbers(request, count)
        bounds = PageBounds(numbers.start, back=0, size=len(numbers))
        found = page_rows(session, channel.name, bounds)
        return Conversation(
            project=reader.project.id,
            title=view.facts.title,
            following=view.following,
            channel=channel.name,
            channels=channel_facts(channels, view.facts, reader),
            unread=project_unread(reader.project.id, channels, counts=counts),
            page=page_view(found, numbers, reader),
        )


def _require_one_page(request: GetConversation) -> None:
    if (request.channel is None) == (request.project is None):
        refuse_fields({"channel": ["Name a channel or a project, and not both."]})
    require_at_most_one(
        before=request.before,
        after=request.after,
        around=request.around,
        latest=request.latest or None,
    )


def _read_facts(
    project: str | None, actor: Passport, deps: Dependencies
) -> _ProjectView | None:
    """Fetch the facts in one call; None if the actor reads nothing of the project.

    Called also for an impossible id, so that it costs what a hidden project costs.
    """
    wanted = [project] if project is not None and is_id(project) else []
    follow = [Follow(person=actor.subject, project=name) for name in wanted]
    facts = deps.clients.projects.facts(
        project_ids=wanted, people=[actor.subject], follows=follow
    )
    context = access_context_of(actor, facts)
    person, project_facts = context.actor, context.project_facts
    if person is None or context.project is None or project_facts is None:
        return None
    channels = channels_readable_by(person, context.project)
    if not channels:
        return None
    return _ProjectView(
        ProjectReader(person, context.project),
        project_facts,
        bool(facts.follows),
        channels,
    )


def _first_unread_channel(
    channels: tuple[Channel, ...], counts: Mapping[str, ChannelCount]
) -> Channel:
    """Return the first channel with unread messages, else the broadcast."""
    for channel in channels:
        if (count := counts.get(channel.name)) is not None and count.unread.unread:
            return channel
    return channels[0]


def _numbers(request: GetConversation, count: ChannelCount | None) -> range:
    """Return the numbers of the page.

    >>> from clp_contracts.messages import ChannelUnread
    >>> unread = ChannelUnread(channel="p1/broadcast", unread=60, first=41, marker=40)
    >>> request = GetConversation(channel="p1/broadcast", limit=40)
    >>> _numbers(request, ChannelCount(unread, 100))
    range(31, 71)
    """
    last = 0 if count is None else count.last
    chosen = (request.before, request.after, request.around, request.latest or None)
    first = None if count is None else count.unread.first
    if first is None or any(page is not None for page in chosen):
        return numbers_of_page(request, last)
    limit = max(1, min(request.limit, MAX_MESSAGES))
    start = max(1, min(first - limit // CONTEXT, last + 1 - limit))
    return range(start, min(start + limit, last + 1))
