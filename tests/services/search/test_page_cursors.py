"""Page cursors: pages follow each other, for who asked and what was asked."""

import pytest

from clp_search.dependencies import Parts
from clp_search.engine import Engine
from tests.services.search.query_helpers import (
    Neighbours,
    find_as,
    ids_of,
    parts_with,
    refusal_of,
)
from tests.services.search.scenario import BROADCAST, START, document, told


def test_pages_follow_each_other_to_the_end(parts: Parts, engine: Engine) -> None:
    told(engine, [document(n, "many", posted_at=START) for n in range(100, 125)])
    ids: list[str] = []
    cursor: str | None = None
    while True:
        found = find_as(parts, "ivy", "many", limit=10, cursor=cursor)
        ids += ids_of(found)
        if (cursor := found.cursor) is None:
            break
    assert ids == [f"m{n}" for n in range(124, 99, -1)]


def test_a_cursor_is_good_for_one_person_and_one_search(parts: Parts) -> None:
    cursor = find_as(parts, "ivy", "common", limit=1).cursor
    assert cursor is not None
    assert ids_of(find_as(parts, "ivy", "common", limit=1, cursor=cursor)) == ["m3"]
    for actor, query, ask in (
        ("ian", "common", {}),
        ("nat", "common", {}),
        ("ivy", "west", {}),
        ("ivy", "common", {"channel": BROADCAST}),
    ):
        assert (
            refusal_of(parts, actor, query, cursor=cursor, **ask).code
            == "cursor.malformed"
        )


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "é", "\ud800", "A" * 10_000, "=" * 5, "../../etc"]
)
def test_a_made_up_cursor_is_refused(parts: Parts, cursor: str) -> None:
    assert refusal_of(parts, "ivy", cursor=cursor).code == "cursor.malformed"


def test_a_cursor_holds_wherever_the_secret_is_known(
    parts: Parts, engine: Engine, neighbours: Neighbours
) -> None:
    cursor = find_as(parts, "ivy", "common", limit=1).cursor
    twin = parts_with(engine, neighbours)
    assert ids_of(find_as(twin, "ivy", "common", limit=1, cursor=cursor)) == ["m3"]
    stranger = parts_with(engine, neighbours, sealed_by="others")
    assert refusal_of(stranger, "ivy", cursor=cursor).code == "cursor.malformed"


def test_every_changed_character_of_a_cursor_is_noticed(parts: Parts) -> None:
    cursor = find_as(parts, "ivy", "common", limit=1).cursor
    assert cursor is not None
    # The last characters may carry spare bits; everything sealed is before them.
    for at in range(len(cursor.rstrip("=")) - 1):
        forged = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        assert refusal_of(parts, "ivy", cursor=forged).code == "cursor.malformed"
