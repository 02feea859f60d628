"""Which errors are a change's own fault, and which are transient."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import eventlet
import pytest
from eventlet.event import Event
from nameko.extensions import DependencyProvider
from sqlalchemy.exc import (
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
)

from clp_chassis.events.feed_reader import FeedReader, FeedSubscription
from clp_chassis.events.projections import Projection
from clp_chassis.runner import ContainerGroup
from clp_chassis.transient_errors import is_transient
from clp_contracts.errors import CallFailed, Refused
from tests.support.waiting import until

# what went wrong                                        | passes
ERRORS = [
    (CallFailed("projects.facts"), "passes"),
    (Refused("service.unavailable"), "passes"),
    (Refused("service.failed", '{"incident": "x"}'), "passes"),
    (OperationalError("select 1", {}, Exception()), "passes"),
    (InterfaceError("select 1", {}, Exception()), "passes"),
    (InternalError("update", {}, Exception("only reads")), "passes"),
    (ConnectionResetError(), "passes"),
    (Refused("announcement.missing"), "stays"),
    (IntegrityError("insert", {}, Exception()), "stays"),
    (KeyError("detail"), "stays"),
]


@pytest.mark.parametrize(("error", "fate"), ERRORS, ids=repr)
def test_transient_errors_blame_no_change(error: Exception, fate: str) -> None:
    assert ("passes" if is_transient(error) else "stays") == fate


SEEN: list[str] = []


class Replying(DependencyProvider):  # type: ignore[misc]
    def stop(self) -> None:
        SEEN.append("the source has stopped")


class SourceService:
    name = "source"
    replying = Replying()


def _slow_fetch(_cursor: int) -> Any:
    SEEN.append("a fetch has begun")
    eventlet.sleep(0.1)
    SEEN.append("a fetch has ended")
    return SimpleNamespace(changes=(), head=0)


def _unanswered_fetch(_cursor: int) -> Any:
    SEEN.append("a fetch has begun")
    try:
        Event().wait()
    finally:
        SEEN.append("a fetch was ended")


def _reading(fetch: Callable[[int], Any]) -> type:
    projection = SimpleNamespace(cursor=lambda: 0, count_dead_letters=lambda: 0)
    subscription = FeedSubscription(
        "stopping reader", "source", fetch, cast("Projection", projection)
    )

    class ReadingService:
        name = "reading"
        reader = FeedReader(lambda _container: subscription)

    return ReadingService


@pytest.mark.parametrize(
    ("fetch", "end"),
    [(_slow_fetch, "a fetch has ended"), (_unanswered_fetch, "a fetch was ended")],
)
def test_a_source_stops_after_the_runs_of_its_readers(
    caplog: pytest.LogCaptureFixture, fetch: Callable[[int], Any], end: str
) -> None:
    """A reader whose source does not answer does not wait for long."""
    SEEN.clear()
    group = ContainerGroup([(SourceService, {}), (_reading(fetch), {})])
    group.start()
    until(lambda: SEEN == ["a fetch has begun"])
    group.stop()
    began, ended, stopped = SEEN
    assert (began, stopped) == ("a fetch has begun", "the source has stopped")
    assert ended == end
    assert "killing" not in caplog.text
