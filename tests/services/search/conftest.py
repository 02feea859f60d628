"""Empty indexes of either engine, closed after the test, and a sample conversation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_search.dependencies import Dependencies
from clp_search.engine import Engine
from clp_suite.server_access import DatabaseAccess
from tests.services.search.query_helpers import (
    NeighbourServices,
    dependencies_with,
    sample_neighbours,
)
from tests.services.search.scenario import (
    ENGINES,
    WITH_NORTH,
    WITH_SOUTH,
    DatabaseHarness,
    Engines,
    IndexHarness,
    apply_to,
    document,
    fresh_engine,
)


@pytest.fixture
def index_harness(tmp_path: Path) -> Iterator[IndexHarness]:
    bench = IndexHarness(tmp_path / "index")
    yield bench
    bench.abandon()


@pytest.fixture(scope="session")
def database_harness(postgres: DatabaseAccess) -> Iterator[DatabaseHarness]:
    bench = DatabaseHarness(postgres.create_database("search"))
    yield bench
    bench.close()


@pytest.fixture(scope="session", params=ENGINES)
def engines(request: pytest.FixtureRequest) -> Engines:
    """Return a function that opens an empty index for one generated example."""
    if request.param == "folder":
        return fresh_engine
    bench: DatabaseHarness = request.getfixturevalue("database_harness")
    return bench.emptied


@pytest.fixture
def engine(engines: Engines) -> Iterator[Engine]:
    with engines() as opened:
        yield opened


@pytest.fixture
def neighbours() -> NeighbourServices:
    return sample_neighbours()


@pytest.fixture
def deps(engine: Engine, neighbours: NeighbourServices) -> Dependencies:
    apply_to(
        engine,
        [
            document(1, "common broadcast words"),
            document(
                2,
                "common north zyzzyva",
                channel=WITH_NORTH,
                author="nat",
                author_name="Nat Moreau",
            ),
            document(
                3,
                "common south quokka",
                channel=WITH_SOUTH,
                attachments=("quokka.pdf",),
            ),
            document(4, "common west", channel="p1/direct/west"),
            document(5, "common elsewhere", channel="p2/broadcast"),
        ],
    )
    return dependencies_with(engine, neighbours)
