"""Results of a search (rules 33 and 36)."""

from dataclasses import dataclass

from clp_contracts.messages import ChannelFacts
from clp_contracts.search import Hit, SearchPage
from clp_portal.translation import Locale
from clp_portal.views.conversation import channel_title
from clp_portal.views.people import Avatar, avatar
from clp_portal.views.text import Segment, highlighted
from clp_portal.views.urls import message_url


@dataclass(frozen=True, slots=True, kw_only=True)
class HitView:
    """A message that was found, with a piece of its text and of its file names."""

    url: str
    author: str
    avatar: Avatar
    channel: str
    timestamp: str
    iso: str
    segments: tuple[Segment, ...]
    attachments: tuple[tuple[Segment, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    """A page of hits; ``count`` is a sentence."""

    query: str
    everywhere: bool
    count: str
    hits: tuple[HitView, ...]
    more_url: str
    error: str = ""


def search_view(
    found: SearchPage,
    channels: tuple[ChannelFacts, ...],
    locale: Locale,
    *,
    query: str,
    everywhere: bool,
) -> SearchView:
    """Draw a page of hits; the channel is named where all of them are searched."""
    titles = {channel.name: channel_title(channel, locale) for channel in channels}
    return SearchView(
        query=query,
        everywhere=everywhere,
        count=_count(found, locale),
        hits=tuple(_hit(hit, titles, locale) for hit in found.hits),
        more_url="",
    )


def _count(found: SearchPage, locale: Locale) -> str:
    if not found.total:
        return locale.gettext("Nothing found.")
    if not found.total_is_exact:
        text = locale.gettext("More than %(num)s messages found")
        return text % {"num": locale.number(found.total)}
    return locale.ngettext(
        "%(num)s message found", "%(num)s messages found", found.total
    )


def _hit(hit: Hit, titles: dict[str, str], locale: Locale) -> HitView:
    name = hit.author_name or hit.author
    return HitView(
        url=message_url(hit.channel, hit.number),
        author=name,
        avatar=avatar(hit.author, name),
        channel=titles.get(hit.channel, ""),
        timestamp=locale.timestamp(hit.posted_at),
        iso=hit.posted_at.isoformat(timespec="seconds"),
        segments=highlighted(hit.snippet.text, hit.snippet.highlights),
        attachments=tuple(
            highlighted(one.text, one.highlights) for one in hit.attachments
        ),
    )
