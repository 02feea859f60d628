"""A project's channels and the conversation of one of them (rules 45 and 46)."""

from dataclasses import dataclass
from typing import Final

from clp_contracts.errors import Refused
from clp_contracts.messages import ChannelFacts, ChannelUnread, Conversation
from clp_contracts.projects import Me
from clp_portal.translation import Locale
from clp_portal.views.messages import Day, Reader, days_of
from clp_portal.views.unread import UnreadCount, channel_unread
from clp_portal.views.urls import channel_url, following_url, project_url

BROADCAST: Final = "broadcast"
INTERNAL: Final = "internal"
PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLink:
    """A channel in the list beside the conversation."""

    name: str
    title: str
    url: str
    is_broadcast: bool
    is_current: bool
    unread: UnreadCount | None
    last_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFrame:
    """The project around a conversation: title, following, channels."""

    id: str
    title: str
    url: str
    current_url: str
    following: bool
    following_url: str
    channels: tuple[ChannelLink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """The open channel."""

    name: str
    title: str
    url: str
    is_broadcast: bool
    may_post: bool
    unread: int
    marker: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationView:
    """A page of a channel's messages within its project."""

    project: ProjectFrame
    channel: ChannelView
    days: tuple[Day, ...]
    older_url: str
    newer_url: str
    latest_url: str
    is_empty: bool
    first_number: int
    last_number: int
    target: int | None


def reader_of(me: Me, channel: ChannelFacts, locale: Locale) -> Reader:
    """Return who looks at a channel."""
    partner = channel.title if channel.kind != BROADCAST else None
    return Reader(
        id=me.id,
        side=me.side,
        locale=locale,
        partner_name=partner,
    )


def current_channel(conversation: Conversation, name: str) -> ChannelFacts:
    """Return the open channel.

    Raises:
        Refused: ``channel.missing``.
    """
    for channel in conversation.channels:
        if channel.name == name:
            return channel
    raise Refused("channel.missing")


def conversation_view(
    conversation: Conversation,
    name: str,
    me: Me,
    *,
    locale: Locale,
    target: int | None = None,
) -> ConversationView:
    """Draw a conversation; ``target`` is the message that the address names."""
    channel = current_channel(conversation, name)
    unread = unread_of(conversation, name)
    page = conversation.page
    numbers = [message.number for message in page.messages]
    reader = reader_of(me, channel, locale)
    older = channel_url(name, before=numbers[0]) if numbers and page.more_before else ""
    newer = channel_url(name, after=numbers[-1]) if numbers and page.more_after else ""
    return ConversationView(
        project=project_frame(conversation, name, locale),
        channel=ChannelView(
            name=name,
            title=channel_title(channel, locale),
            url=channel_url(name),
            is_broadcast=channel.kind == BROADCAST,
            may_post=channel.may_post,
            unread=unread.unread,
            marker=unread.marker,
        ),
        days=days_of(page.messages, reader, marker=unread.marker),
        older_url=older,
        newer_url=newer,
        latest_url=channel_url(name, latest=1),
        is_empty=not numbers,
        first_number=numbers[0] if numbers else 0,
        last_number=numbers[-1] if numbers else 0,
        target=target if target in numbers else None,
    )


def project_frame(
    conversation: Conversation, current: str, locale: Locale
) -> ProjectFrame:
    """Draw the frame of a project, with a channel marked as the open one."""
    channels = tuple(
        ChannelLink(
            name=channel.name,
            title=channel_title(channel, locale),
            url=channel_url(channel.name),
            is_broadcast=channel.kind == BROADCAST,
            is_current=channel.name == current,
            unread=channel_unread(unread_of(conversation, channel.name), locale),
            last_number=unread_of(conversation, channel.name).last,
        )
        for channel in conversation.channels
    )
    return ProjectFrame(
        id=conversation.project,
        title=conversation.title,
        url=project_url(conversation.project),
        current_url=channel_url(current),
        following=conversation.following,
        following_url=following_url(conversation.project),
        channels=channels,
    )


def channel_title(channel: ChannelFacts, locale: Locale) -> str:
    """Return the name of a channel as it is shown."""
    return locale.gettext("Broadcast") if channel.kind == BROADCAST else channel.title


def unread_of(conversation: Conversation, name: str) -> ChannelUnread:
    """Return what is unread in a channel."""
    for one in conversation.unread.channels:
        if one.channel == name:
            return one
    return ChannelUnread(channel=name, unread=0, first=None, marker=0)
