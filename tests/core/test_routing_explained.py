"""Rule 25: for everybody, the rule that told them, or the one that did not."""

import pytest

from clp_core.people import ROBOT, Person
from clp_core.routing import (
    Explanation,
    MentionRouting,
    Occasion,
    RoutingFacts,
    RoutingPolicy,
    RoutingReason,
    explain,
)
from tests.core.sample_world import (
    BROADCAST,
    EVA,
    IAN,
    IVY,
    LIN,
    NAT,
    NIA,
    SAM,
    WITH_NORTH,
    facts,
)

ADDS = RoutingPolicy(mention_routing=MentionRouting.ADDS)

WHY = [
    # person, of                               rule    reason
    ("the author", IVY, facts(IVY, BROADCAST), "23", RoutingReason.NOT_TOLD_AUTHOR),
    ("an author who mentions themselves", IVY, facts(IVY, BROADCAST, [IVY]), "23", RoutingReason.NOT_TOLD_AUTHOR),
    ("a linguist", LIN, facts(IVY, BROADCAST), "2", RoutingReason.NOT_TOLD_NO_PORTAL_ACCESS),
    ("a mentioned linguist", LIN, facts(IVY, BROADCAST, [LIN]), "2", RoutingReason.NOT_TOLD_NO_PORTAL_ACCESS),
    ("somebody of another partner", SAM, facts(IVY, WITH_NORTH), "23", RoutingReason.NOT_TOLD_MAY_NOT_READ),
    ("somebody of another partner, mentioned", SAM, facts(IVY, WITH_NORTH, [SAM]), "23", RoutingReason.NOT_TOLD_MAY_NOT_READ),
    ("somebody withdrawn", EVA, facts(IVY, BROADCAST), "23", RoutingReason.NOT_TOLD_MAY_NOT_READ),
    ("the mentioned", NAT, facts(IVY, BROADCAST, [NAT]), "R4", RoutingReason.TOLD_MENTION),
    ("a follower of broadcasts", NAT, facts(IVY, BROADCAST), "R1", RoutingReason.TOLD_NEW_BROADCAST),
    ("a follower of the robot", NAT, facts(ROBOT, BROADCAST), "R1", RoutingReason.TOLD_NEW_BROADCAST),
    ("an internal follower", IAN, facts(NAT, WITH_NORTH), "R2", RoutingReason.TOLD_DIRECT_FROM_PARTNER),
    ("an external follower", NAT, facts(IVY, WITH_NORTH), "R3", RoutingReason.TOLD_DIRECT_TO_PARTNER),
    ("an internal follower of broadcasts", IAN, facts(IVY, BROADCAST), "R1", RoutingReason.NOT_TOLD_OTHER_SIDE),
    ("a colleague of the partner's author", NIA, facts(NAT, WITH_NORTH), "R2", RoutingReason.NOT_TOLD_OTHER_SIDE),
    ("an internal colleague", IAN, facts(IVY, WITH_NORTH), "R3", RoutingReason.NOT_TOLD_OTHER_SIDE),
    ("no follower", NAT, facts(IVY, BROADCAST, followers=()), "R1", RoutingReason.NOT_TOLD_NOT_FOLLOWING),
    ("no follower of either side", IAN, facts(IVY, WITH_NORTH, followers=()), "R3", RoutingReason.NOT_TOLD_NOT_FOLLOWING),
    ("no follower, others mentioned", NAT, facts(IVY, BROADCAST, [SAM], followers=()), "R1", RoutingReason.NOT_TOLD_NOT_FOLLOWING),
    ("a follower, others mentioned", NAT, facts(IVY, BROADCAST, [SAM]), "22", RoutingReason.NOT_TOLD_REPLACED_BY_MENTION),
    ("a follower, the hidden mentioned", NAT, facts(IVY, WITH_NORTH, [SAM]), "22", RoutingReason.NOT_TOLD_REPLACED_BY_MENTION),
    ("a follower, others newly mentioned", NAT, facts(IVY, BROADCAST, [SAM], occasion=Occasion.EDITED), "13", RoutingReason.NOT_TOLD_EDITED),
    ("the mentioned, of a message that was deleted", NAT, facts(IVY, BROADCAST, [NAT], occasion=Occasion.DELETED), "22", RoutingReason.NOT_TOLD_DELETED),
    ("a follower, of a message that was deleted", NAT, facts(IVY, BROADCAST, occasion=Occasion.DELETED), "22", RoutingReason.NOT_TOLD_DELETED),
    ("the author of a message that was deleted", IVY, facts(IVY, BROADCAST, occasion=Occasion.DELETED), "22", RoutingReason.NOT_TOLD_DELETED),
    ("a follower of what cannot be posted", IVY, facts(NAT, BROADCAST), "R1-R3", RoutingReason.NOT_TOLD_NO_ROUTE),
    ("a follower of what the robot cannot post", NAT, facts(ROBOT, WITH_NORTH), "R1-R3", RoutingReason.NOT_TOLD_NO_ROUTE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("who", "person", "sent", "rule", "reason"), WHY, ids=[row[0] for row in WHY]
)
def test_why_a_person_was_told_or_not(
    who: str, person: Person, sent: RoutingFacts, rule: str, reason: RoutingReason
) -> None:
    explained = explain(sent, include=[person])[person.id]
    assert explained == Explanation(person, rule, reason), who
    assert explained.sentence.startswith("told" if explained.told else "not told")


def test_explain_covers_followers_mentioned_author_and_who_is_asked_about() -> None:
    explained = explain(facts(IVY, BROADCAST, [SAM], followers=[NAT]), include=[EVA])
    assert list(explained) == ["eva", "ivy", "nat", "sam"]
    assert list(explain(facts(ROBOT, BROADCAST, followers=[NAT]))) == ["nat"]


def test_explaining_as_well_as() -> None:
    explained = explain(facts(IVY, BROADCAST, [SAM]), ADDS)
    assert explained[NAT.id].reason is RoutingReason.TOLD_NEW_BROADCAST
    assert explained[SAM.id].reason is RoutingReason.TOLD_MENTION
