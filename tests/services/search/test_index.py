"""The index: what was told is found at once, and still after whatever happens."""

import random
from datetime import timedelta

import pytest

from clp_search.engine import MOST_COUNTED, Engine
from clp_search.index.sharded_index import IndexBusy, Limits, ShardedIndex, building
from clp_search.result_pages import MOST_CHARACTERS_CHECKED, MOST_CHECKED
from tests.services.search.scenario import (
    BROADCAST,
    START,
    WITH_NORTH,
    WITH_SOUTH,
    Workbench,
    deleted,
    document,
    edited,
    found,
    told,
    wanted,
)


def test_a_message_is_found_at_once_and_after_it_was_written(
    engine: Engine,
) -> None:
    told(engine, [document(1, "final mix")])
    assert found(engine, "mix") == ["m1"]
    engine.checkpoint()
    assert found(engine, "mix") == ["m1"]


def test_the_newest_comes_first_whatever_is_on_disk(engine: Engine) -> None:
    for number in (3, 1, 5):
        told(engine, [document(number, "mix")])
        engine.checkpoint()
    told(engine, [document(number, "mix") for number in (2, 4)])
    assert found(engine, "mix") == ["m5", "m4", "m3", "m2", "m1"]


def test_messages_of_one_moment_have_an_order_too(engine: Engine) -> None:
    same = [document(n, "mix", posted_at=START) for n in range(9)]
    told(engine, same[:5])
    engine.checkpoint()
    told(engine, same[5:])
    assert found(engine, "mix") == [f"m{n}" for n in reversed(range(9))]


@pytest.mark.parametrize("flushed", [False, True], ids=["in memory", "on disk"])
def test_an_edit_is_found_by_its_new_words_only(
    engine: Engine, *, flushed: bool
) -> None:
    old = document(1, "final mix")
    told(engine, [old, document(2, "other")])
    if flushed:
        engine.checkpoint()
    told(engine, [edited(old, "final cut")])
    for _ in range(2):
        assert found(engine, "mix") == []
        assert found(engine, "cut") == found(engine, "final") == ["m1"]
        engine.checkpoint()
    assert engine.size().documents == 2


@pytest.mark.parametrize("flushed", [False, True], ids=["in memory", "on disk"])
def test_a_deleted_message_is_never_found(engine: Engine, *, flushed: bool) -> None:
    old = document(1, "final mix", attachments=("mix.wav",))
    told(engine, [old])
    if flushed:
        engine.checkpoint()
    told(engine, [deleted(old)])
    for _ in range(2):
        for query in ("mix", "from:ivy", "has:file", "-nothing", "on:2026", "wav"):
            assert found(engine, query) == []
        assert engine.size().documents == 0
        engine.checkpoint()


@pytest.mark.parametrize("flushed", [False, True], ids=["in memory", "on disk"])
def test_an_older_revision_changes_nothing(engine: Engine, *, flushed: bool) -> None:
    old = document(1, "final mix")
    new = edited(old, "final cut")
    gone = deleted(new)
    told(engine, [new])
    if flushed:
        engine.checkpoint()
    told(engine, [old, new, old])
    assert (found(engine, "mix"), found(engine, "cut")) == ([], ["m1"])
    told(engine, [gone])
    if flushed:
        engine.checkpoint()
    told(engine, [old, new])
    assert found(engine, "final") == []


def test_positions_that_would_leave_a_gap_are_not_taken(engine: Engine) -> None:
    told(engine, [document(1, "first")])
    engine.apply([document(9, "later")], after=5, upto=6)
    engine.apply([document(9, "earlier")], after=0, upto=1)
    assert engine.cursor() == 1
    assert found(engine, "later") == found(engine, "earlier") == []


def test_each_search_looks_only_where_it_may(engine: Engine) -> None:
    for number, channel in enumerate((BROADCAST, WITH_NORTH, WITH_SOUTH)):
        told(engine, [document(number, "mix", channel=channel)])
    told(engine, [document(7, "mix", channel="p2/broadcast")])
    for _ in range(2):
        assert found(engine, "mix", [WITH_NORTH]) == ["m1"]
        assert found(engine, "mix", [BROADCAST, WITH_NORTH]) == ["m1", "m0"]
        assert found(engine, "mix", ["p2/broadcast"]) == ["m7"]
        engine.checkpoint()


def test_many_channels_are_as_exact_as_few(engine: Engine) -> None:
    channels = [f"p1/direct/partner{n}" for n in range(9)]
    told(engine, [document(n, "mix", channel=c) for n, c in enumerate(channels)])
    told(engine, [document(99, "mix", channel=WITH_NORTH)])
    for _ in range(2):
        assert found(engine, "mix", channels[:8]) == [f"m{n}" for n in range(7, -1, -1)]
        engine.checkpoint()


def test_an_edit_keeps_its_place_in_time(engine: Engine) -> None:
    messages = [document(n, "mix") for n in range(10)]
    told(engine, messages)
    engine.checkpoint()
    told(engine, [edited(messages[3], "mix again")])
    engine.checkpoint()
    assert found(engine, "mix") == [f"m{n}" for n in reversed(range(10))]
    assert found(engine, "mix on:2026-11-02") == found(engine, "mix")


def test_totals_are_exact_up_to_a_hundred(engine: Engine) -> None:
    told(engine, [document(n, "mix 東京都") for n in range(MOST_COUNTED)])
    for query in ("mix", "東京都"):
        page = engine.search(wanted(query, limit=5))
        assert (page.total, page.total_is_exact) == (100, True)
    told(engine, [document(1000, "mix 東京都")])
    engine.checkpoint()
    for query in ("mix", "東京都"):
        first = engine.search(wanted(query, limit=5))
        second = engine.search(wanted(query, limit=5, after=first.next))
        for page in (first, second):
            assert (page.total, page.total_is_exact) == (100, False)


def test_the_total_is_the_same_on_every_page(engine: Engine) -> None:
    told(engine, [document(n, f"mix 東京{'都' * (n % 2)}") for n in range(40)])
    engine.checkpoint()
    for query, total in (("mix", 40), ("東京都", 20)):
        after = None
        while True:
            page = engine.search(wanted(query, limit=7, after=after))
            assert (page.total, page.total_is_exact) == (total, True)
            if (after := page.next) is None:
                break


def test_pages_are_stable_under_new_posts(engine: Engine) -> None:
    told(engine, [document(n, "mix") for n in range(10)])
    first = engine.search(wanted("mix", limit=4))
    told(engine, [document(n, "mix") for n in range(10, 20)])
    engine.checkpoint()
    second = engine.search(wanted("mix", limit=4, after=first.next))
    assert [hit.number for hit in first.documents + second.documents] == [
        *range(9, 1, -1)
    ]


def test_a_page_that_had_too_much_to_look_at_says_where_to_go_on(
    engine: Engine,
) -> None:
    lookalikes = [document(n, "東京の京都") for n in range(MOST_CHECKED + 50)]
    told(
        engine, [document(2000, "東京都", posted_at=START - timedelta(1)), *lookalikes]
    )
    engine.checkpoint()
    page = engine.search(wanted("東京都"))
    assert page.documents == ()
    assert not page.total_is_exact
    assert page.next is not None
    assert found(engine, "東京都") == ["m2000"]


@pytest.mark.parametrize(
    ("text", "query", "fits"),
    [("東京の京都", "東京都", "no"), ("mix of final", '"final mix"', "yes")],
)
def test_a_page_looks_at_fewer_texts_whose_signs_are_read_one_by_one(
    engine: Engine, text: str, query: str, fits: str
) -> None:
    long = text * (MOST_CHARACTERS_CHECKED // 100 // len(text))
    told(engine, [document(n, long) for n in range(80)])
    page = engine.search(wanted(query))
    assert page.documents == ()
    assert page.total_is_exact is (fits == "yes")


def test_segments_stay_few_and_every_message_stays_one(
    workbench: Workbench,
) -> None:
    engine = workbench.open()
    for number in range(120):
        told(engine, [document(number, f"mix w{number}")])
        engine.tidy(START + timedelta(minutes=number))
    assert engine.size().documents == 120
    assert len(found(engine, "mix")) == 120
    assert found(engine, "w77") == ["m77"]
    assert len(workbench.files("*.trm")) <= 20


def test_a_program_that_seeds_its_random_numbers_loses_nothing(
    workbench: Workbench,
) -> None:
    engine = workbench.open()
    for number in range(8):
        random.seed(7)
        told(engine, [document(number, "reel")])
        engine.checkpoint()
    assert len(found(engine, "reel")) == 8


def test_a_reopened_index_goes_on_from_its_cursor(workbench: Workbench) -> None:
    engine = workbench.open()
    told(engine, [document(n, "mix") for n in range(10)])
    engine.checkpoint()
    told(engine, [document(n, "late") for n in range(10, 13)])
    engine = workbench.open()
    assert engine.cursor() == 10
    assert len(found(engine, "mix")) == 10
    assert found(engine, "late") == []
    told(engine, [document(n, "late") for n in range(10, 13)])
    assert len(found(engine, "late")) == 3


def test_what_waits_is_written_after_a_while(workbench: Workbench) -> None:
    engine = workbench.open(Limits(shards=2, flush_after=timedelta(seconds=5)))
    told(engine, [document(1, "mix")])
    engine.tidy(START)
    engine.tidy(START + timedelta(seconds=4))
    assert workbench.open(Limits(shards=2)).cursor() == 0
    engine = workbench.open(Limits(shards=2, flush_after=timedelta(seconds=5)))
    told(engine, [document(1, "mix")])
    engine.tidy(START)
    engine.tidy(START + timedelta(seconds=5))
    assert workbench.open(Limits(shards=2)).cursor() == 1


def test_an_index_in_the_making_is_written_at_once(workbench: Workbench) -> None:
    engine = workbench.open(building(2))
    for _ in range(30):
        told(engine, [document(n, "mix") for n in range(100)])
        engine.tidy(START)
    assert workbench.files("*.pst") == []
    engine.checkpoint()
    assert len(workbench.files("*.pst")) == 1
    assert workbench.open().cursor() == 3_000


def test_two_processes_never_share_an_index(workbench: Workbench) -> None:
    workbench.open()
    with pytest.raises(IndexBusy):
        ShardedIndex(workbench.folder)
