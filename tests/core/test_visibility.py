"""The table of section 2 and rules 5 to 8, with the people of the sample world."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_core.channels import Channel, Project, ProjectId
from clp_core.decisions import ALLOWED, Decision, Reason
from clp_core.people import ROBOT, AccessPolicy, Author, PartnerId, Person
from clp_core.visibility import (
    channel_exists,
    channels_of,
    channels_readable_by,
    judge_readers,
    judge_reading,
    may_follow,
    may_post,
    may_read,
)
from tests.core.sample_world import (
    BROADCAST,
    EAST,
    ELSEWHERE,
    EVA,
    EVERYBODY,
    IVY,
    LIN,
    NAT,
    NIA,
    NORTH,
    P1,
    SAM,
    SOUTH,
    WITH_EAST,
    WITH_NOBODY,
    WITH_NORTH,
    WITH_SOUTH,
)

OK, NONE, LISTEN = (
    Reason.ALLOWED, Reason.CHANNEL_MISSING, Reason.BROADCAST_INTERNAL_ONLY,
)  # fmt: skip
CHANNELS = (BROADCAST, WITH_NORTH, WITH_SOUTH, WITH_EAST, WITH_NOBODY, ELSEWHERE)
MOVED = replace(NAT, partner=SOUTH)
LEAVER = replace(IVY, active=False)

HELP_PAGE: list[tuple[Author, Channel, Reason, Reason]] = [
    # who              channel       may read  may post
    (IVY, BROADCAST, OK, OK),
    (IVY, WITH_NORTH, OK, OK),
    (IVY, WITH_SOUTH, OK, OK),
    (IVY, WITH_EAST, OK, OK),
    (NAT, BROADCAST, OK, LISTEN),
    (NAT, WITH_NORTH, OK, OK),
    (NAT, WITH_SOUTH, NONE, NONE),
    (NAT, WITH_EAST, NONE, NONE),
    (NIA, WITH_NORTH, OK, OK),
    (SAM, WITH_NORTH, NONE, NONE),
    (SAM, WITH_SOUTH, OK, OK),
    (MOVED, WITH_NORTH, NONE, NONE),
    (MOVED, WITH_SOUTH, OK, OK),
    (EVA, BROADCAST, NONE, NONE),
    (EVA, WITH_EAST, NONE, NONE),
    (EVA, WITH_NORTH, NONE, NONE),
    (ROBOT, BROADCAST, NONE, OK),
    (ROBOT, WITH_NORTH, NONE, NONE),
    (LIN, BROADCAST, NONE, NONE),
    (LIN, WITH_NORTH, NONE, NONE),
    (LEAVER, BROADCAST, NONE, NONE),
    (LEAVER, WITH_NORTH, NONE, NONE),
]


@pytest.mark.parametrize(
    ("who", "channel", "reading", "posting"),
    HELP_PAGE,
    ids=[f"{row[0].id}-{row[1].name}" for row in HELP_PAGE],
)
def test_who_reads_and_posts_where(
    who: Author, channel: Channel, reading: Reason, posting: Reason
) -> None:
    assert may_read(who, channel, P1) == Decision(reading)
    assert may_post(who, channel, P1) == Decision(posting)


@pytest.mark.parametrize("who", [*EVERYBODY, ROBOT], ids=lambda who: who.id)
@pytest.mark.parametrize("channel", [WITH_NOBODY, ELSEWHERE], ids=lambda c: c.name)
def test_a_hidden_channel_is_answered_like_a_missing_one(
    who: Author, channel: Channel
) -> None:
    assert may_read(who, channel, P1) == Decision(NONE)
    assert may_post(who, channel, P1) == Decision(NONE)


def test_a_partner_assigned_again_reads_its_history() -> None:
    returned = replace(P1, assigned=P1.assigned | {EAST}, withdrawn=frozenset())
    assert may_read(EVA, WITH_EAST, returned)
    assert may_post(EVA, WITH_EAST, returned)
    assert may_read(EVA, BROADCAST, returned)


def test_a_withdrawn_partners_channel_stays_for_internal_people() -> None:
    assert channel_exists(WITH_EAST, P1)
    assert channel_exists(BROADCAST, P1)
    assert channel_exists(WITH_NORTH, P1)
    assert not channel_exists(WITH_NOBODY, P1)
    assert not channel_exists(ELSEWHERE, P1)
    assert not channel_exists(Channel(ELSEWHERE.project, NORTH), P1)


FOLLOWING = [
    ("internal people", IVY, True),
    ("people of an assigned partner", NAT, True),
    ("people of a withdrawn partner", EVA, False),
    ("linguists", LIN, False),
    ("leavers", LEAVER, False),
    ("the robot", ROBOT, False),
]


@pytest.mark.parametrize(
    ("who", "person", "may"), FOLLOWING, ids=[row[0] for row in FOLLOWING]
)
def test_following_is_for_readers_of_the_broadcast(
    *, who: str, person: Author, may: bool
) -> None:
    expected = Reason.ALLOWED if may else Reason.PROJECT_MISSING
    assert may_follow(person, P1).reason is expected, who


def test_a_projects_channels_are_the_broadcast_then_partners_by_id() -> None:
    assert channels_of(P1) == (BROADCAST, WITH_EAST, WITH_NORTH, WITH_SOUTH)
    empty = Project(id=ProjectId("p9"))
    assert [channel.name for channel in channels_of(empty)] == ["p9/broadcast"]


READABLE = [
    (IVY, (BROADCAST, WITH_EAST, WITH_NORTH, WITH_SOUTH)),
    (NAT, (BROADCAST, WITH_NORTH)),
    (SAM, (BROADCAST, WITH_SOUTH)),
    (EVA, ()),
    (LIN, ()),
    (ROBOT, ()),
]


@pytest.mark.parametrize(
    ("who", "channels"), READABLE, ids=lambda x: getattr(x, "id", "")
)
def test_a_channel_list_holds_what_exists_for_the_reader(
    who: Author, channels: tuple[Channel, ...]
) -> None:
    assert channels_readable_by(who, P1) == channels


def test_the_access_policy_given_is_the_one_asked() -> None:
    mixers = AccessPolicy(admitting_roles=frozenset({"mixer"}))
    mixer = replace(NAT, roles=frozenset({"mixer"}))
    for decision in (
        may_read(NAT, WITH_NORTH, P1, access=mixers),
        may_post(NAT, WITH_NORTH, P1, access=mixers),
        may_follow(NAT, P1, mixers),
        *judge_reading(NAT, CHANNELS, P1, access=mixers),
    ):
        assert not decision
    assert channels_readable_by(NAT, P1, mixers) == ()
    assert may_read(mixer, WITH_NORTH, P1, access=mixers)
    assert may_post(mixer, WITH_NORTH, P1, access=mixers)
    assert may_follow(mixer, P1, mixers)
    assert channels_readable_by(mixer, P1, mixers) == (BROADCAST, WITH_NORTH)


@pytest.mark.parametrize(
    "who", [*EVERYBODY, LEAVER, MOVED, ROBOT], ids=lambda who: who.id
)
def test_a_list_is_judged_as_its_channels_are_one_by_one(who: Author) -> None:
    one_by_one = tuple(may_read(who, channel, P1) for channel in CHANNELS)
    assert judge_reading(who, CHANNELS, P1) == one_by_one
    assert judge_reading(who, (), P1) == ()


Partners = frozenset[PartnerId]
partners = st.frozensets(st.sampled_from([NORTH, SOUTH, EAST]))


@pytest.mark.property
@given(
    st.sampled_from(EVERYBODY),
    st.sampled_from([None, NORTH, SOUTH, EAST]),
    partners,
    partners,
)
def test_whoever_posts_reads(
    someone: Person, partner: object, assigned: Partners, withdrawn: Partners
) -> None:
    who = replace(someone, partner=partner)  # type: ignore[arg-type]
    project = Project(id=P1.id, assigned=assigned, withdrawn=withdrawn)
    for channel in CHANNELS:
        if may_post(who, channel, project):
            assert may_read(who, channel, project) is ALLOWED


@pytest.mark.property
@given(partners, partners, partners, partners)
def test_what_a_partner_reads_never_depends_on_another_partner(
    assigned: Partners, withdrawn: Partners, others: Partners, gone: Partners
) -> None:
    project = Project(id=P1.id, assigned=assigned, withdrawn=withdrawn)
    crowded = Project(
        id=P1.id,
        assigned=assigned | (others - {NORTH}),
        withdrawn=withdrawn | (gone - {NORTH}),
    )
    assert channels_readable_by(NAT, project) == channels_readable_by(NAT, crowded)
    assert judge_reading(NAT, CHANNELS, project) == judge_reading(
        NAT, CHANNELS, crowded
    )


def test_nobody_reads_a_channel_that_does_not_exist() -> None:
    missing = Channel(P1.id, PartnerId("nobody"))

    assert judge_readers([IVY, NAT], missing, P1) == (
        Decision(Reason.CHANNEL_MISSING),
        Decision(Reason.CHANNEL_MISSING),
    )
