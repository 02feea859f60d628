"""The loop of a delivery process: woken, stopped in order, never ended by trouble."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import eventlet
import pytest
from eventlet.greenthread import GreenThread
from sqlalchemy.exc import OperationalError

from clp_chassis.bootstrap import DEPENDENCIES
from clp_notifications.delivery.claims import claim_due
from clp_notifications.delivery.dependencies import DeliveryDependencies
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.service import delivery_process
from clp_notifications.service.delivery_process import Worker, run_parallel
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST

PATIENCE_S = 10.0


class Container:
    """As much of a service's container as a worker meets."""

    def __init__(self, harness: DeliveryHarness, connections: int) -> None:
        limits = replace(harness.delivery.limits, connections=connections)
        deps = replace(harness.delivery, limits=limits, run_parallel=run_parallel)
        self.config = {DEPENDENCIES: (deps, connections, 60.0)}
        self.threads: list[GreenThread] = []
        self.service_name = "notifications_delivery"

    def spawn_managed_thread(self, run: Callable[[], None], **_: object) -> None:
        self.threads.append(eventlet.spawn(run))


def wait_until(holds: Callable[[], bool]) -> None:
    with eventlet.Timeout(PATIENCE_S):
        while not holds():
            eventlet.sleep(0.001)


@pytest.fixture(params=[1, 4], ids=["one connection", "four connections"])
def worker(
    harness: DeliveryHarness, request: pytest.FixtureRequest
) -> Iterator[Worker]:
    container: Any = Container(harness, request.param)
    started = Worker().bind(container, "worker")
    started.setup()
    started.start()
    yield started
    started.stop()
    for thread in container.threads:
        with eventlet.Timeout(PATIENCE_S):
            thread.wait()


def test_news_wake_the_worker(
    harness: DeliveryHarness, world: World, worker: Worker
) -> None:
    world.follow("nat", "sam")
    for _ in range(25):
        world.post("ivy", BROADCAST)
    harness.route()
    worker.wake()
    wait_until(lambda: len(harness.transport.mails) == 50)


def test_a_claim_below_the_limit_is_the_last_of_a_turn(
    harness: DeliveryHarness, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed: list[int] = []

    def claim(deps: DeliveryDependencies) -> Any:
        claims = claim_due(deps)
        claimed.append(len(claims))
        return claims

    monkeypatch.setattr(delivery_process, "claim_due", claim)
    world.follow("nat")
    for _ in range(5):
        world.post("ivy", BROADCAST)
    harness.route()
    container: Any = Container(harness, 1)
    worker = Worker().bind(container, "worker")
    worker.setup()
    limits = replace(worker._deps.limits, batch=2)
    worker._deps = replace(worker._deps, limits=limits)
    worker._work()
    assert claimed == [2, 2, 1]
    assert len(harness.transport.mails) == 5


def test_a_stopping_worker_finishes_the_mail_being_sent_and_releases_the_rest(
    harness: DeliveryHarness, world: World, worker: Worker
) -> None:
    world.follow("nat")
    messages = [world.post("ivy", BROADCAST) for _ in range(10)]

    stopping: list[GreenThread] = []

    def stop(_mail: OutgoingMail) -> None:
        stopping.append(eventlet.spawn(worker.stop))
        eventlet.sleep(0.01)

    harness.transport.before = stop
    harness.route()
    worker.wake()
    wait_until(lambda: bool(stopping))
    with eventlet.Timeout(PATIENCE_S):
        stopping[0].wait()
    # As soon as the worker has stopped, its process ends whatever is still running.
    assert {harness.states(m)["nat"][0] for m in messages} <= {"sent", "due"}
    sent = [m for m in messages if harness.states(m)["nat"][0] == "sent"]
    assert len(sent) == len(harness.transport.mails) < 10


def test_workers_come_and_go_and_no_mail_leaves_twice(
    harness: DeliveryHarness, world: World
) -> None:
    """From one to eight and back to two while mails leave."""
    world.follow("nat", "sam")
    messages = [world.post("ivy", BROADCAST) for _ in range(60)]
    harness.transport.before = lambda _mail: eventlet.sleep(0)
    harness.route()
    running: list[tuple[Worker, Any]] = []

    def start(count: int) -> None:
        for _ in range(count):
            container: Any = Container(harness, 4)
            worker = Worker().bind(container, "worker")
            worker.setup()
            worker.start()
            worker.wake()
            running.append((worker, container))

    def stop(count: int) -> None:
        for worker, container in [running.pop() for _ in range(count)]:
            worker.stop()
            # A clean stop releases its claims within five seconds.
            with eventlet.Timeout(5):
                for thread in container.threads:
                    thread.wait()

    start(1)
    wait_until(lambda: len(harness.transport.mails) >= 10)
    start(7)
    wait_until(lambda: len(harness.transport.mails) >= 30)
    stop(6)
    for worker, _ in running:
        worker.wake()
    wait_until(lambda: len(harness.transport.mails) == 120)
    stop(2)
    assert len({mail.id for mail in harness.transport.mails}) == 120
    assert {harness.states(m)["nat"][0] for m in messages} == {"sent"}


def test_trouble_with_the_database_ends_nothing(
    harness: DeliveryHarness,
    world: World,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.follow("nat")
    world.post("ivy", BROADCAST)
    working, test = harness.database.writing, eventlet.getcurrent()
    calls = 0

    def broken(**options: Any) -> Any:
        """Fail twice in the worker, before there is a mail that it could have claimed."""
        nonlocal calls
        if eventlet.getcurrent() is not test:
            calls += 1
            if calls < 3:
                raise OperationalError("begin", {}, Exception("gone"))
        return working(**options)

    monkeypatch.setattr(harness.database, "writing", broken)
    harness.route()
    worker.wake()
    wait_until(lambda: len(harness.transport.mails) == 1)
