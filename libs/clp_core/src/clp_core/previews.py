"""Preview of the recipients of a draft, as its author may see them (rule 47)."""

from collections import Counter
from dataclasses import dataclass

from clp_core.decisions import Code
from clp_core.people import (
    PUBLISHED_ACCESS,
    AccessPolicy,
    PartnerId,
    Person,
    Robot,
    Side,
)
from clp_core.routing import (
    PUBLISHED_ROUTING,
    Recipient,
    RoutingFacts,
    RoutingPolicy,
    Trigger,
    recipients_of,
)


class NobodyReason(Code):
    """Why a draft reaches nobody (rule 47)."""

    NO_FOLLOWER = "nobody.no_follower"
    MENTIONED_MAY_NOT_READ = "nobody.mentioned_may_not_read"


@dataclass(frozen=True, slots=True)
class PreviewGroup:
    """Followers who will be told: the studio, or one partner's people (rule 47).

    `partner` is None for the studio. `count` is None where the author may know the
    group but not its size.
    """

    partner: PartnerId | None
    count: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """The recipients of a draft: groups of followers, and the people it mentions.

    `mentioned` is ordered by person id (rule 47). `nobody` has a reason if and only if
    there are neither.
    """

    groups: tuple[PreviewGroup, ...] = ()
    mentioned: tuple[Person, ...] = ()
    nobody: NobodyReason | None = None


def preview(
    facts: RoutingFacts,
    policy: RoutingPolicy = PUBLISHED_ROUTING,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> Preview:
    """Preview whom a draft with these facts will reach (rule 47).

    `recipients_of` decides, so the preview and the routing of the posted message cannot
    disagree on the same facts. Groups are ordered by partner, the studio first. A
    partner's person sees the studio as a group without a count.

    >>> from clp_core.channels import Channel, Project
    >>> roles = frozenset({"dub_portal_user"})
    >>> ivy = Person(id="ivy", name="Ivy", email="", roles=roles)
    >>> nat = Person(id="nat", name="Nat", email="", partner="north", roles=roles)
    >>> p1 = Project(id="p1", assigned=frozenset({"north"}))
    >>> draft = {"author": ivy, "channel": Channel("p1"), "project": p1}
    >>> preview(RoutingFacts(**draft, followers=frozenset({nat}))).groups
    (PreviewGroup(partner='north', count=1),)
    >>> preview(RoutingFacts(**draft)).nobody
    NobodyReason.NO_FOLLOWER
    """
    recipients = recipients_of(facts, policy, access)
    mentioned = tuple(r.person for r in recipients if r.trigger is Trigger.MENTION)
    groups = _groups(recipients, author_side=facts.author.side)
    if groups or mentioned:
        return Preview(groups, mentioned)
    return Preview(nobody=_nobody_reason(facts))


def _groups(
    recipients: tuple[Recipient, ...], *, author_side: Side
) -> tuple[PreviewGroup, ...]:
    counts = Counter(
        r.person.partner for r in recipients if r.trigger is not Trigger.MENTION
    )
    return tuple(
        PreviewGroup(partner, counts[partner] if author_side is Side.INTERNAL else None)
        for partner in sorted(counts, key=lambda partner: partner or "")
    )


def _nobody_reason(facts: RoutingFacts) -> NobodyReason:
    others = {person.id for person in facts.mentioned} - {facts.author.id}
    if others and not isinstance(facts.author, Robot):
        return NobodyReason.MENTIONED_MAY_NOT_READ
    return NobodyReason.NO_FOLLOWER
