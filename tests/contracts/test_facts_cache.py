"""What a service may remember of `projects`, and how it may use it (rules 5 and 7)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from clp_contracts import events
from clp_contracts.client.projects import Projects
from clp_contracts.facts_cache import LIFETIME_S, KnownFacts
from clp_contracts.projects import Facts, PersonFacts, ProjectFacts

IVY = PersonFacts(
    id="ivy", name="Ivy Lane", email="i@x", partner=None, roles=(), active=True
)
NAT = replace(IVY, id="nat", partner="north")
P1 = ProjectFacts(id="p1", title="T", assigned=("north",), withdrawn=(), partners=())


class Directory:
    """Answers as `projects` does, counts the questions, and can be slow."""

    def __init__(self) -> None:
        self.people = {"ivy": IVY, "nat": NAT}
        self.projects = {"p1": P1, "p2": replace(P1, id="p2")}
        self.asked = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def facts(self, *, projects_: Sequence[str], people: Sequence[str]) -> Facts:
        self.asked += 1
        told = Facts(
            projects=tuple(self.projects[p] for p in projects_ if p in self.projects),
            people=tuple(self.people[p] for p in people if p in self.people),
        )
        self.meanwhile()
        return told


class Memory:
    """Known facts with a clock and a directory of their own."""

    def __init__(self) -> None:
        self.time = 100.0
        self.directory = Directory()
        self.known = KnownFacts(
            cast("Projects", self.directory), clock=lambda: self.time
        )

    def remembers(self, person: str | None = "ivy", project: str = "p1") -> bool:
        """Whether there is an answer without a question."""
        asked = self.directory.asked
        next(self.known.about(person, project))
        found = self.directory.asked == asked
        self.directory.asked = asked
        return found

    def learn(self, *people: str, project: str = "p1") -> None:
        for person in people or ("ivy",):
            self.known.now(person, project)

    def hear(self, type: str, subject: str, project: str = "") -> None:
        self.known.drop({"type": type, "subject": subject, "project": project})


@pytest.fixture
def memory() -> Memory:
    return Memory()


def test_the_studio_is_remembered_for_seconds_and_partners_never(
    memory: Memory,
) -> None:
    memory.learn("ivy", "nat")
    assert memory.remembers("ivy")
    assert not memory.remembers("nat")
    memory.time += LIFETIME_S - 0.01
    assert memory.remembers("ivy")
    memory.time += 0.02
    assert not memory.remembers("ivy")


def test_the_truth_follows_what_is_remembered(memory: Memory) -> None:
    memory.learn()
    memory.directory.projects["p1"] = replace(P1, assigned=("north", "south"))
    told = [facts.projects[0].assigned for facts in memory.known.about("ivy", "p1")]
    assert told == [("north",), ("north", "south")]


def test_the_robot_needs_the_project_alone(memory: Memory) -> None:
    memory.learn()
    assert memory.remembers(None)


def test_a_missing_and_a_hidden_thing_are_asked_for_once_each(memory: Memory) -> None:
    for person, project in (("nat", "p2"), ("nat", "nowhere"), ("nobody", "p1")):
        for _ in range(2):
            memory.directory.asked = 0
            assert len(list(memory.known.about(person, project))) == 1
            assert memory.directory.asked == 1


# event                                              | drops ivy | drops p1
EVENTS = [
    ((events.PERSON_CHANGED, "ivy"), True, False),
    ((events.PERSON_CHANGED, "ian"), False, False),
    ((events.PROJECT_CHANGED, "p1", "p1"), False, True),
    ((events.PARTNER_ASSIGNED, "north", "p1"), False, True),
    ((events.PARTNER_WITHDRAWN, "north", "p1"), False, True),
    ((events.PARTNER_WITHDRAWN, "north", "p2"), False, False),
    ((events.PARTNER_CHANGED, "north"), False, True),
    ((events.PROJECT_FOLLOWED, "ivy", "p1"), False, False),
    ((events.SCHEDULE_ANNOUNCED, "a1", "p1"), False, False),
]


@pytest.mark.parametrize(("event", "ivy", "p1"), EVENTS, ids=str)
def test_an_event_drops_what_it_touches(
    memory: Memory,
    event: tuple[Any, ...],
    ivy: bool,  # noqa: FBT001 - the columns of the table
    p1: bool,  # noqa: FBT001
) -> None:
    memory.learn("ivy")
    memory.hear(*event)
    assert memory.remembers(None, "p1") != p1
    memory.learn("nobody")  # p1 again, without ivy
    assert memory.remembers("ivy", "p1") != ivy


def test_an_answer_on_its_way_is_dropped_as_well(memory: Memory) -> None:
    memory.directory.meanwhile = lambda: memory.hear(events.PERSON_CHANGED, "ivy")
    memory.learn()
    memory.directory.meanwhile = lambda: None
    assert not memory.remembers()


def test_a_lifetime_counts_from_the_question_and_not_from_the_answer(
    memory: Memory,
) -> None:
    def slow() -> None:
        memory.time += LIFETIME_S

    memory.directory.meanwhile = slow
    memory.learn()
    memory.directory.meanwhile = lambda: None
    assert not memory.remembers()
