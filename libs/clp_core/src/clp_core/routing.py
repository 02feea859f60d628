"""Route a message: recipients, and a reason for everybody (rules 13, 22 to 25)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final, Self

from clp_core.channels import Channel, ChannelKind, Project
from clp_core.decisions import Code, Decision
from clp_core.people import (
    PUBLISHED_ACCESS,
    AccessPolicy,
    Author,
    Person,
    PersonId,
    Robot,
    Side,
    has_portal_access,
)
from clp_core.visibility import judge_readers


class Trigger(Code):
    """The trigger that makes a person a recipient (R1 to R4)."""

    NEW_BROADCAST = "new_broadcast"
    DIRECT_FROM_PARTNER = "direct_from_partner"
    DIRECT_TO_PARTNER = "direct_to_partner"
    MENTION = "mention"


class MentionRouting(Code):
    """A mention replaces the routes to followers, or adds to them (rule 22)."""

    REPLACES = "replaces"
    ADDS = "adds"


class Occasion(Code):
    """A message is routed when it is posted, and again when it is edited (rule 13).

    A post that was deleted before it was routed tells nobody (rule 22).
    """

    POSTED = "posted"
    EDITED = "edited"
    DELETED = "deleted"


class RoutingReason(Code):
    """Why a person was told of a message, or was not (rule 25)."""

    TOLD_NEW_BROADCAST = "told.new_broadcast"
    TOLD_DIRECT_FROM_PARTNER = "told.direct_from_partner"
    TOLD_DIRECT_TO_PARTNER = "told.direct_to_partner"
    TOLD_MENTION = "told.mention"
    NOT_TOLD_DELETED = "not_told.deleted"
    NOT_TOLD_AUTHOR = "not_told.author"
    NOT_TOLD_NO_PORTAL_ACCESS = "not_told.no_portal_access"
    NOT_TOLD_MAY_NOT_READ = "not_told.may_not_read"
    NOT_TOLD_NO_ROUTE = "not_told.no_route"
    NOT_TOLD_EDITED = "not_told.edited"
    NOT_TOLD_NOT_FOLLOWING = "not_told.not_following"
    NOT_TOLD_OTHER_SIDE = "not_told.other_side"
    NOT_TOLD_REPLACED_BY_MENTION = "not_told.replaced_by_mention"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingPolicy:
    """The choice of a deployment about mentions: R4 replaces or adds (rule 22)."""

    mention_routing: MentionRouting = MentionRouting.REPLACES


PUBLISHED_ROUTING: Final = RoutingPolicy()


@dataclass(frozen=True, slots=True)
class Route:
    """The side whose followers are recipients, with the trigger they get (R1 to R3)."""

    rule: str
    audience: Side
    trigger: Trigger
    reason: RoutingReason


ROUTES: Final[Mapping[tuple[ChannelKind, Side], Route | None]] = {
    # posted in, by
    (ChannelKind.BROADCAST, Side.INTERNAL): Route(
        "R1", Side.EXTERNAL, Trigger.NEW_BROADCAST, RoutingReason.TOLD_NEW_BROADCAST
    ),
    (ChannelKind.BROADCAST, Side.EXTERNAL): None,  # cannot happen: may_post refuses it
    (ChannelKind.DIRECT, Side.EXTERNAL): Route(
        "R2",
        Side.INTERNAL,
        Trigger.DIRECT_FROM_PARTNER,
        RoutingReason.TOLD_DIRECT_FROM_PARTNER,
    ),
    (ChannelKind.DIRECT, Side.INTERNAL): Route(
        "R3",
        Side.EXTERNAL,
        Trigger.DIRECT_TO_PARTNER,
        RoutingReason.TOLD_DIRECT_TO_PARTNER,
    ),
}

NO_ROUTE: Final = "R1-R3"

RULES: Final[Mapping[RoutingReason, str]] = {
    RoutingReason.TOLD_MENTION: "R4",
    RoutingReason.NOT_TOLD_DELETED: "22",
    RoutingReason.NOT_TOLD_AUTHOR: "23",
    RoutingReason.NOT_TOLD_NO_PORTAL_ACCESS: "2",
    RoutingReason.NOT_TOLD_MAY_NOT_READ: "23",
    RoutingReason.NOT_TOLD_NO_ROUTE: NO_ROUTE,
    RoutingReason.NOT_TOLD_EDITED: "13",
    RoutingReason.NOT_TOLD_REPLACED_BY_MENTION: "22",
    **{route.reason: route.rule for route in ROUTES.values() if route},
}

TRIGGERS: Final[Mapping[RoutingReason, Trigger]] = {
    RoutingReason.TOLD_MENTION: Trigger.MENTION,
    **{route.reason: route.trigger for route in ROUTES.values() if route},
}

SENTENCES: Final[Mapping[RoutingReason, str]] = {
    RoutingReason.TOLD_NEW_BROADCAST: "told: follows the project, new broadcast",
    RoutingReason.TOLD_DIRECT_FROM_PARTNER: (
        "told: follows the project, a partner wrote directly"
    ),
    RoutingReason.TOLD_DIRECT_TO_PARTNER: (
        "told: follows the project, the studio wrote to their partner"
    ),
    RoutingReason.TOLD_MENTION: "told: mentioned in the message",
    RoutingReason.NOT_TOLD_DELETED: (
        "not told: the message was deleted before anybody was told"
    ),
    RoutingReason.NOT_TOLD_AUTHOR: "not told: wrote the message",
    RoutingReason.NOT_TOLD_NO_PORTAL_ACCESS: (
        "not told: the portal is not open to this person"
    ),
    RoutingReason.NOT_TOLD_MAY_NOT_READ: "not told: may not read the channel",
    RoutingReason.NOT_TOLD_NO_ROUTE: "not told: nobody follows messages of this kind",
    RoutingReason.NOT_TOLD_EDITED: ("not told: an edit tells only the newly mentioned"),
    RoutingReason.NOT_TOLD_NOT_FOLLOWING: (
        "not told: does not follow the project and is not mentioned"
    ),
    RoutingReason.NOT_TOLD_OTHER_SIDE: (
        "not told: follows, but messages of this kind go to the other side"
    ),
    RoutingReason.NOT_TOLD_REPLACED_BY_MENTION: (
        "not told: follows, but the message mentions people and tells only them"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingFacts:
    """The facts of one message at one moment: when it was posted or edited (rule 22).

    `followers` are those of the project, whatever they may read. `mentioned` of an edit
    holds the people added by it. The facts of a person given twice are taken from
    `followers`.
    """

    author: Author
    channel: Channel
    project: Project
    followers: frozenset[Person] = frozenset()
    mentioned: frozenset[Person] = frozenset()
    occasion: Occasion = Occasion.POSTED


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person to tell, with the trigger (rule 24)."""

    person: Person
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one person was told of a message, or was not (rule 25)."""

    person: Person
    rule: str
    reason: RoutingReason

    @property
    def told(self) -> bool:
        """Whether this person is a recipient."""
        return self.reason in TRIGGERS

    @property
    def trigger(self) -> Trigger | None:
        """The trigger of a recipient, None for others."""
        return TRIGGERS.get(self.reason)

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return SENTENCES[self.reason]


def recipients_of(
    facts: RoutingFacts,
    policy: RoutingPolicy = PUBLISHED_ROUTING,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> tuple[Recipient, ...]:
    """List the recipients of a message, each once, ordered by person id (R1 to R4).

    >>> from clp_core import ROBOT
    >>> roles = frozenset({"dub_portal_user"})
    >>> nat = Person(id="nat", name="Nat", email="", partner="north", roles=roles)
    >>> facts = RoutingFacts(
    ...     author=ROBOT,
    ...     channel=Channel("p1"),
    ...     project=Project(id="p1", assigned=frozenset({"north"})),
    ...     followers=frozenset({nat}),
    ... )
    >>> [(r.person.id, r.trigger) for r in recipients_of(facts)]
    [('nat', Trigger.NEW_BROADCAST)]
    """
    judged = _judged(facts, policy, access)
    recipients = {
        person_id: Recipient(person, trigger)
        for person_id, (person, reason) in judged.items()
        if (trigger := TRIGGERS.get(reason))
    }
    return tuple([recipients[person_id] for person_id in sorted(recipients)])


def explain(
    facts: RoutingFacts,
    policy: RoutingPolicy = PUBLISHED_ROUTING,
    access: AccessPolicy = PUBLISHED_ACCESS,
    *,
    include: Iterable[Person] = (),
) -> Mapping[PersonId, Explanation]:
    """Explain for the followers, the mentioned, the author and `include`: told or not.

    Ordered by person id. `recipients_of` uses the same judgement, so the two cannot
    disagree.

    >>> from clp_core import ROBOT
    >>> lin = Person(id="lin", name="Lin", email="")
    >>> facts = RoutingFacts(
    ...     author=ROBOT, channel=Channel("p1"), project=Project(id="p1")
    ... )
    >>> explain(facts, include=[lin])["lin"].sentence
    'not told: the portal is not open to this person'
    """
    judged = _judged(facts, policy, access, include=include)
    # Reasons without a rule of their own belong to the route of the message.
    route = _route_of(facts)
    rule_of_route = route.rule if route else NO_ROUTE
    return {
        person.id: Explanation(person, RULES.get(reason, rule_of_route), reason)
        for person, reason in map(judged.__getitem__, sorted(judged))
    }


def newly_mentioned(
    before: Iterable[PersonId], after: Iterable[Person]
) -> frozenset[Person]:
    """List the people mentioned by an edit and not by the earlier text (rule 13).

    >>> nat = Person(id="nat", name="Nat", email="")
    >>> nia = Person(id="nia", name="Nia", email="")
    >>> [person.name for person in newly_mentioned(["nat"], [nat, nia])]
    ['Nia']
    """
    already = frozenset(before)
    return frozenset(person for person in after if person.id not in already)


def _judged(
    facts: RoutingFacts,
    policy: RoutingPolicy,
    access: AccessPolicy,
    *,
    include: Iterable[Person] = (),
) -> dict[PersonId, tuple[Person, RoutingReason]]:
    """Judge each person once; the facts given with `followers` win."""
    judgement = _Judgement.on(facts, policy, access)
    judged = judgement.of(facts.followers, judgement.for_followers)
    author = () if isinstance(facts.author, Robot) else (facts.author,)
    others = [
        person
        for person in chain(include, author, facts.mentioned)
        if person.id not in judged
    ]
    return judged | judgement.of(others, judgement.for_others)


def _route_of(facts: RoutingFacts) -> Route | None:
    if isinstance(facts.author, Robot) and facts.channel.kind is ChannelKind.DIRECT:
        return None  # cannot happen: may_post refuses it
    return ROUTES[facts.channel.kind, facts.author.side]


def _mentioned_in(facts: RoutingFacts) -> frozenset[PersonId]:
    """The robot mentions nobody (rule 3), and nobody mentions themselves (rule 19)."""
    if isinstance(facts.author, Robot):
        return frozenset()
    return frozenset(person.id for person in facts.mentioned) - {facts.author.id}


def _reasons_by_side(
    facts: RoutingFacts, route: Route | None, *, replaced: bool
) -> tuple[Mapping[Side, RoutingReason], Mapping[Side, RoutingReason]]:
    """Reasons by side for followers and for others, unless mentioned."""
    if facts.occasion is Occasion.EDITED:
        return _EDITED, _EDITED
    if route is None:
        return _NO_ROUTE, _NO_ROUTE
    reason = RoutingReason.NOT_TOLD_REPLACED_BY_MENTION if replaced else route.reason
    return {**_OTHER_SIDE, route.audience: reason}, _NOT_FOLLOWING


_EDITED: Final = dict.fromkeys(Side, RoutingReason.NOT_TOLD_EDITED)
_NO_ROUTE: Final = dict.fromkeys(Side, RoutingReason.NOT_TOLD_NO_ROUTE)
_OTHER_SIDE: Final = dict.fromkeys(Side, RoutingReason.NOT_TOLD_OTHER_SIDE)
_NOT_FOLLOWING: Final = dict.fromkeys(Side, RoutingReason.NOT_TOLD_NOT_FOLLOWING)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judgement:
    """The facts and reasons shared by all people of one message."""

    facts: RoutingFacts
    access: AccessPolicy
    author: PersonId
    mentioned: frozenset[PersonId]
    for_followers: Mapping[Side, RoutingReason]
    for_others: Mapping[Side, RoutingReason]

    @classmethod
    def on(
        cls, facts: RoutingFacts, policy: RoutingPolicy, access: AccessPolicy
    ) -> Self:
        mentioned = _mentioned_in(facts)
        replaces = policy.mention_routing is MentionRouting.REPLACES
        for_followers, for_others = _reasons_by_side(
            facts, _route_of(facts), replaced=replaces and bool(mentioned)
        )
        return cls(
            facts=facts,
            access=access,
            author=facts.author.id,
            mentioned=mentioned,
            for_followers=for_followers,
            for_others=for_others,
        )

    def of(
        self, people: Collection[Person], by_side: Mapping[Side, RoutingReason]
    ) -> dict[PersonId, tuple[Person, RoutingReason]]:
        """Exclude the author and non-readers (rule 23); then apply R4 and R1 to R3."""
        facts = self.facts
        # Judged before any route, so that a wrong route cannot leak.
        readings = judge_readers(
            people, facts.channel, facts.project, access=self.access
        )
        return {
            person.id: (person, self._reason_for(person, reading, by_side))
            for person, reading in zip(people, readings, strict=True)
        }

    def _reason_for(
        self, person: Person, reading: Decision, by_side: Mapping[Side, RoutingReason]
    ) -> RoutingReason:
        if self.facts.occasion is Occasion.DELETED:
            return RoutingReason.NOT_TOLD_DELETED
        if person.id == self.author:
            return RoutingReason.NOT_TOLD_AUTHOR
        if not reading:
            if has_portal_access(person, self.access):
                return RoutingReason.NOT_TOLD_MAY_NOT_READ
            return RoutingReason.NOT_TOLD_NO_PORTAL_ACCESS
        if person.id in self.mentioned:
            return RoutingReason.TOLD_MENTION
        return by_side[person.side]
