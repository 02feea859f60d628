"""Searches of a whole project use leased facts where those show all (rules 6 and 7)."""

from collections.abc import Iterator

import pytest

from clp_search.dependencies import Dependencies
from tests.services.search.query_helpers import (
    NeighbourServices,
    dependencies_with,
    find_as,
    ids_of,
    refusal_of,
    sample_neighbours,
)
from tests.services.search.scenario import (
    BROADCAST,
    WITH_NORTH,
    apply_to,
    document,
    fresh_engine,
)


@pytest.fixture
def neighbours() -> NeighbourServices:
    leasing = sample_neighbours()
    leasing.lease_s = 60.0
    return leasing


@pytest.fixture
def deps(neighbours: NeighbourServices) -> Iterator[Dependencies]:
    with fresh_engine() as engine:
        apply_to(
            engine,
            [
                document(1, "common", channel=BROADCAST),
                document(2, "common", channel=WITH_NORTH),
                document(3, "common", channel="p1/direct/west"),
            ],
        )
        yield dependencies_with(engine, neighbours)


def requests(neighbours: NeighbourServices) -> int:
    return sum(what == "facts" for what, _ in neighbours.calls)


def test_a_partner_searches_a_project_by_leased_facts(
    neighbours: NeighbourServices, deps: Dependencies
) -> None:
    for _ in range(5):
        assert ids_of(find_as(deps, "nat", "common")) == ["m2", "m1"]
    assert requests(neighbours) == 1


def test_the_studio_finds_the_channel_of_a_new_partner_at_once(
    neighbours: NeighbourServices, deps: Dependencies
) -> None:
    neighbours.project("p1", ["north"])
    assert ids_of(find_as(deps, "ivy", "common")) == ["m2", "m1"]
    neighbours.project("p1", ["north", "west"])
    assert ids_of(find_as(deps, "ivy", "common")) == ["m3", "m2", "m1"]


def test_leased_facts_refuse_nobody(
    neighbours: NeighbourServices, deps: Dependencies
) -> None:
    assert refusal_of(deps, "wil").code == "project.missing"
    neighbours.project("p1", ["north", "west"])
    assert ids_of(find_as(deps, "wil", "common")) == ["m3", "m1"]
