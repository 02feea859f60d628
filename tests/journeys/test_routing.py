"""Recipients by mail and their triggers: rows R1 to R4 (rules 22 to 25)."""

import pytest

from tests.journeys.scenario import Scenario

EVERYBODY = ("ivy", "ian", "nat", "nia", "sam")
B, N = "broadcast", "north"

# row, author, channel, text, who is mailed and why
ROWS = [
    (
        "R1 new broadcast: all external followers",
        "ivy",
        B,
        "Hello all",
        [("nat", "broadcast"), ("nia", "broadcast"), ("sam", "broadcast")],
    ),
    (
        "R1 by the robot too",
        "robot",
        B,
        "Audio is here",
        [("nat", "broadcast"), ("nia", "broadcast"), ("sam", "broadcast")],
    ),
    (
        "R2 direct from a partner: all internal followers",
        "nat",
        N,
        "A question",
        [("ian", "direct"), ("ivy", "direct")],
    ),
    (
        "R3 direct from internal: followers of that partner",
        "ivy",
        N,
        "A reply",
        [("nat", "direct"), ("nia", "direct")],
    ),
    (
        "R4 a mention in a broadcast tells only the mentioned",
        "ivy",
        B,
        "@Nat Moreau look",
        [("nat", "mention")],
    ),
    (
        "R4 a mention in a direct message tells only the mentioned",
        "nat",
        N,
        "@Ian Moss look",
        [("ian", "mention")],
    ),
    ("R4 by mail address", "ivy", N, "@nia@north.example look", [("nia", "mention")]),
    (
        "an unknown handle mentions nobody, so R2 holds",
        "nat",
        N,
        "@Sam Duarte look",
        [("ian", "direct"), ("ivy", "direct")],
    ),
    (
        "mentioning oneself mentions nobody, so R3 holds",
        "ivy",
        N,
        "@Ivy Lane look",
        [("nat", "direct"), ("nia", "direct")],
    ),
]


@pytest.mark.parametrize(
    ("author", "channel", "text", "recipients"),
    [pytest.param(*row[1:], id=row[0]) for row in ROWS],
)
def test_each_row_of_the_routing_table(
    scenario: Scenario,
    author: str,
    channel: str,
    text: str,
    recipients: list[tuple[str, str]],
) -> None:
    scenario.follow(*EVERYBODY)
    if author == "robot":
        message = scenario.announce(text).id
    else:
        place = scenario.broadcast if channel == B else scenario.direct(channel)
        message = scenario.post(author, place, text).id
    assert scenario.mailed() == recipients
    explained = scenario.operations.notifications.explain(message=message)
    assert {p.person for p in explained.people if p.told} == {
        who for who, _ in recipients
    }
    assert all(p.sentence for p in explained.people)


def test_a_mentioned_person_need_not_follow(scenario: Scenario) -> None:
    scenario.post("ivy", scenario.direct("north"), "@Nia Roux please")
    assert scenario.mailed() == [("nia", "mention")]


def test_a_follower_without_access_is_not_mailed_until_it_returns(
    scenario: Scenario,
) -> None:
    scenario.follow("nat", "sam")
    scenario.withdraw("north")
    scenario.post("ivy", scenario.broadcast, "one")
    assert scenario.mailed() == [("sam", "broadcast")]
    scenario.assign("north")
    scenario.post("ivy", scenario.broadcast, "two")
    assert scenario.mailed() == [
        ("nat", "broadcast"),
        ("sam", "broadcast"),
        ("sam", "broadcast"),
    ]


def test_unfollowing_stops_the_mails(scenario: Scenario) -> None:
    scenario.follow("nat")
    scenario.as_("nat").projects.unfollow(project=scenario.project)
    scenario.post("ivy", scenario.broadcast, "one")
    assert scenario.mailed() == []
