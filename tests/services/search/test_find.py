"""The use case `find`: what is hidden behaves like what does not exist."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clp_contracts.search import Span
from clp_search.dependencies import Dependencies
from clp_search.engine import Engine
from clp_search.highlighting import VerifiedHit
from clp_search.index.sharded_index import ShardedIndex
from clp_search.query import NOTHING_TO_FIND, parse
from clp_search.use_cases.find import MAX_HITS
from tests.cases.loading import hostile_cases
from tests.services.search.fuzzing import fuzzed, run_all
from tests.services.search.query_helpers import (
    NeighbourServices,
    dependencies_with,
    find_as,
    ids_of,
    refusal_of,
    sample_neighbours,
)
from tests.services.search.scenario import (
    BROADCAST,
    START,
    WITH_NORTH,
    WITH_SOUTH,
    Engines,
    apply_to,
    deleted,
    document,
    edited,
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
    deps: Dependencies, actor: str, hits: list[str]
) -> None:
    search_ids = find_as(deps, actor, "common")
    assert ids_of(search_ids) == hits
    assert (search_ids.total, search_ids.total_is_exact) == (len(hits), True)


def test_a_channel_is_searched_alone(deps: Dependencies) -> None:
    assert ids_of(find_as(deps, "ivy", "common", channel=WITH_SOUTH)) == ["m3"]
    assert ids_of(find_as(deps, "nat", "common", channel=WITH_NORTH)) == ["m2"]


@pytest.mark.parametrize(
    ("actor", "channel"),
    [
        ("nat", WITH_SOUTH),
        ("nat", "p1/direct/absent"),
        ("nat", "p9/broadcast"),
        ("nat", "no channel"),
        ("nat", ""),
        ("wil", BROADCAST),
        ("wil", "p1/direct/west"),
        ("lin", BROADCAST),
        ("lea", WITH_NORTH),
        ("nobody", BROADCAST),
        ("ivy", "p1/direct/absent"),
    ],
)
def test_a_hidden_channel_is_refused_like_a_missing_one(
    deps: Dependencies, neighbours: NeighbourServices, actor: str, channel: str
) -> None:
    refusal = refusal_of(deps, actor, channel=channel)
    assert (refusal.code, refusal.detail_json) == ("channel.missing", "{}")
    assert len(neighbours.calls) == 1


@pytest.mark.parametrize(
    ("actor", "project"),
    [("wil", "p1"), ("lin", "p1"), ("lea", "p1"), ("nobody", "p1"), ("nat", "p9"),
     ("ivy", "p9"), ("ivy", "no/project"), ("ivy", "")],
)  # fmt: skip
def test_a_hidden_project_is_refused_like_a_missing_one(
    deps: Dependencies, neighbours: NeighbourServices, actor: str, project: str
) -> None:
    refusal = refusal_of(deps, actor, project=project)
    assert (refusal.code, refusal.detail_json) == ("project.missing", "{}")
    assert len(neighbours.calls) == 1


@pytest.mark.parametrize(
    "query",
    ["quokka", '"south quokka"', "quok*", "qu*", "from:ivy quokka", "file:quokka",
     "has:attachment", "-common", "on:2026-11-02 south"],
)  # fmt: skip
def test_a_word_of_a_hidden_channel_behaves_like_no_word(
    deps: Dependencies, query: str
) -> None:
    hidden = find_as(deps, "nat", query)
    absent = find_as(
        deps, "nat", query.replace("quok", "xyxx").replace("south", "xyxy")
    )
    assert hidden == absent
    assert ids_of(hidden) == []


def test_a_withdrawn_partner_finds_nothing_at_once(
    deps: Dependencies, neighbours: NeighbourServices
) -> None:
    assert ids_of(find_as(deps, "nat", "common"))
    neighbours.project("p1", ["south"], ["west", "north"])
    assert refusal_of(deps, "nat").code == "project.missing"
    assert refusal_of(deps, "nat", channel=WITH_NORTH).code == "channel.missing"
    assert "m2" in ids_of(find_as(deps, "ivy", "common"))


def test_hits_outside_the_readable_channels_are_dropped(
    deps: Dependencies, engine: Engine
) -> None:
    class Chatty:
        def search(self, request_for: Any, _slots: Any) -> Any:
            everywhere = replace(
                request_for, channels=frozenset({WITH_NORTH, WITH_SOUTH})
            )
            return engine.search(everywhere)

        def highlight(self, documents: Any, query: Any, _slots: Any) -> Any:
            assert [d.channel for d in documents] == [WITH_NORTH]
            return engine.highlight(documents, query)

    chatty: Any = Chatty()
    assert ids_of(find_as(replace(deps, engine=chatty), "nat", "common")) == ["m2"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"channel": BROADCAST, "project": "p1"},
        {"channel": None, "project": None},
        {"project": "p1", "limit": 0},
        {"project": "p1", "limit": -1},
    ],
)
def test_a_request_names_exactly_one_scope_and_a_page_size(
    deps: Dependencies, arguments: dict[str, Any]
) -> None:
    assert refusal_of(deps, "ivy", **arguments).code == "request.malformed"


def test_a_page_is_never_longer_than_the_longest(
    deps: Dependencies, engine: Engine
) -> None:
    apply_to(engine, [document(n, "many") for n in range(100, 180)])
    search_ids = find_as(deps, "ivy", "many", limit=1_000_000_000)
    assert len(search_ids.hits) == MAX_HITS
    assert search_ids.total == 80


def test_a_query_without_keywords_has_an_empty_response_with_a_note(
    deps: Dependencies,
) -> None:
    search_ids = find_as(deps, "ivy", "???")
    assert (search_ids.hits, search_ids.total, search_ids.notes) == (
        (),
        0,
        (NOTHING_TO_FIND,),
    )


def test_a_hit_holds_the_match_and_its_place(deps: Dependencies) -> None:
    (hit,) = find_as(deps, "sam", "quokka").hits
    assert (hit.channel, hit.number) == (WITH_SOUTH, 3)
    assert (hit.author, hit.author_name) == ("ivy", "Ivy Lane")
    assert hit.posted_at == START + timedelta(minutes=3)
    assert hit.snippet.text == "common south quokka"
    assert hit.snippet.highlights == (Span(start=13, end=19),)
    (name,) = hit.attachments
    assert (name.text, name.highlights) == ("quokka.pdf", (Span(start=0, end=6),))


def test_a_deleted_text_is_not_found_while_the_index_is_behind(
    deps: Dependencies, engine: Engine, neighbours: NeighbourServices
) -> None:
    old = document(8, "common vanishing")
    apply_to(engine, [old])
    assert ids_of(find_as(deps, "ivy", "vanishing")) == ["m8"]
    neighbours.stores(deleted(old))
    page = find_as(deps, "ivy", "vanishing")
    assert (page.hits, page.total) == ((), 0)


def test_an_edited_text_is_found_by_its_new_words_only_while_the_index_is_behind(
    deps: Dependencies, engine: Engine, neighbours: NeighbourServices
) -> None:
    old = document(8, "common vanishing")
    apply_to(engine, [old])
    neighbours.stores(edited(old, "common staying"))
    assert ids_of(find_as(deps, "ivy", "vanishing")) == []
    hits = find_as(deps, "ivy", "common").hits
    assert hits[0].message == "m8"
    assert hits[0].snippet.text == "common staying"


def test_a_message_that_moved_out_of_reach_is_not_found(
    deps: Dependencies, engine: Engine, neighbours: NeighbourServices
) -> None:
    old = document(8, "common vanishing")
    apply_to(engine, [old])
    neighbours.stores(replace(old, channel=WITH_SOUTH))
    assert ids_of(find_as(deps, "nat", "vanishing")) == []


def test_a_day_is_a_day_of_the_actors_time_zone(
    deps: Dependencies, engine: Engine, neighbours: NeighbourServices
) -> None:
    evening = datetime(2026, 11, 28, 16, tzinfo=UTC)
    apply_to(engine, [document(8, "late", posted_at=evening)])
    assert ids_of(find_as(deps, "ivy", "late on:2026-11-28")) == ["m8"]
    neighbours.person("ivy", time_zone="Asia/Tokyo")
    assert ids_of(find_as(deps, "ivy", "late on:2026-11-28")) == []
    assert ids_of(find_as(deps, "ivy", "late on:2026-11-29")) == ["m8"]
    assert ids_of(find_as(deps, "ivy", "late after:2026-11-28")) == ["m8"]
    neighbours.person("ivy", time_zone="Nowhere/Atlantis")
    assert ids_of(find_as(deps, "ivy", "late on:2026-11-28")) == ["m8"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("from:nat", True),
        ("from:nat@studio.example", True),
        ("from:NAT@Studio.Example", True),
        ('from:"Nadine Moreau"', True),
        ("from:nadine", True),
        ('from:"Nat Moreau"', True),
        ("from:natalie", False),
        ("from:sam", False),
        ("zyzzyva -from:nadine", False),
        ("zyzzyva -from:sam", True),
    ],
)
def test_an_author_is_found_by_address_and_by_present_name(
    deps: Dependencies, neighbours: NeighbourServices, query: str, *, found: bool
) -> None:
    neighbours.person("nat", "north", name="Nadine Moreau")
    assert ("m2" in ids_of(find_as(deps, "ivy", query))) is found
    assert ("m2" in ids_of(find_as(deps, "nat", query))) is found


def test_an_author_is_looked_up_among_those_in_reach(
    deps: Dependencies, neighbours: NeighbourServices
) -> None:
    find_as(deps, "nat", "from:sam")
    find_as(deps, "ivy", "from:sam")
    looked_up = [given for what, given in neighbours.calls if what == "suggest_people"]
    assert looked_up == [("sam", "north"), ("sam", None)]


@pytest.mark.parametrize("case", hostile_cases("search"), ids=lambda case: case.id)
def test_a_hostile_query_does_no_harm(
    deps: Dependencies, engine: Engine, case: Any
) -> None:
    apply_to(
        engine,
        [
            document(10, "the launch date a mission"),
            document(
                11, "résumé 字幕の納品 مشروع 🚀 <script>alert</script> <b class=match>"
            ),
            document(12, "zyzzyvo launch", channel=WITH_SOUTH),
        ],
    )
    arguments: dict[str, Any] = {"limit": case.facts.get("page_size", 20)}
    if "page_offset" in case.facts:
        arguments = {"limit": case.facts["page_offset"]}
    if "op" in case.facts:
        arguments["cursor"] = find_as(deps, "ivy", case.value, limit=1).cursor
    refused = {
        "search-016": "query.too_long",
        "search-025": "text.malformed",
        "search-041": "request.malformed",
        "search-043": "cursor.malformed",
    }
    if case.id in refused:
        assert refusal_of(deps, "nat", case.value, **arguments).code == refused[case.id]
        return
    search_ids = find_as(deps, "nat", case.value, **arguments)
    assert all(hit.channel in {BROADCAST, WITH_NORTH} for hit in search_ids.hits)
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
        assert ids_of(search_ids) == finds[case.id]


people = st.sampled_from(["ivy", "nat", "sam", "wil", "lin", "lea", "nobody"])
posts = st.lists(
    st.tuples(
        texts,
        st.sampled_from(["broadcast", "direct/north", "direct/south", "direct/west"]),
    ),
    max_size=14,
)
READABLE = {
    # Who may read what, written out: independent of the table of the rules.
    "ivy": {"broadcast", "direct/north", "direct/south", "direct/west"},
    "nat": {"broadcast", "direct/north"},
    "sam": {"broadcast", "direct/south"},
}


@pytest.mark.property
@settings(max_examples=60)
@given(posts, st.lists(pieces, min_size=4, max_size=8), people, st.randoms())
def test_hidden_messages_change_nothing_in_a_response(
    engines: Engines,
    happened: list[tuple[str, str]],
    queries: list[str],
    actor: str,
    chance: random.Random,
) -> None:
    documents = [
        document(n, text, channel=f"p1/{place}")
        for n, (text, place) in enumerate(happened)
    ]
    readable = [d for d in documents if d.channel[3:] in READABLE.get(actor, ())]
    with engines() as engine, engines() as without:
        apply_to(engine, documents)
        apply_to(without, readable)
        for one in (engine, without):
            if chance.random() < 0.5:
                one.checkpoint()
        worlds = (
            dependencies_with(engine, sample_neighbours()),
            dependencies_with(without, sample_neighbours()),
        )
        for query in queries:
            if not query.strip():
                continue
            if actor not in READABLE:
                assert refusal_of(worlds[0], actor, query).code == "project.missing"
                continue
            seen, alone = (find_as(world, actor, query, limit=3) for world in worlds)
            assert seen == alone
            parsed = parse(query)
            expected = [
                d.message
                for d in reversed(readable)
                if VerifiedHit(d).matches_query(parsed)
            ]
            assert ids_of(seen) == expected[:3]
            assert seen.total == len(expected)


def test_fuzzed_queries_all_get_a_response(deps: Dependencies, engine: Engine) -> None:
    engine.checkpoint()
    many = FUZZED if isinstance(engine, ShardedIndex) else FUZZED // 10
    outcome = run_all(deps, fuzzed(random.Random(20261102)), many)
    assert outcome.failures == ()
    assert outcome.refused < many / 2
