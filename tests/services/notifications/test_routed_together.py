"""Messages routed together leave the rows they leave one by one (rules 24, 25, 40)."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from clp_chassis.persistence.database import Database
from clp_contracts.notifications import AskMailSettings
from clp_notifications.routing.mail_settings import mail_settings
from clp_notifications.tables import (
    Base,
    Mail,
    Notification,
    Outcome,
    RoutedMessage,
    Step,
)
from tests.services.notifications.harness import Works
from tests.services.notifications.sample_world import BROADCAST, NORTH, SOUTH, World

PEOPLE = ("ivy", "ian", "nat", "nia", "sam")
# Who may post there, so that an author is never refused by the story itself.
AUTHORS = {BROADCAST: ("ivy", "robot"), NORTH: ("ivy", "nat"), SOUTH: ("ian", "sam")}


@dataclass(frozen=True)
class Happening:
    """Something that happens in the story, and how many minutes later the next."""

    kind: str
    channel: str
    who: int
    mentions: tuple[str, ...]
    minutes: int


steps = st.builds(
    Happening,
    st.sampled_from((*["post"] * 8, "edit", "delete")),
    st.sampled_from((*[BROADCAST] * 4, NORTH, SOUTH)),
    st.integers(0, 50),
    st.sampled_from((*[()] * 6, ("nat",), ("nia", "ivy"), ("sam", "nat"))),
    st.sampled_from((1, 2, 5, 12, 45)),
)
# The fourth mail of an hour is one too many, in the middle of what is read together.
FLOOD = [Happening("post", BROADCAST, 1, (), 2) for _ in range(12)]
SELDOM = [Happening("post", BROADCAST, 1, (), 45) for _ in range(12)]
modes = st.dictionaries(
    st.sampled_from(PEOPLE),
    st.sampled_from(("at_once", "batched", "daily", "off")),
    max_size=2,
)


def tell_story(world: World, story: list[Happening], followers: list[str]) -> None:
    world.follow(*followers)
    for step in story:
        posted = sorted(world.messages)
        if step.kind == "post" or not posted:
            authors = AUTHORS[step.channel]
            author = authors[step.who % len(authors)]
            world.post(author, step.channel, mentions=step.mentions)
        elif step.kind == "edit":
            world.edit(posted[step.who % len(posted)], mentions=step.mentions)
        else:
            world.delete(posted[step.who % len(posted)])
        world.clock.forward(minutes=step.minutes)


def rows_of(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Everything routing wrote, without the ids it drew."""
    with database.reading() as session:
        mails = {mail.id: mail for mail in session.scalars(select(Mail))}
        told = {one.id: one for one in session.scalars(select(Notification))}
        return {
            "notifications": sorted(
                (
                    *(one.message, one.number, one.person, one.channel, one.trigger),
                    *(one.rule, one.routing_reason, one.state, one.reason),
                    *(mails[one.mail].kind, mails[one.mail].first_message),
                )
                for one in told.values()
            ),
            "mails": sorted(
                (
                    *(one.person, one.project, one.channel, one.kind, one.made_at),
                    *(one.first_message, one.joinable, one.due_at, one.attempts),
                )
                for one in mails.values()
            ),
            "outcomes": sorted(
                (one.message, one.person, one.rule, one.reason)
                for one in session.scalars(select(Outcome))
            ),
            "steps": sorted(
                (
                    *(told[one.notification].message, told[one.notification].person),
                    *(one.state, one.reason),
                )
                for one in session.scalars(select(Step))
            ),
            "routed": sorted(
                (one.message, one.channel, one.author, one.mentioned)
                for one in session.scalars(select(RoutedMessage))
            ),
        }


def emptied(database: Database) -> Database:
    with database.writing() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))
    return database


@pytest.fixture(scope="module")
def two(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, Database]]:
    """Two databases, for the same story told in two ways."""
    paths = [tmp_path_factory.mktemp("routed") / "notifications.db" for _ in range(2)]
    for path in paths:
        shutil.copy(migrated_file, path)
    first, second = (Database(f"sqlite:///{path}") for path in paths)
    yield first, second
    first.close()
    second.close()


@settings(
    max_examples=100,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    story=st.lists(steps, min_size=12, max_size=25),
    followers=st.lists(st.sampled_from(PEOPLE), unique=True, min_size=2),
    chosen=modes,
    window_minutes=st.sampled_from((0, 1, 1, 1, 4)),
    most=st.sampled_from((0, 1, 2, 3)),
    together=st.integers(2, 9),
)
@example(
    story=FLOOD,
    followers=["nat", "sam"],
    chosen={},
    window_minutes=1,
    most=3,
    together=5,
)
@example(
    story=SELDOM,
    followers=["nat", "sam"],
    chosen={},
    window_minutes=1,
    most=2,
    together=6,
)
def test_routed_together_or_one_by_one_the_rows_are_the_same(
    two: tuple[Database, Database],
    story: list[Happening],
    followers: list[str],
    chosen: dict[str, str],
    window_minutes: int,
    most: int,
    together: int,
) -> None:
    found = []
    for database, size in zip(two, (1, together), strict=True):
        works = Works(emptied(database))
        mail = replace(
            works.parts.mail,
            window=timedelta(minutes=window_minutes),
            most_an_hour=most,
        )
        works.parts = replace(works.parts, mail=mail)
        for person, mode in chosen.items():
            mail_settings(AskMailSettings(mode=mode), actor=person, parts=works.parts)
        tell_story(works.world, story, followers)
        for start in range(0, len(works.world.feed), size):
            works.projection.apply(tuple(works.world.feed[start : start + size]))
        found.append(rows_of(database))
    one_by_one, at_once = found
    assert at_once == one_by_one
