"""The question at the door: may this reader have this mail, now (rules 13 and 23).

Facts are fetched right before the hand-over and never kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clp_contracts.client import Callers
from clp_contracts.errors import Refused
from clp_contracts.messages import ForMails, MailReader, Message, ReaderMail
from clp_contracts.projects import Facts, Follow, ProjectFacts
from clp_core.channels import Project
from clp_core.delivery import DeliveryReason, judge_delivery
from clp_core.messages import MessageFacts
from clp_core.people import Person, PersonId
from clp_core.routing import Recipient, Trigger
from clp_notifications.delivery.claims import Claim, Item
from clp_notifications.mapping import people_of, project_of
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
    rules: Project | None
    language: str | None
    time_zone: str | None
    follows: bool
    part: ReaderMail
    messages: Mapping[str, Message]
    deleted: frozenset[str]


def ask_at_the_door(
    claims: Sequence[Claim], callers: Callers, *, good_for_s: float = 0.0
) -> tuple[Mapping[str, Door], float]:
    """Ask again, on behalf of the readers; gives doors by mail, and how long they hold.

    However many mails there are, it is one question: `messages` tells by which facts
    it judged, and nothing else is judged by other ones. Where the answer is wanted to
    hold for some seconds, nobody is told meanwhile that access has ended.
    """
    told = _told(claims, callers, good_for_s)
    facts = told.facts or _facts(claims, callers)
    messages = {message.id: message for message in told.messages}
    known = {project.id: project for project in facts.projects}
    rules = {key: project_of(project) for key, project in known.items()}
    people, follows = people_of(facts.people), frozenset(facts.follows)
    habits = {one.id: (one.language, one.time_zone) for one in facts.people}
    deleted = frozenset(told.deleted)

    def door(claim: Claim, part: ReaderMail) -> Door:
        project = claim.channel.project
        language, time_zone = habits.get(claim.person, (None, None))
        return Door(
            reader=people.get(claim.person),
            project=known.get(project),
            rules=rules.get(project),
            language=language,
            time_zone=time_zone,
            follows=Follow(person=claim.person, project=project) in follows,
            part=part,
            messages={key: messages[key] for key in part.readable},
            deleted=deleted & {item.message for item in claim.items},
        )

    doors = {
        claim.mail: door(claim, part)
        for claim, part in zip(claims, told.readers, strict=True)
    }
    return doors, facts.good_for_s


def _told(claims: Sequence[Claim], callers: Callers, good_for_s: float) -> ForMails:
    readers = [_asked(claim) for claim in claims]
    try:
        return callers.messages.for_mails(readers=readers, good_for_s=good_for_s)
    except Refused as refusal:
        # Services of before know of no answers that hold.
        if not good_for_s or refusal.code != "ask.malformed":
            raise
        return callers.messages.for_mails(readers=readers)


def _facts(claims: Sequence[Claim], callers: Callers) -> Facts:
    """What a `messages` of before does not tell: as while programs are replaced."""
    return callers.projects.facts(
        projects_=sorted({claim.channel.project for claim in claims}),
        people=sorted({claim.person for claim in claims}),
        follows=[
            Follow(person=claim.person, project=claim.channel.project)
            for claim in claims
        ],
    )


def _asked(claim: Claim) -> MailReader:
    messages = dict.fromkeys(item.message for item in claim.items)
    return MailReader(person=claim.person, messages=tuple(messages))


def withdrawn(item: Item, door: Door) -> Because | None:
    """Why this notification must not leave; None when it may."""
    if door.reader is None or door.rules is None:
        return Because.NO_ACCESS
    message, part = item.message, door.part
    is_deleted = message in door.deleted
    if message not in part.readable and not is_deleted:
        return Because.NO_ACCESS
    is_mentioned = message in part.mentioned
    decision = judge_delivery(
        Recipient(door.reader, item.trigger),
        MessageFacts(
            channel=item.channel,
            number=item.number,
            author=NOBODY_IN_PARTICULAR,
            deleted=is_deleted,
        ),
        door.rules,
        mentioned=frozenset({door.reader.id} if is_mentioned else ()),
    )
    if not decision:
        return WITHDRAWALS[decision.reason]
    if message in part.read:
        return Because.READ
    if item.trigger is not Trigger.MENTION and not door.follows:
        return Because.UNFOLLOWED
    return None
