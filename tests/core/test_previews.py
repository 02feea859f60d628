"""Rule 47: an author sees whom a draft will reach, and no more than they may."""

from hypothesis import given
from hypothesis import strategies as st

from clp_core.people import ROBOT, AccessPolicy, Author, Person, Side
from clp_core.previews import NobodyReason, Preview, PreviewGroup, preview
from clp_core.routing import (
    MentionRouting,
    Occasion,
    RoutingPolicy,
    Trigger,
    recipients_of,
)
from tests.core.sample_world import (
    BROADCAST,
    EVERYBODY,
    IAN,
    IVY,
    LIN,
    NAT,
    NIA,
    NORTH,
    SAM,
    SOL,
    SOUTH,
    WITH_NORTH,
    facts,
    person,
)

ADDS = RoutingPolicy(mention_routing=MentionRouting.ADDS)


def test_a_broadcast_lists_each_partner_with_its_followers() -> None:
    draft = facts(IVY, BROADCAST, followers=[IAN, NAT, NIA, SAM, LIN])

    assert preview(draft) == Preview((PreviewGroup(NORTH, 2), PreviewGroup(SOUTH, 1)))


def test_the_robot_s_broadcast_has_the_same_groups() -> None:
    assert preview(facts(ROBOT, BROADCAST, followers=[SOL])) == Preview(
        (PreviewGroup(SOUTH, 1),)
    )


def test_the_studio_sees_a_partner_s_followers_in_its_direct_channel() -> None:
    draft = facts(IVY, WITH_NORTH, followers=[IAN, NAT, SAM])

    assert preview(draft) == Preview((PreviewGroup(NORTH, 1),))


def test_a_partner_s_person_sees_the_studio_without_a_count() -> None:
    draft = facts(NAT, WITH_NORTH, followers=[IVY, IAN, NIA])

    assert preview(draft) == Preview((PreviewGroup(None, None),))


def test_a_mention_replaces_the_groups() -> None:
    draft = facts(NAT, WITH_NORTH, [IVY, NIA], followers=[IAN])

    assert preview(draft) == Preview(mentioned=(IVY, NIA))


def test_a_mention_adds_to_the_groups_where_policy_says_so() -> None:
    draft = facts(IVY, WITH_NORTH, [NAT, IAN], followers=[NAT, NIA])

    assert preview(draft, ADDS) == Preview((PreviewGroup(NORTH, 1),), (IAN, NAT))


def test_nobody_follows() -> None:
    draft = facts(IVY, BROADCAST, followers=[IAN])

    assert preview(draft) == Preview(nobody=NobodyReason.NO_FOLLOWER)


def test_a_mention_of_oneself_is_no_mention() -> None:
    draft = facts(IVY, WITH_NORTH, [IVY], followers=[])

    assert preview(draft).nobody is NobodyReason.NO_FOLLOWER


def test_the_robot_mentions_nobody() -> None:
    draft = facts(ROBOT, BROADCAST, [NAT], followers=[])

    assert preview(draft).nobody is NobodyReason.NO_FOLLOWER


def test_whoever_is_mentioned_may_not_read() -> None:
    draft = facts(IVY, WITH_NORTH, [SAM, LIN], followers=[NAT])

    assert preview(draft).nobody is NobodyReason.MENTIONED_MAY_NOT_READ


people = st.frozensets(st.sampled_from(EVERYBODY))


@given(
    author=st.sampled_from([*EVERYBODY, ROBOT]),
    channel=st.sampled_from([BROADCAST, WITH_NORTH]),
    mentioned=people,
    followers=people,
    policy=st.sampled_from([RoutingPolicy(), ADDS]),
)
def test_a_preview_counts_exactly_the_recipients(
    author: Author,
    channel: object,
    mentioned: frozenset[Person],
    followers: frozenset[Person],
    policy: RoutingPolicy,
) -> None:
    draft = facts(author, channel, mentioned, followers=followers)  # type: ignore[arg-type]
    shown = preview(draft, policy)
    recipients = recipients_of(draft, policy)

    told = {r.person for r in recipients if r.trigger is Trigger.MENTION}
    assert set(shown.mentioned) == told
    others = len(recipients) - len(told)
    if author.side is Side.INTERNAL:
        assert sum(group.count or 0 for group in shown.groups) == others
    else:
        assert shown.groups == ((PreviewGroup(None, None),) if others else ())
    assert (shown.nobody is None) == bool(recipients)


def test_groups_are_in_the_order_of_partners() -> None:
    first, last = person("a", "Ada", SOUTH), person("z", "Zoe", NORTH)
    draft = facts(IVY, BROADCAST, followers=[first, last])

    assert [group.partner for group in preview(draft).groups] == [NORTH, SOUTH]


def test_a_preview_follows_the_access_policy() -> None:
    access = AccessPolicy(admitting_roles=frozenset({"another"}))
    draft = facts(IVY, BROADCAST, followers=[NAT])

    assert preview(draft, access=access).groups == ()


def test_an_edit_previews_the_newly_mentioned() -> None:
    edited = facts(IVY, WITH_NORTH, [NIA], followers=[NAT], occasion=Occasion.EDITED)

    assert preview(edited) == Preview(mentioned=(NIA,))
