"""The question at the door: may this reader have this mail, now (rules 13 and 23).

Facts are fetched right before the hand-over and never kept. The last one asked is the
one that matters most: the messages as the reader may read them at this moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clp_contracts.calling import Callers
from clp_contracts.messages import MailItem
from clp_contracts.projects import ProjectFacts
from clp_core.channels import Channel
from clp_core.delivery import DeliveryReason, judge_delivery
from clp_core.messages import MessageFacts
from clp_core.people import Person, PersonId
from clp_core.routing import Recipient, Trigger
from clp_notifications.delivery.claims import Claim, Item
from clp_notifications.facts import person_in, project_in, project_of
from clp_notifications.states import Because

WITHDRAWALS: Final = {
    DeliveryReason.ACCESS_LOST: Because.NO_ACCESS,
    DeliveryReason.MESSAGE_DELETED: Because.DELETED,
    DeliveryReason.MENTION_REMOVED: Because.MENTION_REMOVED,
}
# Who wrote it makes no difference any more: routing never tells an author.
NOBODY_IN_PARTICULAR: Final = PersonId("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What is known of a mail's reader and messages at the moment it would leave."""

    reader: Person | None
    project: ProjectFacts | None
    channel: Channel
    follows: bool
    items: Mapping[str, MailItem]
    deleted: frozenset[str]


def ask_at_the_door(claim: Claim, callers: Callers) -> Door:
    """Ask the other services again, on behalf of the reader."""
    project, messages = claim.channel.project, [item.message for item in claim.items]
    facts = callers.projects.facts(
        projects_=(project,), people=(claim.person,), following=project
    )
    items = callers.messages.for_mail(person=claim.person, messages_=messages).items
    return Door(
        reader=person_in(facts, claim.person),
        project=project_in(facts, project),
        channel=claim.channel,
        follows=claim.person in facts.followers,
        items={item.id: item for item in items},
        deleted=_deleted(callers, [item.id for item in items if not item.readable]),
    )


def _deleted(callers: Callers, unreadable: list[str]) -> frozenset[str]:
    """Which messages cannot be read because nobody can; asked for the record only."""
    if not unreadable:
        return frozenset()
    contents = callers.messages.contents(messages_=unreadable).contents
    alive = {found.message.id for found in contents if not found.message.deleted}
    return frozenset(unreadable) - alive


def withdrawn(item: Item, door: Door) -> Because | None:
    """Why this notification must not leave; None when it may."""
    if door.reader is None or door.project is None:
        return Because.NO_ACCESS
    found = door.items.get(item.message)
    is_deleted = item.message in door.deleted
    if (found is None or not found.readable) and not is_deleted:
        return Because.NO_ACCESS
    is_mentioned = found is not None and found.mentioned
    decision = judge_delivery(
        Recipient(door.reader, item.trigger),
        MessageFacts(
            channel=door.channel,
            number=item.number,
            author=NOBODY_IN_PARTICULAR,
            deleted=is_deleted,
        ),
        project_of(door.project),
        mentioned=frozenset({door.reader.id} if is_mentioned else ()),
    )
    if not decision:
        return WITHDRAWALS[decision.reason]
    if found is not None and found.read:
        return Because.READ
    if item.trigger is not Trigger.MENTION and not door.follows:
        return Because.UNFOLLOWED
    return None
