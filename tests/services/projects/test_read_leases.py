"""Answers that hold for a while, and who waits for them (rules 2, 7 and 23)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from sqlalchemy.orm import Session

from clp_chassis.persistence.database import Database
from clp_contracts.facts_cache import LIFETIME_S
from clp_contracts.projects import (
    LONGEST_GOOD_S,
    AskFacts,
    OneProject,
    Stored,
    WithdrawPartner,
)
from clp_projects.read_leases import CLOCKS_APART
from clp_projects.use_cases import assignments, directory, followers
from tests.services.projects.sample_world import LINGUIST, NOON, Story

APART_S = CLOCKS_APART.total_seconds()


def facts_that_hold(story: Story, seconds: float) -> float:
    ask = AskFacts(projects=("p1",), people=("nat",), good_for_s=seconds)
    return directory.facts_about(ask, parts=story.parts).good_for_s


def withdraw(story: Story) -> Stored:
    ask = WithdrawPartner(project="p1", partner="north")
    return assignments.withdraw_partner(ask, parts=story.parts)


def unfollow(story: Story) -> object:
    ask = OneProject(project="p1")
    return followers.unfollow(ask, actor="nat", parts=story.parts)


def nat(story: Story, **change: object) -> Stored:
    return story.person("nat", "Nat Moreau", **({"partner": "north"} | change))


# fmt: off
WAITS: list[tuple[str, Callable[[Story], object], bool]] = [
    # what happens                                                          | it waits
    ("a partner is withdrawn",       withdraw,                                    True),
    ("somebody stops following",     unfollow,                                    True),
    ("a partner's person leaves",    lambda story: nat(story, active=False),      True),
    ("one becomes a linguist",       lambda story: nat(story, roles=LINGUIST),    True),
    ("one loses every role",         lambda story: nat(story, roles=()),          True),
    ("one moves to another partner", lambda story: nat(story, partner="south"),   True),
    ("one has another name",         lambda story: story.person("nat", "Nat M", partner="north"), False),
    ("a new person comes",           lambda story: story.person("new", "New One"),                False),
    ("a project is renamed",         lambda story: story.project("p1", "Day Train"),              False),
    ("a partner is assigned",        lambda story: story.assign("north"),                         False),
]
# fmt: on


@pytest.mark.parametrize(("what", "happens", "waits"), WAITS, ids=str)
def test_who_ends_access_waits_for_answers_that_hold(
    story: Story,
    what: str,
    happens: Callable[[Story], object],
    waits: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert facts_that_hold(story, 1.5) == 1.5
    happens(story)
    assert story.paused == ([1.5 + APART_S] if waits else []), what


@pytest.mark.parametrize("happens", [withdraw, unfollow, lambda s: nat(s, roles=())])
def test_what_was_done_and_not_answered_waits_when_it_is_repeated(
    story: Story, happens: Callable[[Story], object]
) -> None:
    happens(story)
    assert story.paused == []
    facts_that_hold(story, 2.0)
    happens(story)
    assert story.paused == [2.0 + APART_S]


def test_nobody_waits_for_answers_that_hold_no_more(story: Story) -> None:
    facts_that_hold(story, 1.5)
    later = NOON + timedelta(seconds=1.5) + CLOCKS_APART
    story.parts = replace(story.parts, clock=lambda: later)
    withdraw(story)
    assert story.paused == []


def test_clocks_of_two_machines_may_differ_a_little(story: Story) -> None:
    facts_that_hold(story, 1.5)
    a_little_later = NOON + timedelta(seconds=1.6)
    story.parts = replace(story.parts, clock=lambda: a_little_later)
    withdraw(story)
    assert story.paused == [pytest.approx(APART_S - 0.1)]


def test_an_ordinary_answer_holds_for_no_time(story: Story) -> None:
    assert facts_that_hold(story, 0.0) == 0.0
    assert facts_that_hold(story, -3.0) == 0.0
    withdraw(story)
    assert story.paused == []


def test_a_shorter_promise_does_not_end_a_longer_one(story: Story) -> None:
    for seconds in (3.0, 1.0, 2.0):
        facts_that_hold(story, seconds)
    withdraw(story)
    assert story.paused == [3.0 + APART_S]


def test_no_answer_holds_for_longer_than_the_longest(story: Story) -> None:
    assert facts_that_hold(story, 3600.0) == LONGEST_GOOD_S
    withdraw(story)
    assert story.paused == [LONGEST_GOOD_S + APART_S]


def test_a_clock_that_was_ahead_holds_nobody_up_for_long(story: Story) -> None:
    ahead = replace(story.parts, clock=lambda: NOON + timedelta(hours=1))
    ask = AskFacts(people=("nat",), good_for_s=1.0)
    directory.facts_about(ask, parts=ahead)
    withdraw(story)
    assert story.paused == [LONGEST_GOOD_S + APART_S]


def test_somebody_of_the_studio_is_waited_for_in_both_ways(story: Story) -> None:
    facts_that_hold(story, 1.5)
    story.person("ivy", "Ivy Lane", active=False)
    assert story.paused == [LIFETIME_S, 1.5 + APART_S]


class Between:
    """A database on which something happens right before facts are read."""

    def __init__(self, database: Database, happens: Callable[[], object]) -> None:
        self._database, self._happens = database, happens
        self.writing = database.writing

    @contextmanager
    def reading(self) -> Iterator[Session]:
        self._happens()
        with self._database.reading() as session:
            yield session


def test_who_ends_access_before_the_facts_are_read_waits_as_well(story: Story) -> None:
    between = Between(story.database, lambda: withdraw(story))
    asking = replace(story.parts, database=cast(Database, between))
    ask = AskFacts(projects=("p1",), good_for_s=1.5)
    (project,) = directory.facts_about(ask, parts=asking).projects
    assert project.withdrawn == ("north",)
    # Nobody can know that the asker reads them afterwards.
    assert story.paused == [1.5 + APART_S]
