"""The question at the door: may this reader have this mail, now (rules 13 and 23).

Facts are fetched right before the hand-over and never kept. The last one asked is the
one that matters most: the messages as the reader may read them at this moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from clp_contracts.calling import Callers
from clp_contracts.messages import MailItem
from clp_contracts.projects import ProjectFacts
from clp_core.channels import Channel
from clp_core.people import Person
from clp_core.routing import Trigger
from clp_core.visibility import may_read
from clp_notifications.delivery.claims import Claim, Item
from clp_notifications.facts import person_in, project_in, project_of
from clp_notifications.states import Because


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What is known of a mail's reader and messages at the moment it would leave."""

    reader: Person | None
    project: ProjectFacts | None
    channel: Channel
    follows: bool
    items: Mapping[str, MailItem]
    deleted: frozenset[str]

    @property
    def is_open(self) -> bool:
        """Whether the reader may read the channel now."""
        if self.reader is None or self.project is None:
            return False
        return bool(may_read(self.reader, self.channel, project_of(self.project)))


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
    found = door.items.get(item.message)
    if not door.is_open:
        return Because.NO_ACCESS
    if found is None or not found.readable or found.message is None:
        return Because.DELETED if item.message in door.deleted else Because.NO_ACCESS
    if found.read:
        return Because.READ
    if item.trigger is Trigger.MENTION:
        return None if found.mentioned else Because.MENTION_REMOVED
    return None if door.follows else Because.UNFOLLOWED
