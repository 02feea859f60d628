"""T34: a process that gets no messages, or lags behind a feed, is not ready."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY, generate_latest

from clp_chassis.clock import now
from clp_chassis.events.feed_reader import FeedReader, FeedSubscription
from clp_chassis.inprocess import reset
from clp_chassis.runner import ContainerGroup
from clp_contracts.errors import CallFailed
from clp_contracts.feed import Change, Changes
from clp_contracts.health import FEED_WAITS, SIGNS
from tests.chassis.services_under_test import rpc_service
from tests.support.readiness import failures
from tests.support.waiting import until


def is_ready(group: ContainerGroup) -> bool:
    return not failures(group)


def test_t34_a_service_without_its_broker_is_not_ready(unique: str) -> None:
    url = f"inprocess://{unique}/"
    group = ContainerGroup([(rpc_service("notes"), {"AMQP_URI": url})])
    group.start()
    assert "CallQueueConsumer" in group.probes().checks
    until(lambda: is_ready(group))
    reset(unique)
    assert not is_ready(group)
    until(lambda: is_ready(group))
    group.stop()
    reset(unique)


class Stuck:
    """A projection at a cursor that applies nothing, with three dead letters."""

    def __init__(self, cursor: int) -> None:
        self._cursor = cursor

    def cursor(self) -> int:
        return self._cursor

    def apply(self, changes: tuple[Change, ...]) -> None:
        raise CallFailed("the database of this test is away")

    def count_dead_letters(self) -> int:
        return 3

    def add_dead_letter(self, change: Change, error: str) -> None: ...


def reading(fetch: Callable[[int], Changes], cursor: int = 0) -> type:
    class Reader:
        name = "reader"
        feed = FeedReader(
            lambda _: FeedSubscription(
                "notes.reader", "notes", fetch, Stuck(cursor), 0.02
            )
        )

    return Reader


def test_t34_a_reader_that_lags_behind_is_not_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sooner = replace(FEED_WAITS, limit=0.3)
    monkeypatch.setitem(SIGNS, FEED_WAITS.metric, sooner)
    is_away = [False]

    def fetch(_after: int) -> Changes:
        if is_away[0]:
            raise CallFailed("notes.changes: no response")
        return Changes(changes=(), head=0)

    group = ContainerGroup([(reading(fetch), {})])
    group.start()
    assert set(group.probes().checks) == {"feed of notes"}
    assert is_ready(group)
    is_away[0] = True
    until(lambda: not is_ready(group))
    is_away[0] = False
    until(lambda: is_ready(group))
    group.stop()


def readers_of(group: ContainerGroup) -> list[FeedReader]:
    return [
        extension
        for container in group._containers
        for extension in container.extensions
        if isinstance(extension, FeedReader)
    ]


def change(position: int, *, seconds_ago: float) -> Change:
    return Change(
        position=position,
        type="notes.changed",
        subject="n1",
        project="p1",
        at=now() - timedelta(seconds=seconds_ago),
        detail={},
    )


def test_a_restored_feed_and_an_old_change_are_signs_of_the_reader() -> None:
    feed = [Changes(changes=(change(8, seconds_ago=300),), head=8)]

    def fetch(_after: int) -> Changes:
        return feed[0]

    reading_service = reading(fetch, cursor=7)
    group = ContainerGroup([(reading_service, {})])
    group.start()
    (reader,) = readers_of(group)

    def shown() -> dict[str, float]:
        return {sign.metric: sign.value for sign in reader.signs()}

    until(lambda: 300 <= shown()["clp_feed_oldest_seconds"] < 400)
    assert shown()["clp_feed_ahead_changes"] == 0
    assert shown()["clp_dead_letters_kept"] == 3
    (failure,) = failures(group)
    assert "has not applied a change for 5 min" in failure
    feed[0] = Changes(changes=(), head=5)
    until(lambda: shown()["clp_feed_ahead_changes"] == 2)
    (failure,) = failures(group)
    assert "is 2 changes ahead of its feed: an older database was restored" in failure
    text = generate_latest(REGISTRY).decode()
    assert 'clp_feed_ahead_changes{reader="notes.reader"} 2.0' in text
    assert 'clp_dead_letters_kept{reader="notes.reader"} 3.0' in text
    group.stop()
