"""The blue number of unread messages, and where it leads (rules 31 and 32)."""

from dataclasses import dataclass
from typing import Final

from clp_contracts.messages import ChannelUnread, ProjectUnread
from clp_portal.translation import Locale
from clp_portal.views.urls import channel_url, message_url

MAX_SHOWN: Final = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadCount:
    """A number as it is shown and as it is read aloud; it leads to the oldest."""

    number: int
    shown: str
    label: str
    url: str


def shown_number(number: int, locale: Locale) -> str:
    """Write a number, ``99+`` above 99."""
    if number > MAX_SHOWN:
        return f"{locale.number(MAX_SHOWN)}+"
    return locale.number(number)


def new_messages(number: int, locale: Locale) -> str:
    """Say how many messages are new."""
    return locale.ngettext("%(num)s new message", "%(num)s new messages", number)


def channel_unread(unread: ChannelUnread, locale: Locale) -> UnreadCount | None:
    """Return the number of a channel, or None when everything is read."""
    if not unread.unread or unread.first is None:
        return None
    return UnreadCount(
        number=unread.unread,
        shown=shown_number(unread.unread, locale),
        label=new_messages(unread.unread, locale),
        url=message_url(unread.channel, unread.first),
    )


def project_unread(
    unread: ProjectUnread, title: str, locale: Locale
) -> UnreadCount | None:
    """Return the number of a project, or None when everything is read."""
    channel = first_unread(unread)
    if channel is None or channel.first is None:
        return None
    said = locale.gettext("%(count)s in %(project)s")
    count = new_messages(unread.unread, locale)
    return UnreadCount(
        number=unread.unread,
        shown=shown_number(unread.unread, locale),
        label=said % {"count": count, "project": title},
        url=message_url(channel.channel, channel.first),
    )


def first_unread(unread: ProjectUnread) -> ChannelUnread | None:
    """Return the first channel with an unread message."""
    return next((one for one in unread.channels if one.unread and one.first), None)


def project_target(unread: ProjectUnread) -> str:
    """Return where a project leads: its first unread message, else the broadcast."""
    channel = first_unread(unread)
    if channel is None or channel.first is None:
        return channel_url(f"{unread.project}/broadcast")
    return message_url(channel.channel, channel.first)
