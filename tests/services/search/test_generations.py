"""A rebuild beside the index that serves, and the switch between them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clp_contracts.errors import CallFailed
from clp_search import cli
from clp_search.engine import Engine
from clp_search.index import generations
from clp_search.index.generations import CURRENT, REBUILD_REQUESTED, Generation
from clp_search.index.live_index import LiveIndex, Use, is_served, request_rebuild
from clp_search.index.sharded_index import IndexBusy, ShardedIndex
from clp_search.projection import MessagesProjection
from clp_search.rebuild import IndexRebuild, RebuildProgress, read_progress
from clp_search.use_cases.status import status
from tests.services.search.query_helpers import NeighbourServices, dependencies_with
from tests.services.search.scenario import SMALL, START, document, edited, search_ids


class RebuildHarness:
    """The index of a service in a folder, with the fakes it is built from."""

    def __init__(self, folder: Path, neighbours: NeighbourServices) -> None:
        self.folder = folder
        self.neighbours = neighbours
        self.index: Any = None

    def open(self, shards: int = 2) -> LiveIndex:
        """Start the service anew, after the old one was killed or closed."""
        self.close()
        self.index = LiveIndex(self.folder, shards=shards, opener=self._opened)
        self.projection = self.projection_of(self.index)
        self.rebuild = IndexRebuild(self.index, self.projection_of, folder=self.folder)
        return self.index

    def close(self) -> None:
        if self.index is not None:
            self.index.close()
            self.index = None

    def projection_of(self, engine: Engine) -> MessagesProjection:
        apply_to: Any = self.neighbours
        return MessagesProjection(
            engine, apply_to, clock=lambda: START, folder=self.folder
        )

    def read(self) -> None:
        """Read the feed as the feed reader does."""
        while changes := self.projection.fetch(self.projection.cursor()).changes:
            self.projection.apply(changes)

    def folders(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("index-*"))

    @staticmethod
    def _opened(generation: Generation, use: Use) -> ShardedIndex:
        del use
        return ShardedIndex(generation.folder, SMALL.of(generation))


@pytest.fixture
def harness(tmp_path: Path) -> Any:
    neighbours = NeighbourServices()
    for number in range(450):
        neighbours.stores(document(number, "many", channel=f"p{number % 3}/broadcast"))
    made = RebuildHarness(tmp_path / "index", neighbours)
    made.open()
    made.read()
    yield made
    made.close()


def _all(index: Any) -> list[str]:
    return sorted(
        m for n in range(3) for m in search_ids(index, "many", [f"p{n}/broadcast"])
    )


def test_a_rebuild_runs_while_the_old_index_serves(
    harness: RebuildHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clp_search.rebuild.MAX_STEP_S", 0.0)
    before, first = _all(harness.index), harness.folders()
    request_rebuild(harness.folder)
    turns = 0
    while (harness.folder / REBUILD_REQUESTED).exists():
        assert _all(harness.index) == before
        harness.rebuild.work()
        turns += 1
        assert turns < 10
    assert turns > 2
    assert harness.folders() != first
    assert len(harness.folders()) == 1
    assert _all(harness.index) == before
    assert read_progress(harness.folder) is None


def test_changes_during_a_rebuild_are_in_both_indexes(harness: RebuildHarness) -> None:
    request_rebuild(harness.folder)
    assert harness.index.building is not None
    changed = edited(document(1, "many", channel="p1/broadcast"), "other")
    harness.neighbours.stores(changed)
    harness.neighbours.stores(document(900, "fresh", channel="p1/broadcast"))
    harness.read()
    assert search_ids(harness.index, "fresh", ["p1/broadcast"]) == ["m900"]
    _work_until_done(harness)
    assert search_ids(harness.index, "fresh", ["p1/broadcast"]) == ["m900"]
    assert search_ids(harness.index, "other", ["p1/broadcast"]) == ["m1"]
    assert len(_all(harness.index)) == 449
    assert harness.index.cursor() == 452


def _work_until_done(harness: RebuildHarness) -> None:
    for _ in range(50):
        harness.rebuild.work()
        if not (
            harness.index.building or (harness.folder / REBUILD_REQUESTED).exists()
        ):
            return
    pytest.fail("it was never built")


def test_another_number_of_shards_is_a_rebuild(harness: RebuildHarness) -> None:
    index = harness.open(shards=3)
    assert len(_all(index)) == 450
    assert harness.index.building.generation.shards == 3
    _work_until_done(harness)
    assert len(_all(harness.index)) == 450
    (folder,) = harness.folders()
    assert len(list((harness.folder / folder).glob("shard-*.lock"))) == 3


def test_another_analysis_is_a_rebuild(
    harness: RebuildHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "ANALYSIS", 99)
    index = harness.open()
    assert len(_all(index)) == 450
    _work_until_done(harness)
    assert len(_all(harness.index)) == 450
    assert ["-99." in name for name in harness.folders()] == [True]


def test_files_in_another_format_are_removed_and_read_again(
    harness: RebuildHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "FORMAT", 99)
    index = harness.open()
    assert index.cursor() == 0
    assert len(harness.folders()) == 1
    harness.read()
    assert len(_all(harness.index)) == 450


def test_a_restart_continues_an_unfinished_rebuild(harness: RebuildHarness) -> None:
    request_rebuild(harness.folder)
    unfinished = harness.index.building
    documents = [document(n, "many", channel=f"p{n % 3}/broadcast") for n in range(200)]
    unfinished.engine.apply(documents, after=0, upto=200)
    harness.open()
    assert harness.index.building.generation == unfinished.generation
    assert harness.index.building.engine.cursor() == 200
    harness.neighbours.calls.clear()
    _work_until_done(harness)
    assert len(_all(harness.index)) == 450
    assert harness.neighbours.contents_read() == 250


def test_while_messages_is_unavailable_the_old_index_serves(
    harness: RebuildHarness,
) -> None:
    request_rebuild(harness.folder)
    harness.neighbours.away = True
    harness.rebuild.work()
    assert len(_all(harness.index)) == 450
    with pytest.raises(CallFailed):
        harness.read()
    harness.neighbours.away = False
    _work_until_done(harness)
    assert len(_all(harness.index)) == 450


def test_status_reports_the_progress_of_a_rebuild(harness: RebuildHarness) -> None:
    deps = dependencies_with(harness.index, harness.neighbours)
    assert status(deps=deps).rebuilt_to is None
    harness.rebuild.progress = RebuildProgress(200, 450)
    assert deps.rebuild is None
    apply_to = status(deps=_with_rebuild(deps, harness.rebuild))
    assert (apply_to.position, apply_to.rebuilt_to) == (450, 200)


def _with_rebuild(deps: Any, rebuild: IndexRebuild) -> Any:
    return replace(deps, rebuild=rebuild)


def test_the_command_shows_progress_until_the_new_index_serves(
    harness: RebuildHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = cli.rebuild(
        harness.folder, wait=True, pause=lambda _: harness.rebuild.work()
    )
    output = capsys.readouterr().err
    assert ended == 0
    assert "waiting for the service to begin" in output
    assert output.endswith("Done: the new index serves.\n")
    assert len(_all(harness.index)) == 450


def test_the_command_reports_that_no_process_serves(
    harness: RebuildHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    harness.close()
    assert cli.rebuild(harness.folder, wait=True) == 1
    assert "No process serves this index" in capsys.readouterr().err
    first = harness.folders()
    harness.open()
    _work_until_done(harness)
    assert harness.folders() != first
    assert len(_all(harness.index)) == 450


BARS = [
    (None, "[" + " " * 40 + "] waiting for the service to begin"),
    (RebuildProgress(0, 450), "[" + " " * 40 + "]   0% 0 of 450 changes"),
    (
        RebuildProgress(225, 450),
        "[" + "#" * 20 + " " * 20 + "]  50% 225 of 450 changes",
    ),
    (RebuildProgress(450, 450), "[" + "#" * 40 + "] 100% 450 of 450 changes"),
    (RebuildProgress(0, 0), "[" + "#" * 40 + "] 100% 0 of 0 changes"),
]


@pytest.mark.parametrize(("built", "line"), BARS)
def test_the_bar(built: RebuildProgress | None, line: str) -> None:
    assert cli.bar(built).rstrip() == line


@pytest.mark.parametrize(("arguments", "waits"), [([], True), (["--no-wait"], False)])
def test_a_rebuild_is_waited_for_unless_told_otherwise(
    arguments: list[str], *, waits: bool
) -> None:
    assert cli.parse_rebuild(arguments) is waits


def test_help_describes_the_rebuild(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.parse_rebuild(["--help"])
    assert ended.value.code == 0
    assert "Rebuild the index" in capsys.readouterr().out


def test_two_services_never_share_a_folder(harness: RebuildHarness) -> None:
    assert is_served(harness.folder)
    with pytest.raises(IndexBusy):
        LiveIndex(harness.folder, shards=2, opener=RebuildHarness._opened)
    harness.close()
    assert not is_served(harness.folder)


def test_a_torn_name_of_the_current_generation_is_an_empty_index(
    harness: RebuildHarness,
) -> None:
    harness.close()
    (harness.folder / CURRENT).write_text("index-nonsense")
    assert harness.open().cursor() == 0
    harness.read()
    assert len(_all(harness.index)) == 450
