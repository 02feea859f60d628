"""T10: a person who changes roles or partners sees by what they are now."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_contracts.errors import Refused
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import CAST, LINGUIST, PORTAL, put_cast
from clp_suite.suite import Suite

NORTH, SOUTH = "p1/direct/north", "p1/direct/south"
NAT = next(part for part in CAST if part.id == "nat")


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    with EmbeddedSuite(tmp_path / "changed") as running:
        directory = running.client(service="directory")
        put_cast(directory)
        directory.projects.put_project(id="p1", title="Night Train")
        for partner in ("north", "south"):
            directory.projects.assign_partner(
                project="p1", partner=partner, languages=["fr"]
            )
        yield running


def become(suite: Suite, *, partner: str = "north", roles: tuple[str, ...]) -> None:
    suite.client(service="directory").projects.put_person(
        id="nat", name=NAT.name, email=NAT.email, partner=partner, roles=roles
    )


def sees(suite: Suite, channel: str) -> list[str] | str:
    """The texts that Nat reads in a channel, or the code of the refusal."""
    try:
        page = suite.client("nat").messages.page(channel=channel)
    except Refused as refused:
        return refused.code
    return [message.text for message in page.messages]


def test_who_moves_to_another_partner_leaves_the_old_channel_at_once(
    suite: Suite,
) -> None:
    become(suite, roles=(PORTAL,))
    ivy = suite.client("ivy").messages
    ivy.post(channel=NORTH, text="for north", key="n")
    ivy.post(channel=SOUTH, text="for south", key="s")
    assert (sees(suite, NORTH), sees(suite, SOUTH)) == (
        ["for north"],
        "channel.missing",
    )

    become(suite, partner="south", roles=(PORTAL,))

    assert (sees(suite, NORTH), sees(suite, SOUTH)) == (
        "channel.missing",
        ["for south"],
    )
    with pytest.raises(Refused, match=r"channel\.missing"):
        suite.client("nat").messages.post(channel=NORTH, text="x", key="late")
    suite.settle()
    nat = suite.client("nat").search
    assert not nat.find(query="north", project="p1").hits
    assert nat.find(query="south", project="p1").total == 1


def test_who_becomes_a_linguist_is_out_and_back_when_it_ends(suite: Suite) -> None:
    become(suite, roles=(PORTAL, LINGUIST))
    suite.client("ivy").messages.post(
        channel=NORTH, text="@Nat Moreau are you there?", key="linguist"
    )
    assert sees(suite, NORTH) == "channel.missing"
    suite.settle()
    assert not any(b"are you there" in mail for mail in suite.mails())

    become(suite, roles=(PORTAL,))

    assert "@Nat Moreau are you there?" in sees(suite, NORTH)
