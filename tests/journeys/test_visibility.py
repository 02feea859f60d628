"""The visibility table, cell by cell, over RPC and HTTP (rules 5 to 7)."""

from collections.abc import Callable

import pytest

from clp_contracts.errors import Refused
from tests.journeys.scenario import Scenario

ALL = {"read", "post", "search", "mention", "unread", "attach"}
LISTEN = {"read", "search", "unread"}

# who                      | broadcast | own direct | another partner's direct
TABLE = {
    "ivy": (ALL, ALL, ALL),
    "nat": (LISTEN, ALL, set()),
    "wes": (set(), set(), set()),
    # Nobody acts as the robot: `messages` writes its broadcasts itself (T25).
    "robot": (set(), set(), set()),
    "lin": (set(), set(), set()),
}
WORDS = {
    "ivy": "internal, with access",
    "nat": "external, partner assigned",
    "wes": "external, partner not assigned",
    "robot": "robot",
    "lin": "anybody without access",
}
OWN = {"ivy": "north", "nat": "north", "wes": "west", "robot": "north", "lin": "north"}

CELLS = [
    pytest.param(actor, column, action, id=f"{WORDS[actor]} / {name} / {action}")
    for actor, columns in TABLE.items()
    for column, name in enumerate(("broadcast", "own direct", "direct of another"))
    for action in sorted(ALL)
    if columns is not None
]


def channel_of(scenario: Scenario, actor: str, column: int) -> str:
    return (scenario.broadcast, scenario.direct(OWN[actor]), scenario.direct("south"))[
        column
    ]


def read(scenario: Scenario, actor: str, channel: str) -> bool:
    return bool(scenario.as_(actor).messages.page(channel=channel).messages)


def post(scenario: Scenario, actor: str, channel: str) -> bool:
    return scenario.post(actor, channel, "a new line").number > 0


def search(scenario: Scenario, actor: str, channel: str) -> bool:
    return bool(scenario.as_(actor).search.find(query="zebra", channel=channel).hits)


def mention(scenario: Scenario, actor: str, channel: str) -> bool:
    found = scenario.as_(actor).messages.mentionable(channel=channel, typed="i")
    return bool(found.people)


def unread(scenario: Scenario, actor: str, channel: str) -> bool:
    result = scenario.as_(actor).messages.unread(projects=[scenario.project])
    return any(
        c.channel == channel and c.unread for p in result.projects for c in p.channels
    )


def attach(scenario: Scenario, actor: str, channel: str) -> bool:
    files = scenario.suite.files(actor)
    return bool(files.upload(channel=channel, name="cue.csv", body=b"a,b\n1,2\n"))


ACTIONS: dict[str, Callable[[Scenario, str, str], bool]] = {
    "read": read,
    "post": post,
    "search": search,
    "mention": mention,
    "unread": unread,
    "attach": attach,
}


@pytest.fixture(scope="module")
def busy_scenario(suite: object) -> Scenario:
    """A project in which every channel has a message about a zebra."""
    scenario = Scenario(suite, "table")  # type: ignore[arg-type]
    for channel in (
        scenario.broadcast,
        scenario.direct("north"),
        scenario.direct("south"),
    ):
        scenario.post("ian", channel, "the zebra crosses")
    scenario.suite.settle()
    return scenario


def outcome(action: Callable[[], bool]) -> tuple[str, str]:
    """The outcome of a call: yes, no, or the code and detail of its refusal."""
    try:
        return ("yes", "") if action() else ("no", "")
    except Refused as refused:
        return refused.code, refused.detail_json


@pytest.mark.parametrize(("actor", "column", "action"), CELLS)
def test_each_cell_of_the_table(
    busy_scenario: Scenario, actor: str, column: int, action: str
) -> None:
    channel = channel_of(busy_scenario, actor, column)
    result = outcome(lambda: ACTIONS[action](busy_scenario, actor, channel))
    if action in TABLE[actor][column]:
        assert result == ("yes", "")
        return
    if (actor, column) == ("nat", 0):
        assert result == ("broadcast.internal_only", "{}")
        return
    # "Nothing" is told apart from a missing channel by nothing at all.
    missing = "nowhere/broadcast" if column == 0 else "nowhere/direct/nobody"
    assert result == outcome(lambda: ACTIONS[action](busy_scenario, actor, missing))
    assert result != ("yes", "")


def test_a_withdrawn_partner_reads_nothing_until_assigned_again(
    scenario: Scenario,
) -> None:
    posted = scenario.post("nat", scenario.direct("north"), "before")
    before = scenario.as_("nat").messages.page(channel=scenario.direct("north"))
    scenario.withdraw("north")
    for channel in (scenario.broadcast, scenario.direct("north")):
        with pytest.raises(Refused, match=r"channel\.missing"):
            scenario.as_("nat").messages.page(channel=channel)
    kept = scenario.as_("ivy").messages.page(channel=scenario.direct("north"))
    assert [message.id for message in kept.messages] == [posted.id]
    scenario.assign("north")
    back = scenario.as_("nat").messages.page(channel=scenario.direct("north"))
    assert back == before
