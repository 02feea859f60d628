"""Following a project (rule 8) for everybody, whether they may or not."""

import pytest

from clp_contracts.errors import Refused
from tests.services.projects.sample_world import Story

MAY_FOLLOW = [
    # who                                    may follow p1
    ("ivy", True),
    ("nat", True),
    ("sam", True),
    ("lin", False),  # a linguist has no access
    ("eve", False),  # her partner is on another project
    ("leo", False),  # a leaver
    ("max", False),  # no role opens the portal to him
    ("nobody", False),
    ("robot", False),
    ("no/id", False),
    ("nat\0", False),
]


def add_strangers(story: Story) -> None:
    story.partner("east", "East Voices")
    story.person("eve", "Eve East", partner="east")
    story.person("leo", "Leo Gone", active=False)
    story.person("max", "Max Less", roles=())


def refusal_of(story: Story, actor: str, project: str) -> tuple[str, str]:
    with pytest.raises(Refused) as refusal:
        story.follow(actor, project)
    return refusal.value.code, refusal.value.detail_json


@pytest.mark.parametrize(("actor", "may"), MAY_FOLLOW)
def test_who_may_read_the_broadcast_may_follow(
    story: Story, actor: str, *, may: bool
) -> None:
    add_strangers(story)
    if may:
        assert story.follow(actor) is True
    else:
        assert refusal_of(story, actor, "p1") == ("project.missing", "{}")
    assert story.followers() == ([actor] if may else [])


@pytest.mark.parametrize("project", ["p9", "no/id", "", "p1\0", "p1\ud800"])
def test_a_hidden_project_answers_as_a_missing_one(story: Story, project: str) -> None:
    add_strangers(story)
    assert refusal_of(story, "eve", "p1") == refusal_of(story, "eve", project)
    assert refusal_of(story, "ivy", project) == ("project.missing", "{}")


def test_following_twice_is_following_once(story: Story) -> None:
    before = story.head()
    assert story.follow("nat") is story.follow("nat") is True
    assert story.news(before) == [("project_followed", "nat", "p1")]
    assert story.feed(before)[0].detail == {"person": "nat"}


def test_one_click_undoes_it(story: Story) -> None:
    story.follow("nat")
    before = story.head()
    assert story.unfollow("nat") is story.unfollow("nat") is False
    assert story.news(before) == [("project_unfollowed", "nat", "p1")]
    assert story.followers() == []


def test_one_may_stop_following_what_one_lost(story: Story) -> None:
    story.follow("nat")
    story.withdraw("north")
    assert story.unfollow("nat") is False
    assert story.followers() == []


@pytest.mark.parametrize("project", ["p1", "p9", "no/id", "p1\0"])
def test_unfollowing_tells_nothing_of_a_hidden_project(
    story: Story, project: str
) -> None:
    add_strangers(story)
    with pytest.raises(Refused) as refusal:
        story.unfollow("eve", project)
    assert (refusal.value.code, refusal.value.detail_json) == ("project.missing", "{}")


def test_one_follows_for_oneself_only(story: Story) -> None:
    story.follow("nat")
    story.follow("sam")
    story.unfollow("sam")
    assert story.followers() == ["nat"]


def test_my_projects_are_the_followed_ones_by_title(story: Story) -> None:
    for project, title in [("p2", "a Day"), ("p3", "B Week"), ("p4", "Unfollowed")]:
        story.project(project, title)
        story.assign("north", project)
    for project in ("p1", "p2", "p3"):
        story.follow("nat", project)
    assert story.followed_by("nat") == ["p2", "p3", "p1"]


def test_a_project_is_mine_only_while_i_may_read_it(story: Story) -> None:
    story.follow("nat")
    story.withdraw("north")
    assert story.followed_by("nat") == []
    assert story.followers() == ["nat"]
    story.assign("north")
    assert story.followed_by("nat") == ["p1"]


def test_who_leaves_or_moves_has_no_projects(story: Story) -> None:
    story.follow("nat")
    story.follow("ivy")
    story.partner("east", "East Voices")
    story.person("nat", "Nat Moreau", partner="east")
    story.person("ivy", "Ivy Lane", active=False)
    assert story.followed_by("nat") == story.followed_by("ivy") == []
    assert story.followed_by("nobody") == story.followed_by("no/id\0") == []


def test_my_projects_cost_the_same_however_many_they_are(story: Story) -> None:
    story.follow("nat")
    with story.counted() as few:
        story.followed_by("nat")
    for number in range(2, 60):
        story.project(f"p{number}", f"Train {number}")
        story.assign("north", f"p{number}")
        story.follow("nat", f"p{number}")
    with story.counted() as many:
        assert len(story.followed_by("nat")) == 59
    assert len(many) == len(few) <= 4
