"""No frequent statement scans a table, however many people there are."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from clp_contracts.feed import ReadChanges
from clp_contracts.projects import (
    Announce,
    FindProjects,
    Follow,
    GetAnnouncement,
    GetFacts,
    GetFollowers,
    GetPeopleByHandle,
)
from clp_core.mentions import address_key, name_key
from clp_projects.use_cases import announcements, directory, people, readable_projects
from tests.services.projects.bulk_people import fill
from tests.services.projects.sample_world import World

# Enough that every table has rows; whether it is fast is measured elsewhere.
PEOPLE = 200
NO_TABLES = ("SCAN (", "SCAN CONSTANT", "SCAN anon", "SCAN json_each")

Statement = Callable[[World], Any]

# statement | call
HOT: list[tuple[str, Statement]] = [
    ("one person and one project", lambda s: directory.facts_about(
        GetFacts(people=("c7",), project_ids=("y7",)), deps=s.deps)),
    ("a page of people, and who of them follows", lambda s: directory.facts_about(
        GetFacts(people=tuple(f"c{n}" for n in range(50)), project_ids=("y7",), follows=(Follow(person="c5", project="y7"),)), deps=s.deps)),
    ("projects with all their followers", lambda s: directory.facts_about(
        GetFacts(people=("c7",), project_ids=("y7", "y8"), all_follows=True), deps=s.deps)),
    ("who owns a name or an address", lambda s: directory.people_by_handle(
        GetPeopleByHandle(lookup_keys=(name_key("Ada Abe7"), address_key("c9@ito.example")), partner="north"), deps=s.deps)),
    ("who owns a name or an address, of everybody", lambda s: directory.people_by_handle(
        GetPeopleByHandle(lookup_keys=(name_key("Ada Abe7"), address_key("c9@ito.example")), everybody=True), deps=s.deps)),
    ("who follows a project", lambda s: directory.followers(GetFollowers(project="y7"), deps=s.deps)),
    ("who of one partner follows a project", lambda s: directory.followers(
        GetFollowers(project="y7", partner="north"), deps=s.deps)),
    ("whose name begins so", lambda s: s.suggested("ad", project="y7")),
    ("whose name begins with anything", lambda s: s.suggested("", project="y7")),
    ("whose name begins like nobody's", lambda s: s.suggested("zz", project="y7")),
    ("my projects, of the studio", lambda s: readable_projects.my_projects(actor="c5", deps=s.deps)),
    ("my projects, of a partner", lambda s: readable_projects.my_projects(actor="c7", deps=s.deps)),
    ("a page of found projects, of a partner", lambda s: readable_projects.find_projects(
        FindProjects(typed="title"), actor="c7", deps=s.deps)),
    ("followed projects, of nobody", lambda s: readable_projects.my_projects(actor="c9", deps=s.deps)),
    ("me", lambda s: people.me(actor="c7", deps=s.deps)),
    ("following and stopping", lambda s: (s.follow("c5", "y7"), s.unfollow("c5", "y7"))),
    ("a person's new record", lambda s: s.person("c5", "Somebody Else")),
    ("a partner leaves and returns", lambda s: (s.withdraw("north"), s.assign("north"))),
    ("a fact and the same again", lambda s: [announcements.announce(
        Announce(project="y7", kind="audio_available", facts={"language": "fr"}, key="k2"), deps=s.deps) for _ in "ab"]),
    ("what was announced", lambda s: announcements.announcement(GetAnnouncement(id="ay7"), deps=s.deps)),
    ("the newest changes", lambda s: directory.changes(ReadChanges(after=3), deps=s.deps)),
]  # fmt: skip


@pytest.fixture
def crowded(world: World) -> World:
    fill(world.database, PEOPLE)
    return world


def plans_of(world: World, request: Statement) -> list[tuple[str, str]]:
    """Each statement that a question asks, with the database's plan for it."""
    engine = world.database.engine
    word = "EXPLAIN QUERY PLAN" if world.database.is_sqlite else "EXPLAIN"
    statements: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
            statements.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    request(world)
    event.remove(engine, "before_cursor_execute", note)
    plans = []
    with engine.connect() as connection:
        if not world.database.is_sqlite:
            # Small tables are read whole because that is quicker. Forbidden to, the
            # planner does it only where no index serves.
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, values in statements:
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


def test_no_frequent_statement_scans_a_table(crowded: World) -> None:
    slow = []
    for what, request in HOT:
        plans = plans_of(crowded, request)
        assert plans, what
        slow += [(what, *found) for found in plans if reads_a_whole_table(found[1])]
    assert slow == []
