"""No question that is asked all the time reads a whole table, however many people."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from clp_contracts.feed import ReadChanges
from clp_contracts.projects import (
    Announce,
    AskAnnouncement,
    AskFacts,
    AskOwners,
    OneProject,
)
from clp_core.mentions import address_key, name_key
from clp_projects.use_cases import announcements, directory, followers
from tests.services.projects.bulk_people import fill
from tests.services.projects.sample_world import Story

# Enough that every table has rows; whether it is fast is measured elsewhere.
PEOPLE = 200
NO_TABLES = ("SCAN (", "SCAN CONSTANT", "SCAN anon", "SCAN json_each")

Ask = Callable[[Story], Any]

# what is asked | how
HOT: list[tuple[str, Ask]] = [
    ("one person and one project", lambda s: directory.facts_about(
        AskFacts(people=("c7",), projects=("y7",)), parts=s.parts)),
    ("a page of people, and who of them follows", lambda s: directory.facts_about(
        AskFacts(people=tuple(f"c{n}" for n in range(50)), projects=("y7",), following="y7"), parts=s.parts)),
    ("who owns a name or an address", lambda s: directory.owners(
        AskOwners(keys=(name_key("Ada Abe7"), address_key("c9@ito.example"))), parts=s.parts)),
    ("who follows a project", lambda s: directory.followers(OneProject(project="y7"), parts=s.parts)),
    ("whose name begins so", lambda s: s.suggested("ad", project="y7")),
    ("whose name begins with anything", lambda s: s.suggested("", project="y7")),
    ("whose name begins like nobody's", lambda s: s.suggested("zz", project="y7")),
    ("my projects, of the studio", lambda s: followers.my_projects(actor="c5", parts=s.parts)),
    ("my projects, of a partner", lambda s: followers.my_projects(actor="c7", parts=s.parts)),
    ("following and stopping", lambda s: (s.follow("c5", "y7"), s.unfollow("c5", "y7"))),
    ("a person's new record", lambda s: s.person("c5", "Somebody Else")),
    ("a partner leaves and returns", lambda s: (s.withdraw("north"), s.assign("north"))),
    ("a fact and the same again", lambda s: [announcements.announce(
        Announce(project="y7", kind="audio_available", facts={"language": "fr"}, key="k2"), parts=s.parts) for _ in "ab"]),
    ("what was announced", lambda s: announcements.announcement(AskAnnouncement(id="ay7"), parts=s.parts)),
    ("the newest changes", lambda s: directory.changes(ReadChanges(after=3), parts=s.parts)),
]  # fmt: skip


@pytest.fixture
def crowded(story: Story) -> Story:
    fill(story.database, PEOPLE)
    return story


def plans_of(story: Story, ask: Ask) -> list[tuple[str, str]]:
    """Each statement that a question asks, with the database's plan for it."""
    engine = story.database.engine
    word = "EXPLAIN QUERY PLAN" if story.database.is_sqlite else "EXPLAIN"
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
            asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    ask(story)
    event.remove(engine, "before_cursor_execute", note)
    plans = []
    with engine.connect() as connection:
        if not story.database.is_sqlite:
            # Small tables are read whole because that is quicker. Forbidden to, the
            # planner does it only where no index serves.
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, values in asked:
            rows = connection.exec_driver_sql(f"{word} {statement}", values)
            plans.append((statement, "\n".join(str(row[-1]) for row in rows)))
    return plans


def reads_a_whole_table(plan: str) -> bool:
    """Whether a plan goes through all rows of a table or of an index.

    What is named in the question itself is no table.
    """
    return any(
        line.strip(" ->").startswith(("SCAN ", "Seq Scan", "Parallel Seq Scan"))
        and not line.strip().startswith(NO_TABLES)
        for line in plan.splitlines()
    )


def test_no_hot_question_reads_a_whole_table(crowded: Story) -> None:
    slow = []
    for what, ask in HOT:
        plans = plans_of(crowded, ask)
        assert plans, what
        slow += [(what, *found) for found in plans if reads_a_whole_table(found[1])]
    assert slow == []
