"""Channels are derived from projects; their names are public."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_core.channels import Channel, ChannelKind, Project, ProjectId, is_id
from clp_core.decisions import InvalidValue
from clp_core.people import PartnerId
from tests.core.sample_world import BROADCAST, NORTH, P1, WITH_NORTH

IDS = ["p", "p1", "P1", "9", "a.b", "a_b", "a-b", "a" * 64, "0.-_"]
NO_IDS = [
    "", " ", "-a", ".a", "_a", "a b", "a/b", "a:b", "é", "p\n", "\np", "a" * 65, "p１", "a\x00",
]  # fmt: skip
NO_CHANNELS = [
    "", "p1", "p1/", "/broadcast", "p1/broadcast/", "p1/broadcast/north", "p1/Broadcast",
    "p1/direct", "p1/direct/", "p1/direct/north/", "p1/direct/north/x", "p1/other/north",
    "/direct/north", "p1//north", "p 1/broadcast", "p1/direct/no rth", "p1/broadcast\n",
    "-p/broadcast", "-p/direct/north", "p1/direct/-n", " p1/broadcast",
]  # fmt: skip

ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
channels = st.builds(Channel, ids.map(ProjectId), st.none() | ids.map(PartnerId))


@pytest.mark.parametrize("value", IDS)
def test_ids_are_plain_and_short(value: str) -> None:
    assert is_id(value)


@pytest.mark.parametrize("value", NO_IDS)
def test_nothing_else_is_an_id(value: str) -> None:
    assert not is_id(value)


def test_channel_names_are_the_public_ones() -> None:
    assert BROADCAST.name == "p1/broadcast"
    assert WITH_NORTH.name == "p1/direct/north"


def test_a_channel_is_direct_when_it_is_shared_with_a_partner() -> None:
    assert BROADCAST.kind is ChannelKind.BROADCAST
    assert WITH_NORTH.kind is ChannelKind.DIRECT
    assert [kind.value for kind in ChannelKind] == ["broadcast", "direct"]


@pytest.mark.property
@given(channels)
def test_a_name_reads_back_as_its_channel(channel: Channel) -> None:
    assert Channel.named(channel.name) == channel


@pytest.mark.property
@given(st.text() | st.from_regex(r"[a-z/.]*(broadcast|direct)[a-z/.]*"))
def test_what_reads_as_a_channel_is_its_name_and_nothing_else_raises(name: str) -> None:
    try:
        channel = Channel.named(name)
    except InvalidValue:
        return
    assert channel.name == name


@pytest.mark.parametrize("name", NO_CHANNELS)
def test_no_channel_has_another_name(name: str) -> None:
    with pytest.raises(InvalidValue, match=r"^no channel has this name$"):
        Channel.named(name)


def test_a_project_starts_without_partners() -> None:
    project = Project(id=ProjectId("p9"))
    assert project.assigned == frozenset()
    assert project.withdrawn == frozenset()


def test_channels_sort_by_project() -> None:
    later = Channel(ProjectId("p2"))
    assert sorted([later, BROADCAST]) == [BROADCAST, later]
    assert Channel(P1.id, NORTH) == WITH_NORTH
