"""Rules 31 and 32: the unread number, and where it leads."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_core.messages import MessageFacts
from clp_core.people import AccessPolicy, PersonId
from clp_core.unread import (
    advance_marker,
    first_unread,
    is_unread,
    project_unread_count,
    unread_count,
)
from tests.core.sample_world import (
    BROADCAST,
    ELSEWHERE,
    EVA,
    IVY,
    LIN,
    NAT,
    P1,
    WITH_EAST,
    WITH_NORTH,
    WITH_SOUTH,
)


def posted(number: int, by: str = "ivy", *, deleted: bool = False) -> MessageFacts:
    return MessageFacts(
        channel=WITH_NORTH, number=number, author=PersonId(by), deleted=deleted
    )


HISTORY = (
    posted(1),
    posted(2, by="nat"),
    posted(3, deleted=True),
    posted(4),
    posted(5, by="nia"),
)

NAT_SEES = [
    # the marker stands at   unread   first
    (0, 3, 1),
    (1, 2, 4),
    (3, 2, 4),
    (4, 1, 5),
    (5, 0, None),
    (9, 0, None),
]


@pytest.mark.parametrize(("marker", "count", "first"), NAT_SEES)
def test_unread_is_what_others_posted_after_the_marker(
    marker: int, count: int, first: int | None
) -> None:
    assert unread_count(HISTORY, NAT.id, marker) == count
    assert first_unread(HISTORY, NAT.id, marker) == first
    assert first_unread(reversed(HISTORY), NAT.id, marker) == first


def test_own_posts_are_never_unread() -> None:
    assert not is_unread(posted(2, by="nat"), NAT.id, 0)
    assert is_unread(posted(2, by="nat"), IVY.id, 0)


def test_deleted_messages_are_never_unread() -> None:
    assert not is_unread(posted(2, deleted=True), NAT.id, 0)


def test_the_marked_message_itself_is_read() -> None:
    assert not is_unread(posted(2), NAT.id, 2)
    assert is_unread(posted(3), NAT.id, 2)


def test_an_empty_channel_has_nothing_unread() -> None:
    assert unread_count((), NAT.id, 0) == 0
    assert first_unread((), NAT.id, 0) is None


@pytest.mark.parametrize(("old", "new", "moved"), [(0, 5, 5), (5, 3, 5), (4, 4, 4)])
def test_a_marker_only_moves_forward(old: int, new: int, moved: int) -> None:
    assert advance_marker(old, new) == moved


COUNTS = {
    BROADCAST: 1,
    WITH_NORTH: 10,
    WITH_SOUTH: 100,
    WITH_EAST: 1000,
    ELSEWHERE: 9999,
}


@pytest.mark.parametrize(
    ("who", "reader", "total"),
    [
        ("internal people sum every channel of the project", IVY, 1111),
        ("a partner sums the broadcast and its own", NAT, 11),
        ("a withdrawn partner sums nothing", EVA, 0),
        ("a linguist sums nothing", LIN, 0),
    ],
)
def test_a_projects_number_counts_what_the_reader_may_read(
    who: str, reader: object, total: int
) -> None:
    assert project_unread_count(COUNTS, reader, P1) == total, who  # type: ignore[arg-type]


def test_a_projects_number_asks_the_access_policy_given() -> None:
    mixers = AccessPolicy(admitting_roles=frozenset({"mixer"}))
    assert project_unread_count(COUNTS, NAT, P1, access=mixers) == 0
    mixer = replace(NAT, roles=frozenset({"mixer"}))
    assert project_unread_count(COUNTS, mixer, P1, access=mixers) == 11


messages = st.lists(
    st.builds(
        posted,
        st.integers(1, 9),
        st.sampled_from(["ivy", "nat"]),
        deleted=st.booleans(),
    )
)


@pytest.mark.property
@given(messages, st.integers(0, 10), st.integers(0, 10))
def test_reading_on_never_raises_the_number(
    history: list[MessageFacts], old: int, new: int
) -> None:
    before = unread_count(history, NAT.id, old)
    assert unread_count(history, NAT.id, advance_marker(old, new)) <= before


@pytest.mark.property
@given(messages, st.integers(0, 10))
def test_there_is_a_first_unread_exactly_when_the_number_is_not_zero(
    history: list[MessageFacts], marker: int
) -> None:
    first = first_unread(history, NAT.id, marker)
    assert (first is not None) == (unread_count(history, NAT.id, marker) > 0)
    assert first is None or first > marker
