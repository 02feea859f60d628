"""The same change from several writers at once is one change."""

import threading
from collections.abc import Callable

from clp_contracts.projects import Announce
from clp_projects.use_cases import announcements
from tests.services.projects.sample_world import Story

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


def test_a_new_person_is_stored_once(story: Story) -> None:
    before = story.head()
    got = all_at_once(lambda: story.person("new", "New Person").changed)
    assert sorted(map(str, got)) == ["False"] * 7 + ["True"]
    assert story.news(before) == [("person_changed", "new", "")]


def test_a_changed_person_is_changed_once(story: Story) -> None:
    before = story.head()
    got = all_at_once(lambda: story.person("ivy", "Ivy Long", roles=("b", "a")).changed)
    assert sorted(map(str, got)) == ["False"] * 7 + ["True"]
    assert story.news(before) == [("person_changed", "ivy", "")]


def test_a_follower_follows_once(story: Story) -> None:
    before = story.head()
    assert all_at_once(lambda: story.follow("nat")) == [True] * WRITERS
    assert story.news(before) == [("project_followed", "nat", "p1")]


def test_a_partner_is_withdrawn_and_assigned_once(story: Story) -> None:
    before = story.head()
    gone = all_at_once(lambda: story.withdraw("north").changed)
    back = all_at_once(lambda: story.assign("north").changed)
    assert sorted(map(str, gone)) == sorted(map(str, back)) == ["False"] * 7 + ["True"]
    assert [what for what, *_ in story.news(before)] == [
        "partner_withdrawn",
        "partner_assigned",
    ]


def test_an_event_delivered_many_times_is_announced_once(story: Story) -> None:
    before = story.head()
    ask = Announce(project="p1", kind="bid_due", key="k", facts={"due": "2026-04-01"})
    got = all_at_once(lambda: announcements.announce(ask, parts=story.parts).id)
    assert len(got) == WRITERS
    assert len(set(got)) == 1
    assert [what for what, *_ in story.news(before)] == ["schedule_announced"]
