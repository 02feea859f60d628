"""Pages of a channel, and the channels of a project."""

from typing import Final

from sqlalchemy import bindparam, select

from clp_chassis.security.passports import Passport
from clp_contracts.errors import Refused
from clp_contracts.messages import (
    AskChannels,
    AskPage,
    ChannelFacts,
    Channels,
    Page,
)
from clp_contracts.projects import ProjectFacts
from clp_core.channels import Channel, is_id
from clp_core.decisions import Reason
from clp_core.people import Person
from clp_core.visibility import channels_readable_by, may_post
from clp_messages.dependencies import Parts
from clp_messages.queries import last_number, shown_messages
from clp_messages.tables import MessageRow
from clp_messages.use_cases.authorization import (
    ask_standing,
    channel_named,
    only_one,
    reader_in,
    refuse,
)

MOST_MESSAGES: Final = 100
BROADCAST_TITLE: Final = "Broadcast"
# Written once: people look at it all the time.
PAGE: Final = (
    select(MessageRow)
    .where(
        MessageRow.channel == bindparam("channel"),
        MessageRow.number >= bindparam("start"),
        MessageRow.number < bindparam("stop"),
    )
    .order_by(MessageRow.number)
)


def page(ask: AskPage, *, actor: Passport, parts: Parts) -> Page:
    """Messages before, after or around a number; the newest without one."""
    if not only_one((ask.before, ask.after, ask.around)):
        raise Refused.because(
            "ask.malformed", fields={"": ["before, after or around, not several"]}
        )
    channel = channel_named(ask.channel)
    reader_in(channel, actor, parts)
    with parts.database.reading() as session:
        last = last_number(session, channel.name)
        numbers = numbers_of_page(ask, last)
        asked = {"channel": channel.name, "start": numbers.start, "stop": numbers.stop}
        rows = session.scalars(PAGE, asked).all()
        return Page(
            messages=shown_messages(session, rows),
            more_before=numbers.start > 1,
            more_after=numbers.stop <= last,
        )


def numbers_of_page(ask: AskPage, last: int) -> range:
    """The numbers that a page shows, of a channel whose last message has number `last`.

    Numbers have no gaps (rule 11), so a page is a run of numbers: it stays the same
    however much is posted after it.

    >>> numbers_of_page(AskPage(channel="p1/broadcast", around=10, limit=5), last=100)
    range(8, 13)
    """
    limit = max(1, min(ask.limit, MOST_MESSAGES))
    end = last + 1
    if ask.before is not None:
        stop = max(1, min(ask.before, end))
        return range(max(1, stop - limit), stop)
    if ask.after is not None:
        start = max(0, min(ask.after, last)) + 1
        return range(start, min(start + limit, end))
    if ask.around is not None:
        start = min(max(ask.around, 1) - limit // 2, end - limit)
        start = max(1, start)
        return range(start, min(start + limit, end))
    return range(max(1, end - limit), end)


def channels(ask: AskChannels, *, actor: Passport, parts: Parts) -> Channels:
    """The channels of a project that exist for the actor, the broadcast first."""
    asked = ask.project if is_id(ask.project) else None
    standing = ask_standing(actor, asked, parts)
    person, project, shown = standing.actor, standing.project, standing.shown
    if not isinstance(person, Person) or project is None or shown is None:
        refuse(Reason.PROJECT_MISSING)
    readable = channels_readable_by(person, project)
    if not readable:
        refuse(Reason.PROJECT_MISSING)
    return Channels(
        channels=tuple(
            ChannelFacts(
                name=channel.name,
                kind=channel.kind.value,
                partner=channel.partner,
                title=_title_of(channel, shown),
                may_post=bool(may_post(person, channel, project)),
            )
            for channel in readable
        )
    )


def _title_of(channel: Channel, shown: ProjectFacts) -> str:
    """A direct channel bears the name of its partner."""
    names = {partner.id: partner.name for partner in shown.partners}
    if channel.partner is None:
        return BROADCAST_TITLE
    return names.get(channel.partner, channel.partner)
