"""Pages and channels: visible, ordered, stable, within the limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_contracts.messages import GetPage
from clp_messages.use_cases.history import MAX_MESSAGES, numbers_of_page
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Scenario, refusal

# who    | reads
READERS = [
    ("ivy", {BROADCAST, NORTH, SOUTH}),
    ("nat", {BROADCAST, NORTH}),
    ("sam", {BROADCAST, SOUTH}),
    ("wes", set()),
    ("lin", set()),
    ("robot", set()),
    ("nobody", set()),
]


@pytest.mark.parametrize(("person", "readable"), READERS)
def test_each_person_reads_their_channels_only(
    scenario: Scenario, person: str, readable: set[str]
) -> None:
    for channel in (BROADCAST, NORTH, SOUTH):
        scenario.post("ivy", channel, channel)
    for channel in (BROADCAST, NORTH, SOUTH):
        if channel in readable:
            assert scenario.texts(person, channel) == [channel]
        else:
            call = lambda c=channel: scenario.page(person, c)  # noqa: E731
            assert refusal(call) == "channel.missing"


def test_a_withdrawn_partner_reads_nothing_and_all_after_its_return(
    scenario: Scenario,
) -> None:
    scenario.post("nat", NORTH, "before")
    scenario.projects.withdraw("p1", "north")
    assert refusal(lambda: scenario.page("nat", NORTH)) == "channel.missing"
    assert refusal(lambda: scenario.page("nat", BROADCAST)) == "channel.missing"
    assert scenario.texts("ivy", NORTH) == ["before"]
    scenario.projects.put_project("p1", ["north", "south"])
    assert scenario.texts("nat", NORTH) == ["before"]


# request                        | numbers            | more before | more after
PAGES = [
    ({}, range(51, 101), True, False),
    ({"limit": 3}, range(98, 101), True, False),
    ({"limit": 1000}, range(1, 101), False, False),
    ({"limit": 0}, range(100, 101), True, False),
    ({"limit": -5}, range(100, 101), True, False),
    ({"before": 51, "limit": 10}, range(41, 51), True, True),
    ({"before": 100, "limit": 2}, range(98, 100), True, True),
    ({"before": 4, "limit": 10}, range(1, 4), False, True),
    ({"before": 1}, range(0), False, True),
    ({"before": -(10**30)}, range(0), False, True),
    ({"before": 10**30, "limit": 2}, range(99, 101), True, False),
    ({"after": 0, "limit": 3}, range(1, 4), False, True),
    ({"after": 97}, range(98, 101), True, False),
    ({"after": 100}, range(0), True, False),
    ({"after": 10**30}, range(0), True, False),
    ({"after": -1, "limit": 2}, range(1, 3), False, True),
    ({"around": 50, "limit": 5}, range(48, 53), True, True),
    ({"around": 1, "limit": 5}, range(1, 6), False, True),
    ({"around": 100, "limit": 5}, range(96, 101), True, False),
    ({"around": 10**30, "limit": 5}, range(96, 101), True, False),
    ({"around": -7, "limit": 5}, range(1, 6), False, True),
]


@pytest.fixture(scope="module")
def hundred() -> list[str]:
    return [f"line {number}" for number in range(1, 101)]


def test_every_kind_of_page(scenario: Scenario, hundred: list[str]) -> None:
    for line in hundred:
        scenario.post("ivy", NORTH, line)
    for request, numbers, more_before, more_after in PAGES:
        page = scenario.page("nat", NORTH, **request)
        assert [m.number for m in page.messages] == list(numbers), request
        assert [m.text for m in page.messages] == [f"line {n}" for n in numbers]
        assert (page.more_before, page.more_after) == (more_before, more_after), request


def test_an_empty_channel_is_an_empty_page(scenario: Scenario) -> None:
    for request in ({}, {"before": 5}, {"after": 0}, {"around": 3}):
        page = scenario.page("nat", NORTH, **request)
        assert (page.messages, page.more_before, page.more_after) == ((), False, False)


def test_a_page_is_around_one_number_or_on_one_side_of_it(scenario: Scenario) -> None:
    with pytest.raises(Exception, match=r"request\.malformed.*\(after, before\)"):
        scenario.page("ivy", NORTH, before=3, after=1)


@pytest.mark.property
@given(
    last=st.integers(0, 300),
    side=st.sampled_from(["before", "after", "around", None]),
    number=st.integers(-5, 310),
    limit=st.integers(-3, 150),
)
def test_a_page_is_a_run_of_numbers_within_the_limit(
    last: int, side: str | None, number: int, limit: int
) -> None:
    request = GetPage(channel=NORTH, limit=limit, **({side: number} if side else {}))
    numbers = numbers_of_page(request, last)
    assert len(numbers) <= max(1, min(limit, MAX_MESSAGES))
    assert all(1 <= n <= last for n in numbers)
    if side == "before":
        assert all(n < number for n in numbers)
    if side == "after":
        assert all(n > number for n in numbers)
    if side == "around" and 1 <= number <= last:
        assert number in numbers


@pytest.mark.property
@given(posts=st.integers(0, 30), more=st.integers(0, 30), limit=st.integers(1, 7))
def test_pages_are_stable_under_new_posts(posts: int, more: int, limit: int) -> None:
    request = GetPage(channel=NORTH, after=posts // 2, limit=limit)
    before = numbers_of_page(request, posts)
    after = numbers_of_page(request, posts + more)
    assert list(after)[: len(before)] == list(before)
    request = GetPage(channel=NORTH, before=posts + 1, limit=limit)
    assert numbers_of_page(request, posts) == numbers_of_page(request, posts + more)


def test_going_through_pages_meets_every_message_once(scenario: Scenario) -> None:
    for _ in range(23):
        scenario.post("ivy", NORTH, "x")
    forwards: list[int] = []
    while True:
        page = scenario.page(
            "nat", NORTH, after=forwards[-1] if forwards else 0, limit=5
        )
        forwards += [m.number for m in page.messages]
        if not page.more_after:
            break
    assert forwards == list(range(1, 24))
    backwards: list[int] = []
    page = scenario.page("nat", NORTH, limit=5)
    while True:
        backwards = [m.number for m in page.messages] + backwards
        if not page.more_before:
            break
        page = scenario.page("nat", NORTH, before=backwards[0], limit=5)
    assert backwards == forwards


ANY_NUMBER = (-(2**40), -3, 0, 1, 2, 4, 6, 7, 8, 12, 2**40)
ANY_PAGE: list[dict[str, int]] = [
    {"limit": limit, **place}
    for limit in (-1, 1, 2, 3, 7, 8, 100, 1000)
    for place in (
        {},
        *({side: n} for side in ("before", "after", "around") for n in ANY_NUMBER),
    )
]


def test_the_statement_selects_the_page_of_the_rule(scenario: Scenario) -> None:
    for last in (0, 1, 7):
        while len(scenario.numbers("ivy", NORTH, limit=100)) < last:
            scenario.post("ivy", NORTH, "x")
        for request in ANY_PAGE:
            expected = numbers_of_page(GetPage(channel=NORTH, **request), last)
            page = scenario.page("ivy", NORTH, **request)
            shown = [message.number for message in page.messages]
            assert shown == list(expected), request
            assert page.more_before == (expected.start > 1), request
            assert page.more_after == (expected.stop <= last), request


def test_a_page_costs_one_statement_and_one_call_however_full(
    scenario: Scenario,
) -> None:
    files = tuple(scenario.upload("ivy", NORTH, f"cue {n}.pdf") for n in range(10))
    scenario.post("ivy", NORTH, files=files)
    for _ in range(60):
        scenario.post("ivy", NORTH, "hello @Nat Moreau")
    scenario.projects.calls.clear()
    with scenario.counted_statements() as statements:
        page = scenario.page("nat", NORTH, limit=100)
    assert len(page.messages) == 61
    assert len(statements) == 1, statements
    assert scenario.projects.calls == {"facts": 1}


def test_a_refused_read_costs_no_statement(scenario: Scenario) -> None:
    scenario.post("ivy", SOUTH, "secret")
    with scenario.counted_statements() as statements:
        refusal(lambda: scenario.page("nat", SOUTH))
    assert statements == []


def test_the_channels_of_a_project_are_those_that_exist_for_the_actor(
    scenario: Scenario,
) -> None:
    shown = [
        (c.name, c.kind, c.partner, c.title, c.may_post)
        for c in scenario.channels("ivy").channels
    ]
    assert shown == [
        (BROADCAST, "broadcast", None, "Broadcast", True),
        (NORTH, "direct", "north", "North Dubbing", True),
        (SOUTH, "direct", "south", "South Subtitles", True),
    ]
    shown = [
        (c.name, c.kind, c.partner, c.title, c.may_post)
        for c in scenario.channels("nat").channels
    ]
    assert shown == [
        (BROADCAST, "broadcast", None, "Broadcast", False),
        (NORTH, "direct", "north", "North Dubbing", True),
    ]


def test_a_channel_of_a_withdrawn_partner_stays_for_internal_people(
    scenario: Scenario,
) -> None:
    scenario.projects.withdraw("p1", "north")
    assert [c.name for c in scenario.channels("ivy").channels] == [
        BROADCAST,
        NORTH,
        SOUTH,
    ]
    assert [c.name for c in scenario.channels("sam").channels] == [BROADCAST, SOUTH]


@pytest.mark.parametrize(
    ("person", "project"),
    [
        ("nat", "nowhere"),
        ("wes", "p1"),
        ("lin", "p1"),
        ("nobody", "p1"),
        ("robot", "p1"),
        ("ivy", "p/1"),
        ("ivy", "p\x001"),
    ],
)
def test_a_project_without_channels_for_the_actor_is_a_missing_one(
    scenario: Scenario, person: str, project: str
) -> None:
    assert refusal(lambda: scenario.channels(person, project)) == "project.missing"


def test_a_malformed_project_is_missing_whatever_projects_there_are(
    scenario: Scenario,
) -> None:
    """Facts about another id are read in its place, to take as long."""
    scenario.projects.put_project("0", ["north"])
    assert scenario.channels("nat", "0").channels
    assert refusal(lambda: scenario.channels("nat", "p/1")) == "project.missing"
