"""The same change from several writers at once is one change."""

import threading
from collections.abc import Callable

from clp_contracts.projects import Announce
from clp_projects.use_cases import announcements
from tests.services.projects.sample_world import World

WRITERS = 8


def all_at_once(work: Callable[[], object]) -> list[object]:
    """What eight writers got, each an answer or an error."""
    ready = threading.Barrier(WRITERS)
    got: list[object] = []

    def write() -> None:
        ready.wait()
        try:
            got.append(work())
        except Exception as error:  # noqa: BLE001
            got.append(error)

    writers = [threading.Thread(target=write) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return got


def test_a_new_person_is_stored_once(world: World) -> None:
    before = world.head()
    got = all_at_once(lambda: world.person("new", "New Person").changed)
    assert sorted(map(str, got)) == ["False"] * 7 + ["True"]
    assert world.news(before) == [("person_changed", "new", "")]


def test_a_changed_person_is_changed_once(world: World) -> None:
    before = world.head()
    got = all_at_once(lambda: world.person("ivy", "Ivy Long", roles=("b", "a")).changed)
    assert sorted(map(str, got)) == ["False"] * 7 + ["True"]
    assert world.news(before) == [("person_changed", "ivy", "")]


def test_a_follower_follows_once(world: World) -> None:
    before = world.head()
    assert all_at_once(lambda: world.follow("nat")) == [True] * WRITERS
    assert world.news(before) == [("project_followed", "nat", "p1")]


def test_a_partner_is_withdrawn_and_assigned_once(world: World) -> None:
    before = world.head()
    gone = all_at_once(lambda: world.withdraw("north").changed)
    back = all_at_once(lambda: world.assign("north").changed)
    assert sorted(map(str, gone)) == sorted(map(str, back)) == ["False"] * 7 + ["True"]
    assert [what for what, *_ in world.news(before)] == [
        "partner_withdrawn",
        "partner_assigned",
    ]


def test_an_event_delivered_many_times_is_announced_once(world: World) -> None:
    before = world.head()
    request = Announce(
        project="p1", kind="bid_due", key="k", facts={"due": "2026-04-01"}
    )
    got = all_at_once(lambda: announcements.announce(request, deps=world.deps).id)
    assert len(got) == WRITERS
    assert len(set(got)) == 1
    assert [what for what, *_ in world.news(before)] == ["schedule_announced"]
