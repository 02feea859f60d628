"""T28: no text and no query of one person stops the search of others."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from clp_search import result_pages, snippets
from clp_search.analysis.normalization import fold, normalized_length
from clp_search.analysis.work import WorkBudget
from clp_search.dependencies import Dependencies
from clp_search.engine import (
    Document,
    Engine,
    EngineTimeout,
    QueryTooExpensive,
    SliceRequest,
)
from clp_search.index.shard import Shard
from clp_search.index.sharded_index import ShardedIndex
from clp_search.projection import DEAD_LETTERS, MAX_BATCH_LENGTH, MessagesProjection
from clp_search.query import parse
from clp_search.snippets import highlight_slice, text_snippet
from clp_search.terms import text_length
from clp_search.workers import protocol
from clp_search.workers.protocol import HIGHLIGHT, SEARCH, Outcome, Response
from clp_search.workers.server import EngineServer
from clp_search.workers.shards_worker import served as served_shards
from tests.services.search.query_helpers import (
    NeighbourServices,
    find_as,
    ids_of,
    refusal_of,
)
from tests.services.search.scenario import (
    BROADCAST,
    SMALL,
    START,
    IndexHarness,
    apply_to,
    document,
    request_for,
    search_ids,
)

MAX_TEXT = 10_000
# Signs that stand for many letters, letters under many marks, one word again and again.
HOSTILE_TEXTS = (
    ("a-" * 5_000)[:MAX_TEXT],
    ("a " * 5_000)[:MAX_TEXT],
    "a" * MAX_TEXT,
    ("a1" * 5_000)[:MAX_TEXT],
    "字" * MAX_TEXT,
    "a" + "\u0301\u0316" * 4_999,
    "\ufdfa" * (MAX_TEXT // 6),
    "1,000," * 1_600,
    "👍" * MAX_TEXT,
)
HOSTILE_QUERIES = (
    '"' + "a " * 240 + '"',
    "a-" * 240,
    "a",
    "aa*",
    " ".join(f'"{"a " * n}"' for n in range(2, 15)),
    " ".join("a" * n for n in range(1, 21)),
    '"' + "字 " * 200 + '"',
    "字" * 200,
    "a1 " * 100,
    '"' + "1 000 " * 60 + '"',
    "👍 " * 100,
    "\u0635\u0644\u0649*",
)


@pytest.mark.parametrize("query", HOSTILE_QUERIES, ids=range(len(HOSTILE_QUERIES)))
@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_no_query_takes_much_more_work_than_reading_the_text(
    text: str, query: str
) -> None:
    found = document(1, text, attachments=("cue_sheet.pdf",))
    read = parse(query[:500])
    budget = WorkBudget(20 * MAX_TEXT)
    result_pages.VerifiedHit(found, budget).matches(read.clauses)
    text_snippet(found, read, budget)
    assert budget.left > 0


@pytest.mark.parametrize("marks", ["\u0301\u0316", "\uff9e\u0301", "\u0f73\u0301"])
def test_only_some_marks_of_a_letter_are_read(marks: str) -> None:
    assert fold("a" + marks * 5_000 + " b") == fold("a" + marks * 15 + " b")


def test_t28_marks_that_are_not_read_are_paid_all_the_same() -> None:
    found = document(1, "a" + "\u0301\u0316" * 4_999)
    slice_ = highlight_slice([found], parse("a"))
    assert slice_.steps > len(found.text)


def test_a_search_through_long_texts_goes_in_slices(
    index_harness: IndexHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = index_harness.open()
    long = HOSTILE_TEXTS[0]
    apply_to(engine, [document(n, long) for n in range(30)])
    steps: list[int] = []
    verify = Shard.verify

    def noted(shard: Shard, request: SliceRequest) -> Any:
        result = verify(shard, request)
        steps.append(result.steps)
        return result

    monkeypatch.setattr(Shard, "verify", noted)
    page = engine.search(request_for('"a a a"', [BROADCAST], limit=30))
    assert len(page.documents) + (page.next is not None) > 5
    assert len(steps) > 5
    # A slice ends with the text that fills it.
    assert max(steps) < 20_000 + 6 * len(long)


def test_a_query_that_takes_too_much_work_is_refused(
    deps: Dependencies, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_to(engine, [document(9, "common common " * 400)])
    monkeypatch.setattr(snippets, "MAX_STEPS_OF_TEXT", 1_000)
    refused = refusal_of(deps, "ivy", '"common common"')
    assert refused.code == "query.too_expensive"
    assert refused.detail == {"max_steps": 400_000}
    assert str(refused)
    monkeypatch.undo()
    assert "m9" in ids_of(find_as(deps, "ivy", '"common common"'))


@contextmanager
def served(index: ShardedIndex) -> Iterator[socket.socket]:
    """Serve an index as a worker does, in a thread of this process."""
    local, remote = socket.socketpair()
    with local, remote:
        server = threading.Thread(target=EngineServer(served_shards(index), remote).run)
        server.start()
        _response(local)
        yield local
        local.close()
        server.join()


def _response(connection: socket.socket) -> Response:
    response: Response = protocol.decode(protocol.receive(connection), Response)
    return response


def test_a_worker_that_refuses_a_query_lives(
    index_harness: IndexHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = index_harness.open()
    found = document(1, "common " * 400)
    apply_to(index, [found])
    monkeypatch.setattr(snippets, "MAX_STEPS_OF_TEXT", 1_000)
    with served(index) as connection:
        protocol.send_request(
            connection, HIGHLIGHT, ([found], parse('"common common"'))
        )
        assert _response(connection).outcome is Outcome.EXPENSIVE
        protocol.send_request(connection, SEARCH, (request_for("common"),))
        assert _response(connection).outcome is Outcome.DONE


def test_the_snippets_of_a_page_have_a_budget_for_each_text() -> None:
    texts = [document(n, "common " * 400) for n in range(200)]
    query = parse('"common common"')
    assert len(highlight_slice(texts, query).snippets) == 200
    with pytest.raises(QueryTooExpensive):
        highlight_slice([document(1, f"{'other ' * 400_000}common common")], query)


def test_t28_a_match_at_the_beginning_is_shown_without_the_rest() -> None:
    query = parse('"common words" other*')
    early = document(1, "common words " + "others " * 1_400)
    late = document(2, "others " * 1_400 + "common words")
    only_late = parse('"common words"')
    of_early = highlight_slice([early], query).steps
    assert of_early < highlight_slice([late], only_late).steps / 4


class Recording(ShardedIndex):
    """An index that notes how much it is given at a time, and may be too slow."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SMALL)
        self.batches: list[list[str]] = []
        self.slow: set[str] = set()

    @override
    def apply(self, documents: Sequence[Document], *, after: int, upto: int) -> None:
        ids = [one.message for one in documents]
        self.batches.append(ids)
        if self.slow.intersection(ids):
            raise EngineTimeout("too slow")
        super().apply(documents, after=after, upto=upto)


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    index = Recording(tmp_path / "index")
    yield index
    index.abandon()


def _projection(
    engine: Engine, neighbours: NeighbourServices, folder: Path
) -> MessagesProjection:
    clients: Any = neighbours
    return MessagesProjection(engine, clients, clock=lambda: START, folder=folder)


def _dead(folder: Path) -> list[tuple[str, str]]:
    lines = (folder / DEAD_LETTERS).read_text().splitlines()
    return [(note["subject"], note["error"]) for note in map(json.loads, lines)]


def test_a_text_that_expands_too_far_is_a_dead_letter_and_others_go_on(
    recording: Recording, tmp_path: Path
) -> None:
    neighbours = NeighbourServices()
    for number in range(8):
        text = "\ufdfa" * MAX_TEXT if number % 2 else "common"
        neighbours.stores(document(number, text))
    projection = _projection(recording, neighbours, tmp_path)
    projection.apply(projection.fetch(0).changes)
    assert projection.cursor() == 8
    assert search_ids(recording, "common") == ["m6", "m4", "m2", "m0"]
    assert _dead(tmp_path) == [(f"m{n}", "TextTooLarge") for n in (1, 3, 5, 7)]


def test_a_batch_that_is_too_much_work_is_halved(
    recording: Recording, tmp_path: Path
) -> None:
    neighbours = NeighbourServices()
    texts = [document(n, "common " * 400) for n in range(12)]
    for text in texts:
        neighbours.stores(text)
    projection = _projection(recording, neighbours, tmp_path)
    projection.apply(projection.fetch(0).changes)
    assert len(search_ids(recording, "common")) == 12
    assert max(map(len, recording.batches)) == MAX_BATCH_LENGTH // text_length(texts[0])


def test_a_batch_that_takes_too_long_is_halved_until_one_text_is_left(
    recording: Recording, tmp_path: Path
) -> None:
    neighbours = NeighbourServices()
    for number in range(8):
        neighbours.stores(document(number, "common"))
    recording.slow = {"m5"}
    projection = _projection(recording, neighbours, tmp_path)
    for _ in range(2):
        with pytest.raises(EngineTimeout):
            projection.apply(projection.fetch(projection.cursor()).changes)
        assert projection.cursor() == 5
    projection.apply(projection.fetch(projection.cursor()).changes)
    assert projection.cursor() == 8
    assert _dead(tmp_path) == [("m5", "EngineTimeout")]
    assert len(search_ids(recording, "common")) == 7


def test_many_terms_are_flushed_before_they_take_long_to_sort(
    index_harness: IndexHarness,
) -> None:
    policy = replace(SMALL, flush_docs=1_000, flush_terms=500)
    engine = index_harness.open(policy)
    apply_to(engine, [document(1, " ".join(f"w{n}x" for n in range(400)))])
    engine.maintain(START)
    assert index_harness.files("*.trm")


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_the_length_of_a_text_is_that_of_all_it_stands_for(text: str) -> None:
    assert normalized_length(text) >= len(fold(text)) - 1
