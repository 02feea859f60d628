"""An index on a fresh folder, closed when the test is over; and a story in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_search.index.sharded import ShardedIndex
from clp_search.parts import Parts
from tests.services.search.asking import Neighbours, parts_with, story
from tests.services.search.stage import (
    WITH_NORTH,
    WITH_SOUTH,
    Workbench,
    document,
    told,
)


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    bench = Workbench(tmp_path / "index")
    yield bench
    bench.give_up()


@pytest.fixture
def engine(workbench: Workbench) -> ShardedIndex:
    return workbench.open()


@pytest.fixture
def neighbours() -> Neighbours:
    return story()


@pytest.fixture
def parts(engine: ShardedIndex, neighbours: Neighbours) -> Parts:
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
