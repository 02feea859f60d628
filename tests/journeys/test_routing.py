"""Who is told by mail, and why: rows R1 to R4 (rules 22 to 25)."""

import pytest

from tests.journeys.scenario import Stage

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
        "An answer",
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
    ("author", "channel", "text", "told"),
    [pytest.param(*row[1:], id=row[0]) for row in ROWS],
)
def test_each_row_of_the_routing_table(
    stage: Stage, author: str, channel: str, text: str, told: list[tuple[str, str]]
) -> None:
    stage.follow(*EVERYBODY)
    posted = stage.post(
        author, stage.broadcast if channel == B else stage.direct(channel), text
    )
    assert stage.mailed() == told
    explained = stage.directory.notifications.explain(message=posted.id)
    assert {p.person for p in explained.people if p.told} == {who for who, _ in told}
    assert all(p.sentence for p in explained.people)


def test_a_mentioned_person_need_not_follow(stage: Stage) -> None:
    stage.post("ivy", stage.direct("north"), "@Nia Roux please")
    assert stage.mailed() == [("nia", "mention")]


def test_a_follower_who_lost_access_hears_nothing_and_hears_again(stage: Stage) -> None:
    stage.follow("nat", "sam")
    stage.withdraw("north")
    stage.post("ivy", stage.broadcast, "one")
    assert stage.mailed() == [("sam", "broadcast")]
    stage.assign("north")
    stage.post("ivy", stage.broadcast, "two")
    assert stage.mailed() == [
        ("nat", "broadcast"),
        ("sam", "broadcast"),
        ("sam", "broadcast"),
    ]


def test_unfollowing_stops_the_mails(stage: Stage) -> None:
    stage.follow("nat")
    stage.as_("nat").projects.unfollow(project=stage.project)
    stage.post("ivy", stage.broadcast, "one")
    assert stage.mailed() == []
