"""What each call costs in statements and in questions to `projects`, however much there is.

The budgets are exact: a call that got cheaper changes its row as well.
"""

from collections.abc import Callable, Mapping

import pytest

from clp_suite.sample_data import Part
from tests.services.messages.scenario import BROADCAST, NORTH, SOUTH, Stage

Call = Callable[[Stage], object]
FACTS = {"facts": 1}
NAMING = {"facts": 1, "owners": 1}
REMEMBERED: Mapping[str, int] = {}


def last_of(stage: Stage, person: str) -> str:
    """The newest message of a person in north's channel."""
    page = stage.page("ivy", NORTH, limit=100)
    return next(m.id for m in reversed(page.messages) if m.author.id == person)


def first_edit(stage: Stage, person: str, text: str) -> Call:
    message = last_of(stage, person)
    return lambda s: s.edit(person, message, text)


def deletion(stage: Stage, person: str, author: str) -> Call:
    message = last_of(stage, author)
    return lambda s: s.delete(person, message)


def audit(stage: Stage) -> Call:
    message = last_of(stage, "nat")
    return lambda s: s.earlier_texts("ivy", message)


def for_mail(stage: Stage) -> Call:
    message = last_of(stage, "ivy")
    return lambda s: s.for_mail("nat", message)


def content(stage: Stage) -> Call:
    message = last_of(stage, "ivy")
    return lambda s: s.content(message)


def with_file(stage: Stage) -> Call:
    file = stage.upload("nat", NORTH)
    return lambda s: s.post("nat", NORTH, "see", files=(file,))


def replay(stage: Stage) -> Call:
    stage.post("nat", NORTH, "again", key="again")
    return lambda s: s.post("nat", NORTH, "again", key="again")


def now(call: Call) -> Callable[[Stage], Call]:
    return lambda _: call


# call                                          | statements | questions
BUDGETS: list[tuple[str, Callable[[Stage], Call], int, Mapping[str, int]]] = [
    ("post, by a partner", now(lambda s: s.post("nat", NORTH, "hello")), 3, FACTS),
    ("post, by the studio", now(lambda s: s.post("ivy", NORTH, "hello")), 3, REMEMBERED),
    ("post, by the robot", now(lambda s: s.post("robot", BROADCAST, "hello")), 3, REMEMBERED),
    ("post, with a mention", now(lambda s: s.post("ivy", NORTH, "@Nat Moreau")), 4, NAMING),
    ("post, with a file", with_file, 5, FACTS),
    ("post, replayed", replay, 3, FACTS),
    ("post, refused", now(lambda s: refused(s, "nat", SOUTH)), 0, FACTS),
    ("edit", lambda s: first_edit(s, "nat", "other words"), 8, FACTS),
    ("edit, with a mention", lambda s: first_edit(s, "nat", "@Ian Moss"), 9, NAMING),
    ("delete", lambda s: deletion(s, "ivy", "nat"), 7, FACTS),
    ("earlier texts", audit, 3, FACTS),
    ("page", now(lambda s: s.page("nat", NORTH, limit=10)), 3, FACTS),
    ("page, for the studio", now(lambda s: s.page("ivy", NORTH, around=3)), 3, REMEMBERED),
    ("channels", now(lambda s: s.channels("nat")), 0, FACTS),
    ("mark read", now(lambda s: s.mark_read("nat", NORTH, 10**6)), 4, FACTS),
    ("unread", now(lambda s: s.unread("nat")), 1, FACTS),
    ("mentionable", now(lambda s: s.mentionable("nat", NORTH, "i")), 0, {"facts": 1, "people_like": 1}),
    ("for mail", for_mail, 5, FACTS),
    ("contents", content, 3, {}),
]  # fmt: skip


def refused(stage: Stage, person: str, channel: str) -> None:
    with pytest.raises(Exception, match=r"channel\.missing"):
        stage.post(person, channel, "hello")


def grow(stage: Stage, by: int) -> None:
    """More old messages, edits, tombstones and readers who have read."""
    for number in range(by):
        ivys = stage.post("ivy", NORTH, f"@Nat Moreau {number}")
        stage.post("nat", NORTH, f"line {number}")
        stage.post("ivy", BROADCAST, f"line {number}")
        stage.post("sam", SOUTH, f"line {number}")
        if number % 3 == 0:
            stage.edit("ivy", ivys.id, "other words")
            stage.delete("ivy", stage.post("nat", NORTH, "gone").id)
        reader = f"r{len(stage.projects.people)}"
        stage.projects.put(Part(reader, f"Reader {reader}", "north"))
        stage.mark_read(reader, NORTH, number + 1)


def test_no_call_costs_more_when_there_is_more(stage: Stage) -> None:
    for size in (4, 12):
        grow(stage, size)
        for name, prepared, statements, questions in BUDGETS:
            call = prepared(stage)
            stage.known_to_the_studio()
            stage.projects.asked.clear()
            with stage.counted_statements() as asked:
                call(stage)
            assert len(asked) == statements, (name, asked)
            assert stage.projects.asked == questions, name
