"""Facts for other services: in batches, by index, and bounded."""

import pytest

from clp_contracts.feed import ReadChanges
from clp_contracts.projects import AskFacts, AskOwners, OneProject, PersonFacts
from clp_core.mentions import address_key, name_key
from clp_projects.use_cases import directory
from tests.services.projects.sample_world import LINGUIST, PORTAL, Story


def owners_of(story: Story, *keys: str) -> list[str]:
    found = directory.owners(AskOwners(keys=keys), parts=story.parts)
    return [person.id for person in found.people]


def facts_about(story: Story, **ids: tuple[str, ...]) -> tuple[list[str], list[str]]:
    found = directory.facts_about(AskFacts(**ids), parts=story.parts)
    return [p.id for p in found.projects], [p.id for p in found.people]


def test_facts_tell_all_that_rules_need(story: Story) -> None:
    assert story.facts_of("nat") == PersonFacts(
        id="nat",
        name="Nat Moreau",
        email="nat@north.example",
        partner="north",
        roles=PORTAL,
        active=True,
    )
    assert story.facts_of("lin").roles == tuple(sorted(LINGUIST))


def test_what_does_not_exist_is_absent(story: Story) -> None:
    asked = facts_about(
        story,
        projects=("p1", "p9", "no/id", "p1\0"),
        people=("nobody", "nat", "robot", "nat", "ivy", "nat\0", "\ud800"),
    )
    assert asked == (["p1"], ["ivy", "nat"])


def test_facts_of_nothing_are_nothing(story: Story) -> None:
    with story.counted() as asked:
        assert facts_about(story) == ([], [])
    assert asked == []


def test_facts_cost_the_same_for_one_and_for_hundreds(story: Story) -> None:
    for number in range(40):
        story.project(f"q{number}", f"Train {number}")
        story.assign("north", f"q{number}")
        story.person(f"n{number}", f"Nat {number}", partner="north")
    with story.counted() as one:
        facts_about(story, projects=("p1",), people=("nat",))
    with story.counted() as hundreds:
        projects, people = facts_about(
            story,
            projects=tuple(f"q{n}" for n in range(40)),
            people=tuple(f"n{n}" for n in range(40)),
        )
    assert (len(projects), len(people)) == (40, 40)
    assert len(hundreds) == len(one) <= 4


def test_thousands_of_ids_are_asked_in_few_runs(story: Story) -> None:
    ids = tuple(f"n{n}" for n in range(10_000))
    with story.counted() as asked:
        assert facts_about(story, people=(*ids, "nat"))[1] == ["nat"]
    assert len(asked) <= 2 * 21


OWNERS = [
    # the key of                      is owned by
    (name_key("Nat Moreau"), ["nat"]),
    (name_key("NAT  moreau"), ["nat"]),
    (address_key("NAT@North.Example"), ["nat"]),
    (name_key("Lin Okafor"), ["lin"]),  # access is for the asker to judge
    (name_key("Nat"), []),
    ("nat%", []),
    ("n_t moreau", []),
    ("", []),
    ("nat moreau\0", []),
    ("nat\ud800", []),
    ("n" * 100_000, []),
]


@pytest.mark.parametrize(("key", "people"), OWNERS)
def test_a_key_has_its_owners_and_no_others(
    story: Story, key: str, people: list[str]
) -> None:
    assert owners_of(story, key) == people


def test_namesakes_own_a_key_together(story: Story) -> None:
    story.person("nat2", "nat MOREAU", partner="south")
    assert owners_of(story, name_key("Nat Moreau")) == ["nat", "nat2"]


def test_a_new_name_and_address_replace_the_old_keys(story: Story) -> None:
    story.person("nat", "Nathalie Roux", email="nr@north.example", partner="north")
    old, new = (
        ("nat moreau", "nat@north.example"),
        ("nathalie roux", "nr@north.example"),
    )
    assert [owners_of(story, key) for key in (*old, *new)] == [[], [], ["nat"], ["nat"]]


def test_an_address_has_its_owner_however_it_is_written(story: Story) -> None:
    story.person("zoe", "Zoe Hill", email="Zoe@B\u00fccher.Example")
    assert owners_of(story, address_key("ZOE@xn--bcher-kva.example")) == ["zoe"]


def test_one_who_owns_two_keys_is_told_once(story: Story) -> None:
    assert owners_of(story, "nat moreau", "nat@north.example", "ivy lane") == [
        "ivy",
        "nat",
    ]


def test_thousands_of_keys_are_looked_up_by_index(story: Story) -> None:
    keys = tuple(f"nobody {n}" for n in range(5_000))
    with story.counted() as asked:
        assert owners_of(story, *keys, "ivy lane") == ["ivy"]
    assert len(asked) <= 2 * 11


def test_all_followers_are_told_with_and_without_access(story: Story) -> None:
    for person in ("nat", "sam", "ivy"):
        story.follow(person)
    story.withdraw("south")
    assert story.followers() == ["ivy", "nat", "sam"]
    assert story.followers("p9") == story.followers("no/id\0") == []


def test_who_of_some_people_follows_is_told_with_their_facts(story: Story) -> None:
    for person in ("nat", "sam", "ivy"):
        story.follow(person)
    people = ("nia", "sam", "nat", "nobody", "no/id")

    def followers(project: str | None) -> tuple[str, ...]:
        ask = AskFacts(people=people, following=project)
        return directory.facts_about(ask, parts=story.parts).followers

    assert followers("p1") == ("nat", "sam")
    assert followers("p9") == followers("no/id") == followers(None) == ()


def test_followers_cost_the_same_however_many_they_are(story: Story) -> None:
    for number in range(60):
        story.person(f"n{number}", f"Nat {number}", partner="north")
        story.follow(f"n{number}")
    with story.counted() as asked:
        ask = OneProject(project="p1")
        assert len(directory.followers(ask, parts=story.parts).people) == 60
    assert len(asked) == 2


def test_progress_tells_what_waits_to_be_announced(story: Story) -> None:
    head = story.head()
    story.follow("nat")
    told = directory.progress(parts=story.parts)
    assert (told.head, told.pending, told.due) == (head, head + 1, 0)
    assert told.readers == ()


def test_the_feed_is_read_from_any_position(story: Story) -> None:
    story.follow("nat")
    head = story.head()
    ask = ReadChanges(after=head - 1)
    told = directory.changes(ask, parts=story.parts)
    assert [change.position for change in told.changes] == [head]
    assert told.head == head
