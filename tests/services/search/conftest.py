"""An empty index of either engine, closed when the test is over; and a story in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_search.dependencies import Parts
from clp_search.engine import Engine
from clp_suite.servers import PrivatePostgres
from tests.services.search.query_helpers import Neighbours, parts_with, story
from tests.services.search.scenario import (
    ENGINES,
    WITH_NORTH,
    WITH_SOUTH,
    DatabaseBench,
    Engines,
    Workbench,
    document,
    fresh_engine,
    told,
)


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    bench = Workbench(tmp_path / "index")
    yield bench
    bench.give_up()


@pytest.fixture(scope="session")
def database_bench(postgres: PrivatePostgres) -> Iterator[DatabaseBench]:
    bench = DatabaseBench(postgres.create_database("search"))
    yield bench
    bench.close()


@pytest.fixture(scope="session", params=ENGINES)
def engines(request: pytest.FixtureRequest) -> Engines:
    """Opens an empty index, for as long as one example of a generated test."""
    if request.param == "folder":
        return fresh_engine
    bench: DatabaseBench = request.getfixturevalue("database_bench")
    return bench.emptied


@pytest.fixture
def engine(engines: Engines) -> Iterator[Engine]:
    with engines() as opened:
        yield opened


@pytest.fixture
def neighbours() -> Neighbours:
    return story()


@pytest.fixture
def parts(engine: Engine, neighbours: Neighbours) -> Parts:
    told(
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
    return parts_with(engine, neighbours)
