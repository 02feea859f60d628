"""T34: a process that gets no messages, or lags behind a feed, is not ready."""

from collections.abc import Callable

import pytest

from clp_chassis.events import feed_reader
from clp_chassis.events.feed_reader import FeedReader, FeedSubscription
from clp_chassis.inprocess import reset
from clp_chassis.runner import ContainerGroup
from clp_contracts.errors import CallFailed
from clp_contracts.feed import Change, Changes
from tests.chassis.services_under_test import rpc_service
from tests.waiting import until


def is_ready(group: ContainerGroup) -> bool:
    try:
        for check in group.probes().checks.values():
            check()
    except OSError:
        return False
    return True


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


class Nothing:
    def cursor(self) -> int:
        return 0

    def apply(self, changes: tuple[Change, ...]) -> None: ...

    def add_dead_letter(self, change: Change, error: str) -> None: ...


def reading(fetch: Callable[[int], Changes]) -> type:
    class Reader:
        name = "reader"
        feed = FeedReader(
            lambda _: FeedSubscription("reader", "notes", fetch, Nothing(), 0.02)
        )

    return Reader


def test_t34_a_reader_that_lags_behind_is_not_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_reader, "MAX_LAG_S", 0.3)
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
