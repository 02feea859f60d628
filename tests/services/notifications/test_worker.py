"""The loop of a delivery process: woken, stopped in order, never ended by trouble."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import eventlet
import pytest
from eventlet.greenthread import GreenThread
from sqlalchemy.exc import OperationalError

from clp_chassis.bootstrap import PARTS
from clp_notifications.mail.composer import ReadyMail
from clp_notifications.service.delivery_process import Worker, together
from tests.services.notifications.harness import Works
from tests.services.notifications.sample_world import BROADCAST, World

PATIENCE_S = 10.0


class Container:
    """As much of a service's container as a worker meets."""

    def __init__(self, works: Works, connections: int) -> None:
        pacing = replace(works.desk.pacing, connections=connections)
        desk = replace(works.desk, pacing=pacing, together=together)
        self.config = {PARTS: (desk, connections, 60.0)}
        self.threads: list[GreenThread] = []
        self.service_name = "notifications_delivery"

    def spawn_managed_thread(self, run: Callable[[], None], **_: object) -> None:
        self.threads.append(eventlet.spawn(run))


def wait_until(holds: Callable[[], bool]) -> None:
    with eventlet.Timeout(PATIENCE_S):
        while not holds():
            eventlet.sleep(0.001)


@pytest.fixture(params=[1, 4], ids=["one connection", "four connections"])
def worker(works: Works, request: pytest.FixtureRequest) -> Iterator[Worker]:
    container: Any = Container(works, request.param)
    started = Worker().bind(container, "worker")
    started.setup()
    started.start()
    yield started
    started.stop()
    for thread in container.threads:
        with eventlet.Timeout(PATIENCE_S):
            thread.wait()


def test_news_wake_the_worker(works: Works, world: World, worker: Worker) -> None:
    world.follow("nat", "sam")
    for _ in range(25):
        world.post("ivy", BROADCAST)
    works.route()
    worker.wake()
    wait_until(lambda: len(works.tray.mails) == 50)


def test_a_stopping_worker_finishes_the_mail_in_hand_and_gives_back_the_rest(
    works: Works, world: World, worker: Worker
) -> None:
    world.follow("nat")
    messages = [world.post("ivy", BROADCAST) for _ in range(10)]

    stopping: list[GreenThread] = []

    def stop(_mail: ReadyMail) -> None:
        stopping.append(eventlet.spawn(worker.stop))
        eventlet.sleep(0.01)

    works.tray.before = stop
    works.route()
    worker.wake()
    wait_until(lambda: bool(stopping))
    with eventlet.Timeout(PATIENCE_S):
        stopping[0].wait()
    # As soon as the worker has stopped, its process ends whatever is still running.
    assert {works.states(m)["nat"][0] for m in messages} <= {"sent", "due"}
    sent = [m for m in messages if works.states(m)["nat"][0] == "sent"]
    assert len(sent) == len(works.tray.mails) < 10


def test_workers_come_and_go_and_no_mail_leaves_twice(
    works: Works, world: World
) -> None:
    """From one to eight and back to two while mails leave."""
    world.follow("nat", "sam")
    messages = [world.post("ivy", BROADCAST) for _ in range(60)]
    works.tray.before = lambda _mail: eventlet.sleep(0)
    works.route()
    running: list[tuple[Worker, Any]] = []

    def start(count: int) -> None:
        for _ in range(count):
            container: Any = Container(works, 4)
            worker = Worker().bind(container, "worker")
            worker.setup()
            worker.start()
            worker.wake()
            running.append((worker, container))

    def stop(count: int) -> None:
        for worker, container in [running.pop() for _ in range(count)]:
            worker.stop()
            # A clean stop gives its claims back within five seconds.
            with eventlet.Timeout(5):
                for thread in container.threads:
                    thread.wait()

    start(1)
    wait_until(lambda: len(works.tray.mails) >= 10)
    start(7)
    wait_until(lambda: len(works.tray.mails) >= 30)
    stop(6)
    for worker, _ in running:
        worker.wake()
    wait_until(lambda: len(works.tray.mails) == 120)
    stop(2)
    assert len({mail.id for mail in works.tray.mails}) == 120
    assert {works.states(m)["nat"][0] for m in messages} == {"sent"}


def test_trouble_with_the_database_ends_nothing(
    works: Works, world: World, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow("nat")
    world.post("ivy", BROADCAST)
    works.route()
    working = works.database.writing
    calls = 0

    def broken(**options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise OperationalError("begin", {}, Exception("gone"))
        return working(**options)

    monkeypatch.setattr(works.database, "writing", broken)
    worker.wake()
    wait_until(lambda: len(works.tray.mails) == 1)
