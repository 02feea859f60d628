"""The index: applied documents are searchable at once, and stay so after a restart."""

import random
from datetime import timedelta

import pytest

from clp_search.engine import MAX_COUNTED, Engine
from clp_search.index.sharded_index import (
    FlushPolicy,
    IndexBusy,
    ShardedIndex,
    bulk_policy,
)
from clp_search.result_pages import MAX_STEPS, MAX_VERIFIED
from tests.services.search.scenario import (
    BROADCAST,
    START,
    WITH_NORTH,
    WITH_SOUTH,
    IndexHarness,
    apply_to,
    deleted,
    document,
    edited,
    request_for,
    search_ids,
)


def test_a_message_is_searchable_at_once_and_after_a_flush(
    engine: Engine,
) -> None:
    apply_to(engine, [document(1, "final mix")])
    assert search_ids(engine, "mix") == ["m1"]
    engine.checkpoint()
    assert search_ids(engine, "mix") == ["m1"]


def test_the_newest_comes_first_whatever_is_on_disk(engine: Engine) -> None:
    for number in (3, 1, 5):
        apply_to(engine, [document(number, "mix")])
        engine.checkpoint()
    apply_to(engine, [document(number, "mix") for number in (2, 4)])
    assert search_ids(engine, "mix") == ["m5", "m4", "m3", "m2", "m1"]


def test_messages_of_one_moment_have_an_order_too(engine: Engine) -> None:
    same = [document(n, "mix", posted_at=START) for n in range(9)]
    apply_to(engine, same[:5])
    engine.checkpoint()
    apply_to(engine, same[5:])
    assert search_ids(engine, "mix") == [f"m{n}" for n in reversed(range(9))]


@pytest.mark.parametrize("flushed", [False, True], ids=["in memory", "on disk"])
def test_an_edit_matches_its_new_words_only(engine: Engine, *, flushed: bool) -> None:
    old = document(1, "final mix")
    apply_to(engine, [old, document(2, "other")])
    if flushed:
        engine.checkpoint()
    apply_to(engine, [edited(old, "final cut")])
    for _ in range(2):
        assert search_ids(engine, "mix") == []
        assert search_ids(engine, "cut") == search_ids(engine, "final") == ["m1"]
        engine.checkpoint()
    assert engine.size().documents == 2


@pytest.mark.parametrize("flushed", [False, True], ids=["in memory", "on disk"])
def test_a_deleted_message_is_never_found(engine: Engine, *, flushed: bool) -> None:
    old = document(1, "final mix", attachments=("mix.wav",))
    apply_to(engine, [old])
    if flushed:
        engine.checkpoint()
    apply_to(engine, [deleted(old)])
    for _ in range(2):
        for query in ("mix", "from:ivy", "has:file", "-nothing", "on:2026", "wav"):
            assert search_ids(engine, query) == []
        assert engine.size().documents == 0
        engine.checkpoint()


@pytest.mark.parametrize("flushed", [False, True], ids=["in memory", "on disk"])
def test_an_older_revision_changes_nothing(engine: Engine, *, flushed: bool) -> None:
    old = document(1, "final mix")
    new = edited(old, "final cut")
    gone = deleted(new)
    apply_to(engine, [new])
    if flushed:
        engine.checkpoint()
    apply_to(engine, [old, new, old])
    assert (search_ids(engine, "mix"), search_ids(engine, "cut")) == ([], ["m1"])
    apply_to(engine, [gone])
    if flushed:
        engine.checkpoint()
    apply_to(engine, [old, new])
    assert search_ids(engine, "final") == []


def test_positions_that_would_leave_a_gap_are_not_applied(engine: Engine) -> None:
    apply_to(engine, [document(1, "first")])
    engine.apply([document(9, "later")], after=5, upto=6)
    engine.apply([document(9, "earlier")], after=0, upto=1)
    assert engine.cursor() == 1
    assert search_ids(engine, "later") == search_ids(engine, "earlier") == []


def test_each_search_covers_only_its_channels(engine: Engine) -> None:
    for number, channel in enumerate((BROADCAST, WITH_NORTH, WITH_SOUTH)):
        apply_to(engine, [document(number, "mix", channel=channel)])
    apply_to(engine, [document(7, "mix", channel="p2/broadcast")])
    for _ in range(2):
        assert search_ids(engine, "mix", [WITH_NORTH]) == ["m1"]
        assert search_ids(engine, "mix", [BROADCAST, WITH_NORTH]) == ["m1", "m0"]
        assert search_ids(engine, "mix", ["p2/broadcast"]) == ["m7"]
        engine.checkpoint()


def test_many_channels_are_as_exact_as_few(engine: Engine) -> None:
    channels = [f"p1/direct/partner{n}" for n in range(9)]
    apply_to(engine, [document(n, "mix", channel=c) for n, c in enumerate(channels)])
    apply_to(engine, [document(99, "mix", channel=WITH_NORTH)])
    for _ in range(2):
        assert search_ids(engine, "mix", channels[:8]) == [
            f"m{n}" for n in range(7, -1, -1)
        ]
        engine.checkpoint()


def test_an_edit_keeps_its_place_in_time(engine: Engine) -> None:
    messages = [document(n, "mix") for n in range(10)]
    apply_to(engine, messages)
    engine.checkpoint()
    apply_to(engine, [edited(messages[3], "mix again")])
    engine.checkpoint()
    assert search_ids(engine, "mix") == [f"m{n}" for n in reversed(range(10))]
    assert search_ids(engine, "mix on:2026-11-02") == search_ids(engine, "mix")


def test_totals_are_exact_up_to_a_hundred(engine: Engine) -> None:
    apply_to(engine, [document(n, "mix 東京都") for n in range(MAX_COUNTED)])
    for query in ("mix", "東京都"):
        page = engine.search(request_for(query, limit=5))
        assert (page.total, page.total_is_exact) == (100, True)
    apply_to(engine, [document(1000, "mix 東京都")])
    engine.checkpoint()
    for query in ("mix", "東京都"):
        first = engine.search(request_for(query, limit=5))
        second = engine.search(request_for(query, limit=5, after=first.next))
        for page in (first, second):
            assert (page.total, page.total_is_exact) == (100, False)


def test_the_total_is_the_same_on_every_page(engine: Engine) -> None:
    apply_to(engine, [document(n, f"mix 東京{'都' * (n % 2)}") for n in range(40)])
    engine.checkpoint()
    for query, total in (("mix", 40), ("東京都", 20)):
        after = None
        while True:
            page = engine.search(request_for(query, limit=7, after=after))
            assert (page.total, page.total_is_exact) == (total, True)
            if (after := page.next) is None:
                break


def test_pages_are_stable_under_new_posts(engine: Engine) -> None:
    apply_to(engine, [document(n, "mix") for n in range(10)])
    first = engine.search(request_for("mix", limit=4))
    apply_to(engine, [document(n, "mix") for n in range(10, 20)])
    engine.checkpoint()
    second = engine.search(request_for("mix", limit=4, after=first.next))
    assert [hit.number for hit in first.documents + second.documents] == [
        *range(9, 1, -1)
    ]


def test_a_page_that_spent_its_budget_has_a_cursor(
    engine: Engine,
) -> None:
    lookalikes = [document(n, "東京の京都") for n in range(MAX_VERIFIED + 50)]
    apply_to(
        engine, [document(2000, "東京都", posted_at=START - timedelta(1)), *lookalikes]
    )
    engine.checkpoint()
    page = engine.search(request_for("東京都"))
    assert page.documents == ()
    assert not page.total_is_exact
    assert page.next is not None
    assert search_ids(engine, "東京都") == ["m2000"]


@pytest.mark.parametrize(
    ("text", "query", "fits"),
    [("東京の京都", '"京 東"', "no"), ("mix of final", '"final mix"', "yes")],
)
def test_texts_without_spaces_cost_more_of_the_budget(
    engine: Engine, text: str, query: str, fits: str
) -> None:
    long = text * (MAX_STEPS // 200 // len(text))
    apply_to(engine, [document(n, long) for n in range(80)])
    page = engine.search(request_for(query))
    assert page.documents == ()
    assert page.total_is_exact is (fits == "yes")


def test_segments_stay_few_and_every_message_stays_one(
    index_harness: IndexHarness,
) -> None:
    engine = index_harness.open()
    for number in range(120):
        apply_to(engine, [document(number, f"mix w{number}")])
        engine.maintain(START + timedelta(minutes=number))
    assert engine.size().documents == 120
    assert len(search_ids(engine, "mix")) == 120
    assert search_ids(engine, "w77") == ["m77"]
    assert len(index_harness.files("*.trm")) <= 20


def test_a_program_that_seeds_its_random_numbers_loses_nothing(
    index_harness: IndexHarness,
) -> None:
    engine = index_harness.open()
    for number in range(8):
        random.seed(7)
        apply_to(engine, [document(number, "reel")])
        engine.checkpoint()
    assert len(search_ids(engine, "reel")) == 8


def test_a_reopened_index_continues_from_its_cursor(
    index_harness: IndexHarness,
) -> None:
    engine = index_harness.open()
    apply_to(engine, [document(n, "mix") for n in range(10)])
    engine.checkpoint()
    apply_to(engine, [document(n, "late") for n in range(10, 13)])
    engine = index_harness.open()
    assert engine.cursor() == 10
    assert len(search_ids(engine, "mix")) == 10
    assert search_ids(engine, "late") == []
    apply_to(engine, [document(n, "late") for n in range(10, 13)])
    assert len(search_ids(engine, "late")) == 3


def test_the_buffer_is_flushed_after_a_while(index_harness: IndexHarness) -> None:
    engine = index_harness.open(FlushPolicy(shards=2, flush_after=timedelta(seconds=5)))
    apply_to(engine, [document(1, "mix")])
    engine.maintain(START)
    engine.maintain(START + timedelta(seconds=4))
    assert index_harness.open(FlushPolicy(shards=2)).cursor() == 0
    engine = index_harness.open(FlushPolicy(shards=2, flush_after=timedelta(seconds=5)))
    apply_to(engine, [document(1, "mix")])
    engine.maintain(START)
    engine.maintain(START + timedelta(seconds=5))
    assert index_harness.open(FlushPolicy(shards=2)).cursor() == 1


def test_an_index_being_built_is_flushed_in_bulk(index_harness: IndexHarness) -> None:
    engine = index_harness.open(bulk_policy(2))
    for _ in range(30):
        apply_to(engine, [document(n, "mix") for n in range(100)])
        engine.maintain(START)
    assert index_harness.files("*.pst") == []
    engine.checkpoint()
    assert len(index_harness.files("*.pst")) == 1
    assert index_harness.open().cursor() == 3_000


def test_two_processes_never_share_an_index(index_harness: IndexHarness) -> None:
    index_harness.open()
    with pytest.raises(IndexBusy):
        ShardedIndex(index_harness.folder)
