"""Recheck a notification just before its mail leaves (rules 13 and 23)."""

from dataclasses import dataclass

from clp_core.channels import Project
from clp_core.decisions import Code
from clp_core.messages import MessageFacts
from clp_core.people import PUBLISHED_ACCESS, AccessPolicy, PersonId
from clp_core.routing import Recipient, Trigger
from clp_core.visibility import may_read


class DeliveryReason(Code):
    """Why a notification is sent, or withdrawn at the recheck (rules 13 and 25)."""

    DUE = "due"
    MESSAGE_DELETED = "message.deleted"
    ACCESS_LOST = "access.lost"
    MENTION_REMOVED = "mention.removed"


@dataclass(frozen=True, slots=True)
class DeliveryDecision:
    """The result of the recheck, with its reason; true only when the mail may leave."""

    reason: DeliveryReason

    def __bool__(self) -> bool:
        """A withdrawal is falsy, so ``if judge_delivery(...)`` cannot fail open."""
        return self.reason is DeliveryReason.DUE


def judge_delivery(
    recipient: Recipient,
    message: MessageFacts,
    project: Project,
    *,
    mentioned: frozenset[PersonId] = frozenset(),
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> DeliveryDecision:
    """Withdraw the mail of a removed message, access or mention (rules 13 and 23).

    `message` and `project` are the facts just before the mail leaves; `mentioned` are
    the ids of the people mentioned by the present text.
    """
    person = recipient.person
    if not may_read(person, message.channel, project, access=access):
        return DeliveryDecision(DeliveryReason.ACCESS_LOST)
    if message.deleted:
        return DeliveryDecision(DeliveryReason.MESSAGE_DELETED)
    if recipient.trigger is Trigger.MENTION and person.id not in mentioned:
        return DeliveryDecision(DeliveryReason.MENTION_REMOVED)
    return DeliveryDecision(DeliveryReason.DUE)
