"""Following a project (rule 8) for everybody, whether they may or not."""

import pytest

from clp_contracts.errors import Refused
from tests.services.projects.sample_world import World

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


def add_strangers(world: World) -> None:
    world.partner("east", "East Voices")
    world.person("eve", "Eve East", partner="east")
    world.person("leo", "Leo Gone", active=False)
    world.person("max", "Max Less", roles=())


def refusal_of(world: World, actor: str, project: str) -> tuple[str, str]:
    with pytest.raises(Refused) as refusal:
        world.follow(actor, project)
    return refusal.value.code, refusal.value.detail_json


@pytest.mark.parametrize(("actor", "may"), MAY_FOLLOW)
def test_who_may_read_the_broadcast_may_follow(
    world: World, actor: str, *, may: bool
) -> None:
    add_strangers(world)
    if may:
        assert world.follow(actor) is True
    else:
        assert refusal_of(world, actor, "p1") == ("project.missing", "{}")
    assert world.followers() == ([actor] if may else [])


@pytest.mark.parametrize("project", ["p9", "no/id", "", "p1\0", "p1\ud800"])
def test_a_hidden_project_is_refused_as_a_missing_one(
    world: World, project: str
) -> None:
    add_strangers(world)
    assert refusal_of(world, "eve", "p1") == refusal_of(world, "eve", project)
    assert refusal_of(world, "ivy", project) == ("project.missing", "{}")


def test_following_twice_is_following_once(world: World) -> None:
    before = world.head()
    assert world.follow("nat") is world.follow("nat") is True
    assert world.news(before) == [("project_followed", "nat", "p1")]
    assert world.feed(before)[0].detail == {"person": "nat"}


def test_one_click_undoes_it(world: World) -> None:
    world.follow("nat")
    before = world.head()
    assert world.unfollow("nat") is world.unfollow("nat") is False
    assert world.news(before) == [("project_unfollowed", "nat", "p1")]
    assert world.followers() == []


def test_one_may_stop_following_what_one_lost(world: World) -> None:
    world.follow("nat")
    world.withdraw("north")
    assert world.unfollow("nat") is False
    assert world.followers() == []


@pytest.mark.parametrize("project", ["p1", "p9", "no/id", "p1\0"])
def test_unfollowing_reveals_nothing_about_a_hidden_project(
    world: World, project: str
) -> None:
    add_strangers(world)
    with pytest.raises(Refused) as refusal:
        world.unfollow("eve", project)
    assert (refusal.value.code, refusal.value.detail_json) == ("project.missing", "{}")


def test_one_follows_for_oneself_only(world: World) -> None:
    world.follow("nat")
    world.follow("sam")
    world.unfollow("sam")
    assert world.followers() == ["nat"]


def test_my_projects_are_the_followed_ones_by_title(world: World) -> None:
    for project, title in [("p2", "a Day"), ("p3", "B Week"), ("p4", "Unfollowed")]:
        world.project(project, title)
        world.assign("north", project)
    for project in ("p1", "p2", "p3"):
        world.follow("nat", project)
    assert world.followed_by("nat") == ["p2", "p3", "p1"]


def test_a_project_is_mine_only_while_i_may_read_it(world: World) -> None:
    world.follow("nat")
    world.withdraw("north")
    assert world.followed_by("nat") == []
    assert world.followers() == ["nat"]
    world.assign("north")
    assert world.followed_by("nat") == ["p1"]


def test_who_leaves_or_moves_has_no_projects(world: World) -> None:
    world.follow("nat")
    world.follow("ivy")
    world.partner("east", "East Voices")
    world.person("nat", "Nat Moreau", partner="east")
    world.person("ivy", "Ivy Lane", active=False)
    assert world.followed_by("nat") == world.followed_by("ivy") == []
    assert world.followed_by("nobody") == world.followed_by("no/id\0") == []


def test_my_projects_cost_the_same_however_many_they_are(world: World) -> None:
    world.follow("nat")
    with world.counted() as few:
        world.followed_by("nat")
    for number in range(2, 60):
        world.project(f"p{number}", f"Train {number}")
        world.assign("north", f"p{number}")
        world.follow("nat", f"p{number}")
    with world.counted() as many:
        assert len(world.followed_by("nat")) == 59
    # Person, roles, partner, projects, languages.
    assert len(many) == len(few) <= 5
