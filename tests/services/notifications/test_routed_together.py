"""Messages routed in one batch store the same rows as one by one (rules 24, 25, 40)."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from clp_chassis.persistence.database import Database
from clp_contracts.notifications import UpdateMailSettings
from clp_notifications.routing.mail_settings import mail_settings
from clp_notifications.tables import (
    Base,
    Mail,
    Notification,
    Outcome,
    RoutedMessage,
    TransitionRow,
)
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.databases import MigratedFile
from tests.support.sample_world import BROADCAST, NORTH, SOUTH

PEOPLE = ("ivy", "ian", "nat", "nia", "sam")
# Authors who may post in each channel.
AUTHORS = {BROADCAST: ("ivy", "robot"), NORTH: ("ivy", "nat"), SOUTH: ("ian", "sam")}


@dataclass(frozen=True)
class Happening:
    """An event, and the minutes until the next one."""

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
# The fourth mail of an hour exceeds the limit in the middle of a batch.
FLOOD = [Happening("post", BROADCAST, 1, (), 2) for _ in range(12)]
SELDOM = [Happening("post", BROADCAST, 1, (), 45) for _ in range(12)]
# An edit mentions before a later post does, and both are routed together.
EDITED_FIRST = [
    Happening("post", BROADCAST, 0, (), 1),
    Happening("post", BROADCAST, 0, (), 45),
    Happening("edit", BROADCAST, 0, ("nat",), 45),
    Happening("post", BROADCAST, 0, ("nat",), 1),
]
modes = st.dictionaries(
    st.sampled_from(PEOPLE),
    st.sampled_from(("at_once", "batched", "daily", "off")),
    max_size=2,
)


def play(world: World, events: list[Happening], followers: list[str]) -> None:
    world.follow(*followers)
    for step in events:
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
    """Return everything that routing stored, without random ids."""
    with database.reading() as session:
        mails = {mail.id: mail for mail in session.scalars(select(Mail))}
        notified = {one.id: one for one in session.scalars(select(Notification))}
        return {
            "notifications": sorted(
                (
                    *(one.message, one.number, one.person, one.channel, one.trigger),
                    *(one.rule, one.routing_reason, one.state, one.reason),
                    *(mails[one.mail].kind, mails[one.mail].first_message),
                )
                for one in notified.values()
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
                    *(
                        notified[one.notification].message,
                        notified[one.notification].person,
                    ),
                    *(one.state, one.reason),
                )
                for one in session.scalars(select(TransitionRow))
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
    migrated_file: MigratedFile, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, Database]]:
    """Two databases for the same events, routed in two ways."""
    paths = [tmp_path_factory.mktemp("routed") / "notifications.db" for _ in range(2)]
    for path in paths:
        shutil.copy(migrated_file("clp_notifications"), path)
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
    events=st.lists(steps, min_size=12, max_size=25),
    followers=st.lists(st.sampled_from(PEOPLE), unique=True, min_size=2),
    chosen=modes,
    window_minutes=st.sampled_from((0, 1, 1, 1, 4)),
    most=st.sampled_from((0, 1, 2, 3)),
    run_parallel=st.integers(2, 9),
)
@example(
    events=FLOOD,
    followers=["nat", "sam"],
    chosen={},
    window_minutes=1,
    most=3,
    run_parallel=5,
)
@example(
    events=SELDOM,
    followers=["nat", "sam"],
    chosen={},
    window_minutes=1,
    most=2,
    run_parallel=6,
)
@example(
    events=EDITED_FIRST,
    followers=["nat", "sam"],
    chosen={},
    window_minutes=4,
    most=3,
    run_parallel=2,
)
def test_a_batch_stores_the_same_rows_as_single_messages(
    two: tuple[Database, Database],
    events: list[Happening],
    followers: list[str],
    chosen: dict[str, str],
    window_minutes: int,
    most: int,
    run_parallel: int,
) -> None:
    found = []
    for database, size in zip(two, (1, run_parallel), strict=True):
        harness = DeliveryHarness(emptied(database))
        mail = replace(
            harness.deps.mail,
            window=timedelta(minutes=window_minutes),
            max_mails_per_hour=most,
        )
        harness.deps = replace(harness.deps, mail=mail)
        for person, mode in chosen.items():
            mail_settings(
                UpdateMailSettings(mode=mode), actor=person, deps=harness.deps
            )
        play(harness.world, events, followers)
        for start in range(0, len(harness.world.feed), size):
            harness.projection.apply(tuple(harness.world.feed[start : start + size]))
        found.append(rows_of(database))
    one_by_one, at_once = found
    assert at_once == one_by_one
