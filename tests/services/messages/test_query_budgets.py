"""Statements and calls to `projects` per call, whatever the amount of data.

The budgets are exact: a call that got cheaper changes its row as well.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest

from clp_suite.sample_data import CastMember
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Scenario

Call = Callable[[Scenario], object]
FACTS = {"facts": 1}
RESOLVING = {"facts": 1, "owners": 1}
CACHED: Mapping[str, int] = {}


def last_of(scenario: Scenario, person: str) -> str:
    """The newest message of a person in north's channel."""
    page = scenario.page("ivy", NORTH, limit=100)
    return next(m.id for m in reversed(page.messages) if m.author.id == person)


def first_edit(scenario: Scenario, person: str, text: str) -> Call:
    message = last_of(scenario, person)
    return lambda s: s.edit(person, message, text)


def deletion(scenario: Scenario, *, files: int = 0) -> Call:
    uploaded = tuple(scenario.upload("nat", NORTH) for _ in range(files))
    message = scenario.post("nat", NORTH, "soon gone", files=uploaded).id
    return lambda s: s.delete("ivy", message)


def audit(scenario: Scenario) -> Call:
    message = last_of(scenario, "nat")
    return lambda s: s.revisions("ivy", message)


def mail_items(scenario: Scenario) -> Call:
    message = last_of(scenario, "ivy")
    return lambda s: s.mail_items("nat", message)


def content(scenario: Scenario) -> Call:
    message = last_of(scenario, "ivy")
    return lambda s: s.content(message)


def edited(scenario: Scenario) -> Call:
    message = scenario.post("nat", NORTH, "words").id
    scenario.edit("nat", message, "other words")
    return lambda s: s.content(message)


def with_file(scenario: Scenario) -> Call:
    file = scenario.upload("nat", NORTH)
    return lambda s: s.post("nat", NORTH, "see", files=(file,))


def replay(scenario: Scenario) -> Call:
    scenario.post("nat", NORTH, "again", key="again")
    return lambda s: s.post("nat", NORTH, "again", key="again")


def now(call: Call) -> Callable[[Scenario], Call]:
    return lambda _: call


class Statements(NamedTuple):
    """What SQLite needs where PostgreSQL posts with one statement."""

    sqlite: int
    postgresql: int


# call                                          | statements | calls
BUDGETS: list[
    tuple[str, Callable[[Scenario], Call], int | Statements, Mapping[str, int]]
] = [
    ("post, by a partner", now(lambda s: s.post("nat", NORTH, "hello")), Statements(3, 1), FACTS),
    ("post, by the studio", now(lambda s: s.post("ivy", NORTH, "hello")), Statements(3, 1), CACHED),
    ("post, with a mention", now(lambda s: s.post("ivy", NORTH, "@Nat Moreau")), Statements(4, 1), {"owners": 1}),
    ("post, with a file", with_file, Statements(5, 3), FACTS),
    ("post, replayed", replay, Statements(3, 2), FACTS),
    ("post, refused", now(lambda s: refused(s, "nat", SOUTH)), 0, FACTS),
    ("edit", lambda s: first_edit(s, "nat", "other words"), 8, FACTS),
    ("edit, with a mention", lambda s: first_edit(s, "nat", "@Ian Moss"), 9, RESOLVING),
    ("delete", deletion, 8, CACHED),
    ("delete, with files", lambda s: deletion(s, files=2), 11, CACHED),
    ("revisions", audit, 3, CACHED),
    ("page", now(lambda s: s.page("nat", NORTH, limit=10)), 1, FACTS),
    ("page, for the studio", now(lambda s: s.page("ivy", NORTH, around=3)), 1, CACHED),
    ("conversation", now(lambda s: s.conversation("nat", channel=NORTH)), 2, FACTS),
    ("channels", now(lambda s: s.channels("nat")), 0, FACTS),
    ("mark read", now(lambda s: s.mark_read("nat", NORTH, 10**6)), 1, FACTS),
    ("unread", now(lambda s: s.unread("nat")), 1, FACTS),
    ("mentionable", now(lambda s: s.mentionable("nat", NORTH, "i")), 0, {"facts": 1, "suggest_people": 1}),
    ("readable messages", mail_items, 4, FACTS),
    ("get messages", content, 1, {}),
    ("get messages, of an edited one", edited, 2, {}),
]  # fmt: skip


def refused(scenario: Scenario, person: str, channel: str) -> None:
    with pytest.raises(Exception, match=r"channel\.missing"):
        scenario.post(person, channel, "hello")


def grow(scenario: Scenario, by: int) -> None:
    """More old messages, edits, tombstones and readers who have read."""
    for number in range(by):
        ivys = scenario.post("ivy", NORTH, f"@Nat Moreau {number}")
        scenario.post("nat", NORTH, f"line {number}")
        scenario.post("ivy", BROADCAST, f"line {number}")
        scenario.post("sam", SOUTH, f"line {number}")
        if number % 3 == 0:
            scenario.edit("ivy", ivys.id, "other words")
            scenario.delete("ivy", scenario.post("nat", NORTH, "gone").id)
        reader = f"r{len(scenario.projects.people)}"
        scenario.projects.put(CastMember(reader, f"Reader {reader}", "north"))
        scenario.mark_read(reader, NORTH, number + 1)


def test_no_call_costs_more_with_more_data(scenario: Scenario) -> None:
    for size in (4, 12):
        grow(scenario, size)
        for name, prepared, statements, questions in BUDGETS:
            call = prepared(scenario)
            scenario.forget_leases()
            scenario.fill_cache()
            scenario.projects.calls.clear()
            with scenario.counted_statements() as executed:
                call(scenario)
            if isinstance(statements, Statements):
                statements = getattr(statements, scenario.dialect)  # noqa: PLW2901
            assert len(executed) == statements, (name, executed)
            assert scenario.projects.calls == questions, name


def test_a_partner_costs_no_call_while_facts_are_leased(scenario: Scenario) -> None:
    posted = scenario.post("nat", NORTH, "hello")
    file = scenario.upload("nat", NORTH)
    scenario.post("nat", NORTH, "see", files=(file,))
    scenario.projects.calls.clear()
    scenario.post("nat", NORTH, "hello")
    scenario.page("nat", NORTH)
    scenario.page("nat", BROADCAST)
    scenario.mark_read("nat", NORTH, 1)
    scenario.unread("nat")
    scenario.edit("nat", posted.id, "other words")
    scenario.download("nat", file)
    assert scenario.projects.calls == {}
    scenario.forget_leases()
    scenario.page("nat", NORTH)
    assert scenario.projects.calls == {"facts": 1}
