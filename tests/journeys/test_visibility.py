"""The visibility table, cell by cell, over RPC and HTTP (rules 5 to 7)."""

from collections.abc import Callable

import pytest

from clp_contracts.errors import Refused
from tests.journeys.scenario import Stage

ALL = {"read", "post", "search", "mention", "unread", "attach"}
LISTEN = {"read", "search", "unread"}

# who                      | broadcast | own direct | another partner's direct
TABLE = {
    "ivy": (ALL, ALL, ALL),
    "nat": (LISTEN, ALL, set()),
    "wes": (set(), set(), set()),
    "robot": ({"post"}, set(), set()),
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


def channel_of(stage: Stage, actor: str, column: int) -> str:
    return (stage.broadcast, stage.direct(OWN[actor]), stage.direct("south"))[column]


def read(stage: Stage, actor: str, channel: str) -> bool:
    return bool(stage.as_(actor).messages.page(channel=channel).messages)


def post(stage: Stage, actor: str, channel: str) -> bool:
    return stage.post(actor, channel, "a new line").number > 0


def search(stage: Stage, actor: str, channel: str) -> bool:
    return bool(stage.as_(actor).search.find(query="zebra", channel=channel).hits)


def mention(stage: Stage, actor: str, channel: str) -> bool:
    found = stage.as_(actor).messages.mentionable(channel=channel, typed="i")
    return bool(found.people)


def unread(stage: Stage, actor: str, channel: str) -> bool:
    told = stage.as_(actor).messages.unread(projects=[stage.project])
    return any(
        c.channel == channel and c.unread for p in told.projects for c in p.channels
    )


def attach(stage: Stage, actor: str, channel: str) -> bool:
    files = stage.suite.files(actor)
    return bool(files.upload(channel=channel, name="cue.csv", body=b"a,b\n1,2\n"))


ACTIONS: dict[str, Callable[[Stage, str, str], bool]] = {
    "read": read,
    "post": post,
    "search": search,
    "mention": mention,
    "unread": unread,
    "attach": attach,
}


@pytest.fixture(scope="module")
def busy_stage(suite: object) -> Stage:
    """A project in which every channel has a message about a zebra."""
    stage = Stage(suite, "table")  # type: ignore[arg-type]
    for channel in (stage.broadcast, stage.direct("north"), stage.direct("south")):
        stage.post("ian", channel, "the zebra crosses")
    stage.suite.settle()
    return stage


def outcome(action: Callable[[], bool]) -> tuple[str, str]:
    """What a call gives: yes, no, or the code and detail of its refusal."""
    try:
        return ("yes", "") if action() else ("no", "")
    except Refused as refused:
        return refused.code, refused.detail_json


@pytest.mark.parametrize(("actor", "column", "action"), CELLS)
def test_each_cell_of_the_table(
    busy_stage: Stage, actor: str, column: int, action: str
) -> None:
    channel = channel_of(busy_stage, actor, column)
    told = outcome(lambda: ACTIONS[action](busy_stage, actor, channel))
    if action in TABLE[actor][column]:
        assert told == ("yes", "")
        return
    if (actor, column) == ("nat", 0):
        assert told == ("broadcast.internal_only", "{}")
        return
    # "Nothing" is told apart from a missing channel by nothing at all.
    missing = "nowhere/broadcast" if column == 0 else "nowhere/direct/nobody"
    assert told == outcome(lambda: ACTIONS[action](busy_stage, actor, missing))
    assert told != ("yes", "")


def test_a_withdrawn_partner_is_out_at_once_and_back_when_assigned(
    stage: Stage,
) -> None:
    posted = stage.post("nat", stage.direct("north"), "before")
    stage.withdraw("north")
    for channel in (stage.broadcast, stage.direct("north")):
        with pytest.raises(Refused, match=r"channel\.missing"):
            stage.as_("nat").messages.page(channel=channel)
    kept = stage.as_("ivy").messages.page(channel=stage.direct("north"))
    assert [message.id for message in kept.messages] == [posted.id]
    stage.assign("north")
    back = stage.as_("nat").messages.page(channel=stage.direct("north"))
    assert back == kept
