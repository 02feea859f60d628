"""Rules 13 and 22 to 25, and the routing table of section 6."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_core.channels import Channel, ChannelKind
from clp_core.people import ROBOT, AccessPolicy, Author, Person, PersonId, Side
from clp_core.routing import (
    PUBLISHED_ROUTING,
    ROUTES,
    RULES,
    SENTENCES,
    TRIGGERS,
    Explanation,
    MentionRouting,
    Occasion,
    Recipient,
    Route,
    RoutingFacts,
    RoutingPolicy,
    RoutingReason,
    Trigger,
    explain,
    newly_mentioned,
    recipients_of,
)
from clp_core.visibility import may_read
from tests.core.sample_world import (
    BROADCAST,
    EVERYBODY,
    IAN,
    IVY,
    LIN,
    NAT,
    NIA,
    P1,
    SAM,
    SOL,
    SOUTH,
    WITH_EAST,
    WITH_NORTH,
    WITH_SOUTH,
    facts,
)

ADDS = RoutingPolicy(mention_routing=MentionRouting.ADDS)
BROADCAST_IS_NEW, FROM_PARTNER, TO_PARTNER, MENTION = (
    Trigger.NEW_BROADCAST, Trigger.DIRECT_FROM_PARTNER, Trigger.DIRECT_TO_PARTNER,
    Trigger.MENTION,
)  # fmt: skip


def triggers(recipients: tuple[Recipient, ...]) -> dict[str, Trigger]:
    return {recipient.person.id: recipient.trigger for recipient in recipients}


def every(trigger: Trigger, *people: Person) -> dict[str, Trigger]:
    return {person.id: trigger for person in people}


# Everybody follows the project, a linguist without access included.
HELP_PAGE = [
    # message                                channel     author  mentioned   recipients
    ("new broadcast", BROADCAST, IVY, (), every(BROADCAST_IS_NEW, NAT, NIA, SAM, SOL)),
    ("new broadcast of the robot", BROADCAST, ROBOT, (), every(BROADCAST_IS_NEW, NAT, NIA, SAM, SOL)),
    ("direct, from an external person", WITH_NORTH, NAT, (), every(FROM_PARTNER, IVY, IAN)),
    ("direct, from an internal person", WITH_NORTH, IVY, (), every(TO_PARTNER, NAT, NIA)),
    ("direct, to a withdrawn partner", WITH_EAST, IVY, (), {}),
    ("mention of a follower", WITH_NORTH, IVY, (NIA,), every(MENTION, NIA)),
    ("mention of two", WITH_NORTH, IVY, (NIA, IAN), every(MENTION, NIA, IAN)),
    ("mention of an internal person by a partner", WITH_NORTH, NAT, (IAN,), every(MENTION, IAN)),
    ("mention in a broadcast", BROADCAST, IVY, (SAM,), every(MENTION, SAM)),
    ("mention across partners", WITH_NORTH, IVY, (SAM,), {}),
    ("mention of a linguist", BROADCAST, IVY, (LIN,), {}),
    ("mention of oneself alone", WITH_NORTH, IVY, (IVY,), every(TO_PARTNER, NAT, NIA)),
    ("mention of oneself and another", WITH_NORTH, IVY, (IVY, NAT), every(MENTION, NAT)),
    ("mention in a text of the robot", BROADCAST, ROBOT, (NAT,), every(BROADCAST_IS_NEW, NAT, NIA, SAM, SOL)),
    ("direct, from the robot, which cannot happen", WITH_NORTH, ROBOT, (), {}),
    ("broadcast from outside, which cannot happen", BROADCAST, NAT, (), {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "channel", "author", "mentioned", "told"),
    HELP_PAGE,
    ids=[row[0] for row in HELP_PAGE],
)
def test_who_hears_of_a(
    message: str,
    channel: Channel,
    author: Author,
    mentioned: tuple[Person, ...],
    told: dict[str, Trigger],
) -> None:
    assert triggers(recipients_of(facts(author, channel, mentioned))) == told, message


AS_WELL = [
    ("new broadcast", BROADCAST, IVY, (SAM,), every(BROADCAST_IS_NEW, NAT, NIA, SOL) | every(MENTION, SAM)),
    ("direct from a partner", WITH_NORTH, NAT, (IAN, NIA), every(FROM_PARTNER, IVY) | every(MENTION, IAN, NIA)),
    ("direct to a partner", WITH_NORTH, IVY, (IAN,), every(TO_PARTNER, NAT, NIA) | every(MENTION, IAN)),
    ("mention across partners", WITH_NORTH, IVY, (SAM,), every(TO_PARTNER, NAT, NIA)),
    ("no mention", WITH_NORTH, IVY, (), every(TO_PARTNER, NAT, NIA)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "channel", "author", "mentioned", "told"),
    AS_WELL,
    ids=[row[0] for row in AS_WELL],
)
def test_mentions_add_to_the_followers_by_policy(
    message: str,
    channel: Channel,
    author: Author,
    mentioned: tuple[Person, ...],
    told: dict[str, Trigger],
) -> None:
    assert triggers(recipients_of(facts(author, channel, mentioned), ADDS)) == told, (
        message
    )


def test_a_mention_replaces_by_the_published_policy() -> None:
    assert PUBLISHED_ROUTING.mention_routing is MentionRouting.REPLACES
    assert RoutingPolicy() == PUBLISHED_ROUTING


def test_a_mention_reaches_who_does_not_follow() -> None:
    told = recipients_of(facts(IVY, WITH_NORTH, [NIA], followers=[NAT]))
    assert triggers(told) == {"nia": MENTION}


def test_nobody_hears_without_following_or_a_mention() -> None:
    assert recipients_of(facts(IVY, BROADCAST, followers=())) == ()
    nothing_more = RoutingFacts(author=IVY, channel=BROADCAST, project=P1)
    assert recipients_of(nothing_more) == ()
    assert nothing_more.occasion is Occasion.POSTED


def test_recipients_come_once_each_in_the_order_of_their_ids() -> None:
    told = recipients_of(
        facts(IVY, BROADCAST, [SAM, NAT], followers=[SOL, SAM, NIA]), ADDS
    )
    assert [recipient.person.id for recipient in told] == ["nat", "nia", "sam", "sol"]
    assert told[0] == Recipient(NAT, MENTION)
    assert told[3] == Recipient(SOL, BROADCAST_IS_NEW)


def test_the_author_is_known_by_the_id_whatever_else_changed() -> None:
    renamed = replace(IVY, name="Ivy Lane-Moss")
    told = recipients_of(facts(IVY, WITH_NORTH, [renamed], followers=[renamed, NAT]))
    assert triggers(told) == {"nat": TO_PARTNER}


def test_what_is_known_of_a_follower_outweighs_what_is_said_of_the_mentioned() -> None:
    left = replace(NAT, active=False)
    assert recipients_of(facts(IVY, WITH_NORTH, [NAT], followers=[left])) == ()
    explained = explain(facts(IVY, WITH_NORTH, [NAT], followers=[left]))
    assert explained[NAT.id].person == left


def test_what_is_known_of_the_mentioned_outweighs_what_was_asked() -> None:
    left = replace(NAT, active=False)
    explained = explain(facts(IVY, WITH_NORTH, [left], followers=()), include=[NAT])
    assert explained[NAT.id].person == left


def test_who_may_not_read_at_that_moment_is_not_told() -> None:
    moved = replace(NAT, partner=SOUTH)
    assert triggers(recipients_of(facts(IVY, WITH_NORTH, followers=[moved, NIA]))) == {
        "nia": TO_PARTNER
    }
    assert triggers(recipients_of(facts(IVY, WITH_SOUTH, followers=[moved, NIA]))) == {
        "nat": TO_PARTNER
    }


def test_an_edit_tells_the_newly_mentioned_and_nobody_else() -> None:
    for policy in (PUBLISHED_ROUTING, ADDS):
        edited = facts(IVY, WITH_NORTH, [NIA], occasion=Occasion.EDITED)
        assert triggers(recipients_of(edited, policy)) == {"nia": MENTION}
        silent = facts(IVY, WITH_NORTH, occasion=Occasion.EDITED)
        assert recipients_of(silent, policy) == ()
        explained = explain(edited, policy)[NAT.id]
        assert explained.reason is RoutingReason.NOT_TOLD_EDITED


def test_newly_mentioned_is_who_was_not_mentioned_before() -> None:
    assert newly_mentioned([NAT.id], [NAT, NIA]) == {NIA}
    assert newly_mentioned([], [NAT]) == {NAT}
    assert newly_mentioned([NAT.id, NIA.id], [NAT]) == frozenset()


def test_the_access_policy_given_is_the_one_asked() -> None:
    mixers = AccessPolicy(admitting_roles=frozenset({"mixer"}))
    mixer = replace(NIA, roles=frozenset({"mixer"}))
    sent = facts(IVY, WITH_NORTH, followers=[NAT, mixer])
    assert triggers(recipients_of(sent, PUBLISHED_ROUTING, mixers)) == {
        "nia": TO_PARTNER
    }
    explained = explain(sent, PUBLISHED_ROUTING, mixers)
    assert explained[NAT.id].reason is RoutingReason.NOT_TOLD_NO_PORTAL_ACCESS
    assert explained[NIA.id].told


def test_every_case_has_a_route() -> None:
    assert set(ROUTES) == set(product(ChannelKind, Side))


def test_the_table_of_routes_is_the_one_of_the_help_page() -> None:
    b, d = ChannelKind.BROADCAST, ChannelKind.DIRECT
    inside, outside = Side.INTERNAL, Side.EXTERNAL
    assert {
        (b, inside): Route(
            "R1", outside, BROADCAST_IS_NEW, RoutingReason.TOLD_NEW_BROADCAST
        ),
        (b, outside): None,
        (d, outside): Route(
            "R2", inside, FROM_PARTNER, RoutingReason.TOLD_DIRECT_FROM_PARTNER
        ),
        (d, inside): Route(
            "R3", outside, TO_PARTNER, RoutingReason.TOLD_DIRECT_TO_PARTNER
        ),
    } == ROUTES


def test_triggers_and_reasons_have_the_released_names() -> None:
    assert [trigger.value for trigger in Trigger] == [
        "new_broadcast", "direct_from_partner", "direct_to_partner", "mention",
    ]  # fmt: skip
    assert [reason.value for reason in RoutingReason] == [
        "told.new_broadcast", "told.direct_from_partner", "told.direct_to_partner",
        "told.mention", "not_told.deleted", "not_told.author",
        "not_told.no_portal_access", "not_told.may_not_read", "not_told.no_route", "not_told.edited",
        "not_told.not_following", "not_told.other_side", "not_told.replaced_by_mention",
    ]  # fmt: skip
    assert [routing.value for routing in MentionRouting] == ["replaces", "adds"]
    assert [occasion.value for occasion in Occasion] == ["posted", "edited", "deleted"]


@pytest.mark.parametrize("reason", RoutingReason)
def test_every_reason_has_a_sentence_and_a_trigger_if_it_tells(
    reason: RoutingReason,
) -> None:
    told = reason.value.startswith("told.")
    explained = Explanation(NAT, "R1", reason)
    assert explained.told is told
    assert explained.trigger == (Trigger(reason.value[5:]) if told else None)
    assert explained.sentence == SENTENCES[reason]
    assert (reason in TRIGGERS) is told
    decided_by_route = {
        RoutingReason.NOT_TOLD_NOT_FOLLOWING,
        RoutingReason.NOT_TOLD_OTHER_SIDE,
    }
    assert (reason in RULES) is (reason not in decided_by_route)


def test_sentences_are_said_in_full() -> None:
    sentences = {reason.value: sentence for reason, sentence in SENTENCES.items()}
    assert sentences == {
        "told.new_broadcast": "told: follows the project, new broadcast",
        "told.direct_from_partner": "told: follows the project, a partner wrote directly",
        "told.direct_to_partner": "told: follows the project, the studio wrote to their partner",
        "told.mention": "told: mentioned in the message",
        "not_told.deleted": "not told: the message was deleted before anybody was told",
        "not_told.author": "not told: wrote the message",
        "not_told.no_portal_access": "not told: the portal is not open to this person",
        "not_told.may_not_read": "not told: may not read the channel",
        "not_told.no_route": "not told: nobody follows messages of this kind",
        "not_told.edited": "not told: an edit tells only the newly mentioned",
        "not_told.not_following": "not told: does not follow the project and is not mentioned",
        "not_told.other_side": "not told: follows, but messages of this kind go to the other side",
        "not_told.replaced_by_mention": "not told: follows, but the message mentions people and tells only them",
    }  # fmt: skip


people = st.frozensets(
    st.builds(
        replace,
        st.sampled_from(EVERYBODY),
        partner=st.sampled_from([None, "north", "south", "east"]),
        active=st.booleans(),
    ),
    max_size=6,
)
sendings = st.builds(
    facts,
    st.sampled_from([*EVERYBODY, ROBOT]),
    st.sampled_from([BROADCAST, WITH_NORTH, WITH_SOUTH, WITH_EAST]),
    people,
    followers=people,
    occasion=st.sampled_from(Occasion),
)
policies = st.sampled_from([PUBLISHED_ROUTING, ADDS])


@pytest.mark.property
@given(sendings, policies)
def test_nobody_hears_of_what_they_may_not_read(
    sent: RoutingFacts, policy: RoutingPolicy
) -> None:
    for recipient in recipients_of(sent, policy):
        assert may_read(recipient.person, sent.channel, sent.project)
        assert recipient.person.id != sent.author.id


@pytest.mark.property
@given(sendings, policies, people)
def test_explain_and_route_never_disagree(
    sent: RoutingFacts, policy: RoutingPolicy, people: frozenset[Person]
) -> None:
    explained = explain(sent, policy, include=people)
    told = tuple(
        Recipient(explanation.person, explanation.trigger)
        for explanation in explained.values()
        if explanation.trigger
    )
    assert told == recipients_of(sent, policy)
    assert all(
        explanation.told == bool(explanation.trigger)
        for explanation in explained.values()
    )


@pytest.mark.property
@given(sendings, policies)
def test_nobody_is_told_twice(sent: RoutingFacts, policy: RoutingPolicy) -> None:
    ids: list[PersonId] = [r.person.id for r in recipients_of(sent, policy)]
    assert ids == sorted(set(ids))
