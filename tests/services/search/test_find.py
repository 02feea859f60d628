"""Find: the door of search. What is hidden behaves like what is nowhere."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clp_contracts.search import Span
from clp_search.dependencies import Parts
from clp_search.engine import Engine
from clp_search.highlighting import Checked
from clp_search.index.sharded_index import ShardedIndex
from clp_search.query import NOTHING_TO_FIND, parse
from clp_search.use_cases.find import MOST_HITS
from tests.cases.loading import hostile_cases
from tests.services.search.fuzzing import ask_all, fuzzed
from tests.services.search.query_helpers import (
    Neighbours,
    find_as,
    ids_of,
    parts_with,
    refusal_of,
    story,
)
from tests.services.search.scenario import (
    BROADCAST,
    START,
    WITH_NORTH,
    WITH_SOUTH,
    Engines,
    document,
    told,
)
from tests.services.search.texts import pieces, texts

# A short form of `make fuzz-search`.
FUZZED = 3_000


@pytest.mark.parametrize(
    ("actor", "hits"),
    [
        ("ivy", ["m4", "m3", "m2", "m1"]),
        ("nat", ["m2", "m1"]),
        ("sam", ["m3", "m1"]),
    ],
)
def test_a_project_is_searched_in_the_channels_one_may_read(
    parts: Parts, actor: str, hits: list[str]
) -> None:
    found = find_as(parts, actor, "common")
    assert ids_of(found) == hits
    assert (found.total, found.total_is_exact) == (len(hits), True)


def test_a_channel_is_searched_alone(parts: Parts) -> None:
    assert ids_of(find_as(parts, "ivy", "common", channel=WITH_SOUTH)) == ["m3"]
    assert ids_of(find_as(parts, "nat", "common", channel=WITH_NORTH)) == ["m2"]


@pytest.mark.parametrize(
    ("actor", "channel"),
    [
        ("nat", WITH_SOUTH),
        ("nat", "p1/direct/nowhere"),
        ("nat", "p9/broadcast"),
        ("nat", "no channel"),
        ("nat", ""),
        ("wil", BROADCAST),
        ("wil", "p1/direct/west"),
        ("lin", BROADCAST),
        ("lea", WITH_NORTH),
        ("nobody", BROADCAST),
        ("ivy", "p1/direct/nowhere"),
    ],
)
def test_a_hidden_channel_is_refused_like_a_missing_one(
    parts: Parts, neighbours: Neighbours, actor: str, channel: str
) -> None:
    refusal = refusal_of(parts, actor, channel=channel)
    assert (refusal.code, refusal.detail_json) == ("channel.missing", "{}")
    assert len(neighbours.asked) == 1


@pytest.mark.parametrize(
    ("actor", "project"),
    [("wil", "p1"), ("lin", "p1"), ("lea", "p1"), ("nobody", "p1"), ("nat", "p9"),
     ("ivy", "p9"), ("ivy", "no/project"), ("ivy", "")],
)  # fmt: skip
def test_a_hidden_project_is_refused_like_a_missing_one(
    parts: Parts, neighbours: Neighbours, actor: str, project: str
) -> None:
    refusal = refusal_of(parts, actor, project=project)
    assert (refusal.code, refusal.detail_json) == ("project.missing", "{}")
    assert len(neighbours.asked) == 1


@pytest.mark.parametrize(
    "query",
    ["quokka", '"south quokka"', "quok*", "qu*", "from:ivy quokka", "file:quokka",
     "has:attachment", "-common", "on:2026-11-02 south"],
)  # fmt: skip
def test_a_word_of_next_door_is_a_word_of_nowhere(parts: Parts, query: str) -> None:
    next_door = find_as(parts, "nat", query)
    nowhere = find_as(
        parts, "nat", query.replace("quok", "xyxx").replace("south", "xyxy")
    )
    assert next_door == nowhere
    assert ids_of(next_door) == []


def test_a_withdrawn_partner_finds_nothing_at_once(
    parts: Parts, neighbours: Neighbours
) -> None:
    assert ids_of(find_as(parts, "nat", "common"))
    neighbours.project("p1", ["south"], ["west", "north"])
    assert refusal_of(parts, "nat").code == "project.missing"
    assert refusal_of(parts, "nat", channel=WITH_NORTH).code == "channel.missing"
    assert "m2" in ids_of(find_as(parts, "ivy", "common"))


def test_an_index_that_answers_too_much_is_not_believed(
    parts: Parts, engine: Engine
) -> None:
    class Chatty:
        def search(self, wanted: Any) -> Any:
            everywhere = replace(wanted, channels=frozenset({WITH_NORTH, WITH_SOUTH}))
            return engine.search(everywhere)

        def show(self, documents: Any, query: Any) -> Any:
            assert [d.channel for d in documents] == [WITH_NORTH]
            return engine.show(documents, query)

    chatty: Any = Chatty()
    assert ids_of(find_as(replace(parts, engine=chatty), "nat", "common")) == ["m2"]


@pytest.mark.parametrize(
    "ask",
    [
        {"channel": BROADCAST, "project": "p1"},
        {"channel": None, "project": None},
        {"project": "p1", "limit": 0},
        {"project": "p1", "limit": -1},
    ],
)
def test_exactly_one_scope_and_a_page_of_some_size_are_asked_for(
    parts: Parts, ask: dict[str, Any]
) -> None:
    assert refusal_of(parts, "ivy", **ask).code == "ask.malformed"


def test_a_page_is_never_longer_than_the_longest(parts: Parts, engine: Engine) -> None:
    told(engine, [document(n, "many") for n in range(100, 180)])
    found = find_as(parts, "ivy", "many", limit=1_000_000_000)
    assert len(found.hits) == MOST_HITS
    assert found.total == 80


def test_nothing_to_find_is_an_empty_answer_with_a_note(parts: Parts) -> None:
    found = find_as(parts, "ivy", "???")
    assert (found.hits, found.total, found.notes) == ((), 0, (NOTHING_TO_FIND,))


def test_a_hit_says_what_was_found_where(parts: Parts) -> None:
    (hit,) = find_as(parts, "sam", "quokka").hits
    assert (hit.channel, hit.number, hit.author) == (WITH_SOUTH, 3, "ivy")
    assert hit.posted_at == START + timedelta(minutes=3)
    assert hit.snippet.text == "common south quokka"
    assert hit.snippet.highlights == (Span(start=13, end=19),)
    (name,) = hit.attachments
    assert (name.text, name.highlights) == ("quokka.pdf", (Span(start=0, end=6),))


@pytest.mark.parametrize("case", hostile_cases("search"), ids=lambda case: case.id)
def test_a_hostile_query_does_no_harm(parts: Parts, engine: Engine, case: Any) -> None:
    told(
        engine,
        [
            document(10, "the launch date a mission"),
            document(
                11, "résumé 字幕の納品 مشروع 🚀 <script>alert</script> <b class=match>"
            ),
            document(12, "zyzzyvo launch", channel=WITH_SOUTH),
        ],
    )
    ask: dict[str, Any] = {"limit": case.facts.get("page_size", 20)}
    if "page_offset" in case.facts:
        ask = {"limit": case.facts["page_offset"]}
    if "op" in case.facts:
        ask["cursor"] = find_as(parts, "ivy", case.value, limit=1).cursor
    refused = {
        "search-016": "query.too_long",
        "search-025": "text.malformed",
        "search-041": "ask.malformed",
        "search-043": "cursor.malformed",
    }
    if case.id in refused:
        assert refusal_of(parts, "nat", case.value, **ask).code == refused[case.id]
        return
    found = find_as(parts, "nat", case.value, **ask)
    assert all(hit.channel in {BROADCAST, WITH_NORTH} for hit in found.hits)
    finds = {
        "search-001": ["m10"],
        "search-027": ["m11"],
        "search-030": ["m11"],
        "search-031": ["m11"],
        "search-032": ["m11"],
        "search-033": ["m10"],
        "search-034": ["m10"],
        "search-035": ["m11"],
        "search-036": ["m11"],
        "search-038": [],
        "search-009": [],
        "search-012": [],
    }
    if case.id in finds:
        assert ids_of(found) == finds[case.id]


people = st.sampled_from(["ivy", "nat", "sam", "wil", "lin", "lea", "nobody"])
posts = st.lists(
    st.tuples(
        texts,
        st.sampled_from(["broadcast", "direct/north", "direct/south", "direct/west"]),
    ),
    max_size=14,
)
READABLE = {
    # who may read what, written out: another way of saying the table of the rules
    "ivy": {"broadcast", "direct/north", "direct/south", "direct/west"},
    "nat": {"broadcast", "direct/north"},
    "sam": {"broadcast", "direct/south"},
}


@pytest.mark.property
@settings(max_examples=60)
@given(posts, st.lists(pieces, min_size=4, max_size=8), people, st.randoms())
def test_what_one_may_not_read_changes_nothing_that_one_sees(
    engines: Engines,
    happened: list[tuple[str, str]],
    asked: list[str],
    actor: str,
    chance: random.Random,
) -> None:
    documents = [
        document(n, text, channel=f"p1/{place}")
        for n, (text, place) in enumerate(happened)
    ]
    readable = [d for d in documents if d.channel[3:] in READABLE.get(actor, ())]
    with engines() as engine, engines() as without:
        told(engine, documents)
        told(without, readable)
        for one in (engine, without):
            if chance.random() < 0.5:
                one.checkpoint()
        worlds = (parts_with(engine, story()), parts_with(without, story()))
        for query in asked:
            if not query.strip():
                continue
            if actor not in READABLE:
                assert refusal_of(worlds[0], actor, query).code == "project.missing"
                continue
            seen, alone = (find_as(world, actor, query, limit=3) for world in worlds)
            assert seen == alone
            parsed = parse(query)
            expected = [
                d.message for d in reversed(readable) if Checked(d).answers(parsed)
            ]
            assert ids_of(seen) == expected[:3]
            assert seen.total == len(expected)


def test_fuzzed_queries_are_all_answered(parts: Parts, engine: Engine) -> None:
    engine.checkpoint()
    many = FUZZED if isinstance(engine, ShardedIndex) else FUZZED // 10
    outcome = ask_all(parts, fuzzed(random.Random(20261102)), many)
    assert outcome.failures == ()
    assert outcome.refused < many / 2
