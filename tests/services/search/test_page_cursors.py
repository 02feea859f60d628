"""Page cursors: pages follow each other, for one person and one search."""

import pytest

from clp_search.dependencies import Dependencies
from clp_search.engine import Engine
from tests.services.search.query_helpers import (
    NeighbourServices,
    dependencies_with,
    find_as,
    ids_of,
    refusal_of,
)
from tests.services.search.scenario import BROADCAST, START, apply_to, document


def test_pages_follow_each_other_to_the_end(deps: Dependencies, engine: Engine) -> None:
    apply_to(engine, [document(n, "many", posted_at=START) for n in range(100, 125)])
    ids: list[str] = []
    cursor: str | None = None
    while True:
        search_ids = find_as(deps, "ivy", "many", limit=10, cursor=cursor)
        ids += ids_of(search_ids)
        if (cursor := search_ids.cursor) is None:
            break
    assert ids == [f"m{n}" for n in range(124, 99, -1)]


def test_a_cursor_is_valid_for_one_person_and_one_search(deps: Dependencies) -> None:
    cursor = find_as(deps, "ivy", "common", limit=1).cursor
    assert cursor is not None
    assert ids_of(find_as(deps, "ivy", "common", limit=1, cursor=cursor)) == ["m3"]
    for actor, query, arguments in (
        ("ian", "common", {}),
        ("nat", "common", {}),
        ("ivy", "west", {}),
        ("ivy", "common", {"channel": BROADCAST}),
    ):
        assert (
            refusal_of(deps, actor, query, cursor=cursor, **arguments).code
            == "cursor.malformed"
        )


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "é", "\ud800", "A" * 10_000, "=" * 5, "../../etc"]
)
def test_a_forged_cursor_is_refused(deps: Dependencies, cursor: str) -> None:
    assert refusal_of(deps, "ivy", cursor=cursor).code == "cursor.malformed"


def test_a_cursor_is_valid_in_every_process_with_the_secret(
    deps: Dependencies, engine: Engine, neighbours: NeighbourServices
) -> None:
    cursor = find_as(deps, "ivy", "common", limit=1).cursor
    twin = dependencies_with(engine, neighbours)
    assert ids_of(find_as(twin, "ivy", "common", limit=1, cursor=cursor)) == ["m3"]
    stranger = dependencies_with(engine, neighbours, key="others")
    assert refusal_of(stranger, "ivy", cursor=cursor).code == "cursor.malformed"


def test_every_changed_character_of_a_cursor_is_detected(deps: Dependencies) -> None:
    cursor = find_as(deps, "ivy", "common", limit=1).cursor
    assert cursor is not None
    # The last characters may carry spare bits; everything authenticated is before them.
    for at in range(len(cursor.rstrip("=")) - 1):
        forged = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        assert refusal_of(deps, "ivy", cursor=forged).code == "cursor.malformed"
