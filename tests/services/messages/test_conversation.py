"""A conversation: channels, numbers and a page in one call (rules 32 and 45)."""

import pytest

from clp_contracts.errors import Refused
from clp_contracts.messages import Conversation
from clp_contracts.projects import Follow
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Scenario, refusal


def numbers(conversation: Conversation) -> list[int]:
    return [message.number for message in conversation.page.messages]


def test_a_conversation_shows_the_project_as_its_reader_sees_it(
    scenario: Scenario,
) -> None:
    scenario.post("ivy", BROADCAST, "one")
    scenario.post("ivy", NORTH, "two")
    scenario.projects.following = {Follow(person="nat", project="p1")}
    shown = scenario.conversation("nat", channel=NORTH)
    assert (shown.project, shown.title, shown.following) == ("p1", "Title of p1", True)
    assert shown.channels == scenario.channels("nat").channels
    assert (shown.unread,) == scenario.unread("nat").projects
    assert shown.page == scenario.page("nat", NORTH)
    assert not scenario.conversation("nia", channel=NORTH).following


def test_it_costs_one_call_and_two_statements(scenario: Scenario) -> None:
    for number in range(9):
        scenario.post("ivy", NORTH, f"@Nat Moreau {number}")
    for person in ("nat", "ivy"):
        scenario.projects.calls.clear()
        with scenario.counted_statements() as statements:
            scenario.conversation(person, channel=NORTH)
        assert scenario.projects.calls == {"facts": 1}
        assert len(statements) == 2


def test_a_project_opens_at_its_first_channel_with_unread_messages(
    scenario: Scenario,
) -> None:
    assert scenario.conversation("nat", project="p1").channel == BROADCAST
    scenario.post("ivy", NORTH, "news")
    assert scenario.conversation("nat", project="p1").channel == NORTH
    scenario.post("ivy", BROADCAST, "news")
    assert scenario.conversation("nat", project="p1").channel == BROADCAST
    scenario.mark_read("nat", BROADCAST, 1)
    scenario.mark_read("nat", NORTH, 1)
    assert scenario.conversation("nat", project="p1").channel == BROADCAST


@pytest.fixture
def read_to_forty(scenario: Scenario) -> Scenario:
    for number in range(60):
        scenario.post("ivy", NORTH, f"line {number}")
    scenario.mark_read("nat", NORTH, 40)
    return scenario


# page                 | numbers
PAGES = [
    ({"limit": 12}, range(38, 50)),
    ({"limit": 1}, range(41, 42)),
    ({"limit": 40}, range(21, 61)),
    ({"limit": 12, "latest": True}, range(49, 61)),
    ({"limit": 5, "before": 41}, range(36, 41)),
    ({"limit": 5, "after": 50}, range(51, 56)),
    ({"limit": 5, "around": 10}, range(8, 13)),
    ({"limit": 12, "around": 60}, range(49, 61)),
]


def test_it_opens_shortly_before_the_first_unread_message(
    read_to_forty: Scenario,
) -> None:
    for page, expected in PAGES:
        shown = read_to_forty.conversation("nat", channel=NORTH, **page)
        assert numbers(shown) == list(expected), page
        assert shown.page.more_before == (expected.start > 1)
        assert shown.page.more_after == (expected.stop <= 60)
        assert shown.unread.channels[1].first == 41


def test_it_opens_at_the_end_when_all_is_read(read_to_forty: Scenario) -> None:
    read_to_forty.mark_read("nat", NORTH, 60)
    shown = read_to_forty.conversation("nat", channel=NORTH, limit=5)
    assert numbers(shown) == [56, 57, 58, 59, 60]


# reader | request | code
HIDDEN = [
    ("nat", {"channel": SOUTH}, "channel.missing"),
    ("nat", {"channel": "p1/direct/west"}, "channel.missing"),
    ("nat", {"channel": "p9/broadcast"}, "channel.missing"),
    ("wes", {"channel": BROADCAST}, "channel.missing"),
    ("lin", {"channel": BROADCAST}, "channel.missing"),
    ("wes", {"project": "p1"}, "project.missing"),
    ("nat", {"project": "p9"}, "project.missing"),
    ("nat", {"project": "no id"}, "project.missing"),
]


@pytest.mark.parametrize(("reader", "request_", "code"), HIDDEN)
def test_a_hidden_conversation_is_a_missing_one_at_the_same_cost(
    scenario: Scenario, reader: str, request_: dict[str, str], code: str
) -> None:
    scenario.projects.calls.clear()
    with scenario.counted_statements() as statements:
        assert refusal(lambda: scenario.conversation(reader, **request_)) == code
    assert (scenario.projects.calls, statements) == ({"facts": 1}, [])


# request
MALFORMED = [
    ({}, ["channel"]),
    ({"channel": NORTH, "project": "p1"}, ["channel"]),
    ({"channel": NORTH, "before": 3, "around": 3}, ["around", "before"]),
    ({"channel": NORTH, "latest": True, "after": 3}, ["after", "latest"]),
]


@pytest.mark.parametrize(("request_", "named"), MALFORMED)
def test_a_request_names_one_place_and_one_page(
    scenario: Scenario, request_: dict[str, object], named: list[str]
) -> None:
    with pytest.raises(Refused, match=r"request\.malformed") as refused:
        scenario.conversation("nat", **request_)
    assert list(refused.value.detail["fields"]) == named


# reader | marks in a broadcast to @Ian Moss @Nat Moreau @Sam Duarte
MARKS = {
    "ivy": {"ian", "nat", "sam"},
    "nat": {"ian", "nat"},
    "nia": {"ian", "nat"},
    "sam": {"ian", "sam"},
}


def test_mentions_are_marked_as_each_reader_could_make_them(scenario: Scenario) -> None:
    text = "@Ian Moss @Nat Moreau @Sam Duarte"
    scenario.post("ivy", BROADCAST, text)
    for reader, marked in MARKS.items():
        for (shown,) in (
            scenario.page(reader, BROADCAST).messages,
            scenario.conversation(reader, channel=BROADCAST).page.messages,
        ):
            assert {mark.person for mark in shown.mentions} == marked
            assert {m.person for m in shown.mentions if m.me} == marked & {reader}
    spans = [text[m.start : m.end] for m in shown.mentions]
    assert spans == ["@Ian Moss", "@Sam Duarte"]


def test_a_mark_follows_the_text_and_no_later_name(scenario: Scenario) -> None:
    posted = scenario.post("ivy", NORTH, "@Nat Moreau hello")
    scenario.projects.rename("nat", "Nathalie Roux")
    (shown,) = scenario.page("nia", NORTH).messages
    assert [(m.start, m.end, m.person) for m in shown.mentions] == [(0, 11, "nat")]
    scenario.edit("ivy", posted.id, "so @Nathalie Roux")
    (shown,) = scenario.page("nia", NORTH).messages
    assert [(m.start, m.end, m.person) for m in shown.mentions] == [(3, 17, "nat")]
    scenario.delete("ivy", posted.id)
    (shown,) = scenario.page("nia", NORTH).messages
    assert shown.mentions == ()


def test_a_handle_of_the_author_and_of_nobody_is_no_mark(scenario: Scenario) -> None:
    scenario.post("ivy", NORTH, "@Ivy Lane @Sam Duarte @Nat Moreau @Nat Moreau")
    (shown,) = scenario.page("ivy", NORTH).messages
    assert [mark.person for mark in shown.mentions] == ["nat", "nat"]


# reader | message | may edit, delete
MAY = [
    ("ivy", "ivy", (True, True)),
    ("ian", "ivy", (False, True)),
    ("nat", "ivy", (False, False)),
    ("nat", "nat", (True, True)),
    ("nia", "nat", (False, False)),
    ("ivy", "nat", (False, True)),
]


def test_a_message_says_what_its_reader_may_do(scenario: Scenario) -> None:
    ids = {author: scenario.post(author, NORTH, "x").id for author in ("ivy", "nat")}
    for reader, author, expected in MAY:
        page = scenario.page(reader, NORTH)
        (may,) = (m.may for m in page.messages if m.id == ids[author])
        assert (may.edit, may.delete) == expected, (reader, author)
    scenario.delete("ivy", ids["nat"])
    tombstone = scenario.page("nat", NORTH).messages[1]
    assert (tombstone.may.edit, tombstone.may.delete) == (False, False)


def test_services_get_no_readers_view(scenario: Scenario) -> None:
    posted = scenario.post("ivy", NORTH, "@Nat Moreau")
    stored = scenario.content(posted.id).message
    assert (stored.mentions, stored.may.edit, stored.may.delete) == ((), False, False)
