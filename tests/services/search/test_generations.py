"""An index built anew beside the one that serves, and the moment when they change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clp_contracts.errors import CallFailed
from clp_search import cli
from clp_search.engine import Engine
from clp_search.index import generations
from clp_search.index.generations import CURRENT, WANTED, Generation
from clp_search.index.live_index import ServingIndex, Use, is_served, want_rebuild
from clp_search.index.sharded_index import IndexBusy, ShardedIndex
from clp_search.projection import MessagesProjection
from clp_search.rebuild import Built, Rebuilding, built_so_far
from clp_search.use_cases.status import status
from tests.services.search.query_helpers import Neighbours, parts_with
from tests.services.search.scenario import SMALL, START, document, edited, found


class House:
    """A service's index on a folder, with the neighbours that it is built from."""

    def __init__(self, folder: Path, neighbours: Neighbours) -> None:
        self.folder = folder
        self.neighbours = neighbours
        self.index: Any = None

    def open(self, shards: int = 2) -> ServingIndex:
        """Start the service anew, the old one having been killed or closed."""
        self.close()
        self.index = ServingIndex(self.folder, shards=shards, opener=self._opened)
        self.projection = self.projection_of(self.index)
        self.rebuilding = Rebuilding(self.index, self.projection_of, folder=self.folder)
        return self.index

    def close(self) -> None:
        if self.index is not None:
            self.index.close()
            self.index = None

    def projection_of(self, engine: Engine) -> MessagesProjection:
        told: Any = self.neighbours
        return MessagesProjection(engine, told, clock=lambda: START, folder=self.folder)

    def read(self) -> None:
        """What the feed reader does."""
        while changes := self.projection.fetch(self.projection.cursor()).changes:
            self.projection.apply(changes)

    def folders(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("index-*"))

    @staticmethod
    def _opened(generation: Generation, use: Use) -> ShardedIndex:
        del use
        return ShardedIndex(generation.folder, SMALL.of(generation))


@pytest.fixture
def house(tmp_path: Path) -> Any:
    neighbours = Neighbours()
    for number in range(450):
        neighbours.stores(document(number, "many", channel=f"p{number % 3}/broadcast"))
    made = House(tmp_path / "index", neighbours)
    made.open()
    made.read()
    yield made
    made.close()


def _all(index: Any) -> list[str]:
    return sorted(
        m for n in range(3) for m in found(index, "many", [f"p{n}/broadcast"])
    )


def test_an_operator_has_the_index_built_anew_while_the_old_one_serves(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clp_search.rebuild.TURN_S", 0.0)
    before, first = _all(house.index), house.folders()
    want_rebuild(house.folder)
    turns = 0
    while (house.folder / WANTED).exists():
        assert _all(house.index) == before
        house.rebuilding.work()
        turns += 1
        assert turns < 10
    assert turns > 2
    assert house.folders() != first
    assert len(house.folders()) == 1
    assert _all(house.index) == before
    assert built_so_far(house.folder) is None


def test_what_happens_meanwhile_is_in_both(house: House) -> None:
    want_rebuild(house.folder)
    assert house.index.building is not None
    changed = edited(document(1, "many", channel="p1/broadcast"), "other")
    house.neighbours.stores(changed)
    house.neighbours.stores(document(900, "fresh", channel="p1/broadcast"))
    house.read()
    assert found(house.index, "fresh", ["p1/broadcast"]) == ["m900"]
    _work_until_done(house)
    assert found(house.index, "fresh", ["p1/broadcast"]) == ["m900"]
    assert found(house.index, "other", ["p1/broadcast"]) == ["m1"]
    assert len(_all(house.index)) == 449
    assert house.index.cursor() == 452


def _work_until_done(house: House) -> None:
    for _ in range(50):
        house.rebuilding.work()
        if not (house.index.building or (house.folder / WANTED).exists()):
            return
    pytest.fail("it was never built")


def test_other_shards_are_a_new_index_built_beside_the_old(house: House) -> None:
    index = house.open(shards=3)
    assert len(_all(index)) == 450
    assert house.index.building.generation.shards == 3
    _work_until_done(house)
    assert len(_all(house.index)) == 450
    (folder,) = house.folders()
    assert len(list((house.folder / folder).glob("shard-*.lock"))) == 3


def test_texts_read_in_another_way_are_a_new_index_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "ANALYSIS", 99)
    index = house.open()
    assert len(_all(index)) == 450
    _work_until_done(house)
    assert len(_all(house.index)) == 450
    assert ["-99." in name for name in house.folders()] == [True]


def test_files_in_another_format_go_and_are_read_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "FORMAT", 99)
    index = house.open()
    assert index.cursor() == 0
    assert len(house.folders()) == 1
    house.read()
    assert len(_all(house.index)) == 450


def test_a_restart_goes_on_with_what_was_begun(house: House) -> None:
    want_rebuild(house.folder)
    begun = house.index.building
    documents = [document(n, "many", channel=f"p{n % 3}/broadcast") for n in range(200)]
    begun.engine.apply(documents, after=0, upto=200)
    house.open()
    assert house.index.building.generation == begun.generation
    assert house.index.building.engine.cursor() == 200
    house.neighbours.asked.clear()
    _work_until_done(house)
    assert len(_all(house.index)) == 450
    asked = sum(len(ids) for what, ids in house.neighbours.asked if what == "contents")
    assert asked == 250


def test_while_messages_is_away_the_old_one_serves_on(house: House) -> None:
    want_rebuild(house.folder)
    house.neighbours.away = True
    house.rebuilding.work()
    assert len(_all(house.index)) == 450
    with pytest.raises(CallFailed):
        house.read()
    house.neighbours.away = False
    _work_until_done(house)
    assert len(_all(house.index)) == 450


def test_status_tells_how_far_the_index_in_the_making_is(house: House) -> None:
    parts = parts_with(house.index, house.neighbours)
    assert status(parts=parts).rebuilt_to is None
    house.rebuilding.built = Built(200, 450)
    assert parts.rebuilding is None
    told = status(parts=_with_rebuilding(parts, house.rebuilding))
    assert (told.position, told.rebuilt_to) == (450, 200)


def _with_rebuilding(parts: Any, rebuilding: Rebuilding) -> Any:
    return replace(parts, rebuilding=rebuilding)


def test_the_command_shows_how_far_it_is_until_the_new_one_serves(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = cli.rebuild(
        house.folder, wait=True, pause=lambda _: house.rebuilding.work()
    )
    said = capsys.readouterr().err
    assert ended == 0
    assert "waiting for the service to begin" in said
    assert said.endswith("Done: the new index serves.\n")
    assert len(_all(house.index)) == 450


def test_the_command_says_so_when_nobody_serves(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.close()
    assert cli.rebuild(house.folder, wait=True) == 1
    assert "No process serves this index now" in capsys.readouterr().err
    first = house.folders()
    house.open()
    _work_until_done(house)
    assert house.folders() != first
    assert len(_all(house.index)) == 450


BARS = [
    (None, "[" + " " * 40 + "] waiting for the service to begin"),
    (Built(0, 450), "[" + " " * 40 + "]   0% 0 of 450 changes"),
    (Built(225, 450), "[" + "#" * 20 + " " * 20 + "]  50% 225 of 450 changes"),
    (Built(450, 450), "[" + "#" * 40 + "] 100% 450 of 450 changes"),
    (Built(0, 0), "[" + "#" * 40 + "] 100% 0 of 0 changes"),
]


@pytest.mark.parametrize(("built", "line"), BARS)
def test_the_bar(built: Built | None, line: str) -> None:
    assert cli.bar(built).rstrip() == line


COMMANDS = [
    ([], ("serve", True)),
    (["serve"], ("serve", True)),
    (["rebuild"], ("rebuild", True)),
    (["rebuild", "--no-wait"], ("rebuild", False)),
]


@pytest.mark.parametrize(("arguments", "command"), COMMANDS)
def test_commands(arguments: list[str], command: tuple[str, bool]) -> None:
    assert cli.parsed(arguments) == command


@pytest.mark.parametrize("arguments", [["--help"], ["rebuild", "--help"]])
def test_help_says_what_happens(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.parsed(arguments)
    assert ended.value.code == 0
    assert "anew" in capsys.readouterr().out


def test_two_services_never_share_a_folder(house: House) -> None:
    assert is_served(house.folder)
    with pytest.raises(IndexBusy):
        ServingIndex(house.folder, shards=2, opener=House._opened)
    house.close()
    assert not is_served(house.folder)


def test_a_torn_name_of_the_current_one_is_an_empty_index(house: House) -> None:
    house.close()
    (house.folder / CURRENT).write_text("index-nonsense")
    assert house.open().cursor() == 0
    house.read()
    assert len(_all(house.index)) == 450
