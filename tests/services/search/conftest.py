"""An index on a fresh folder, closed when the test is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_search.index.sharded import Limits, ShardedIndex
from tests.services.search.stage import SMALL


class Workbench:
    """Opens an index again and again; what is left open is closed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: ShardedIndex | None = None

    def open(self, limits: Limits = SMALL) -> ShardedIndex:
        """Open the index, after giving up the one before without writing anything."""
        self.give_up()
        self._open = ShardedIndex(self.folder, limits)
        return self._open

    def give_up(self) -> None:
        """Leave the index as a killed process would."""
        if self._open is not None:
            self._open.let_go()
            self._open = None

    def files(self, pattern: str) -> list[Path]:
        """Files of the index, by name."""
        return sorted(self.folder.rglob(pattern))


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    bench = Workbench(tmp_path / "index")
    yield bench
    bench.give_up()


@pytest.fixture
def engine(workbench: Workbench) -> ShardedIndex:
    return workbench.open()
