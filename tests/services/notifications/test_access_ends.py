"""Access may end at any moment between commit and sending: then no mail is sent.

Each call to another service, each statement to the database and each step of
sending is a moment. Access ends at one of them after the other, and the removal is
confirmed once no answer holds any more; what leaves after that has leaked. Where nobody
promises that an answer holds, a tenth of a second goes by first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from clp_notifications.delivery.smtp_replies import (
    ACCEPTED,
    STALE,
    MaySend,
    SmtpOutcome,
)
from clp_notifications.mail.composer import OutgoingMail
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST, LINGUIST

PATIENCE = 100
MIN_MOMENTS = 20
SECOND = timedelta(seconds=1)


class Moments:
    """Counts moments, and does something at one of them."""

    def __init__(self, harness: DeliveryHarness, slow_s: float) -> None:
        self._harness = harness
        self._slow_s = slow_s
        self.passed = 0
        self.at: int | None = None
        self.happens: Callable[[], None] = lambda: None
        self.left_before = 0

    def pass_one(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            self.left_before = len(self._harness.transport.mails)
            self.happens()
            world = self._harness.world
            self._harness.sleep(max(0.0, (world.leased_until - world.clock()) / SECOND))

    def send(self, mail: OutgoingMail, may_send: MaySend) -> SmtpOutcome:
        """A relay that lets moments pass: connected, sender, recipient, data."""
        for _ in range(4):
            self.pass_one()
        if not may_send():
            return STALE
        self._harness.transport.mails.append(mail)
        self.pass_one()
        return ACCEPTED

    def close(self) -> None:
        pass

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While this lasts, moments count."""

        def note(*_: object) -> None:
            self.pass_one()

        def called() -> None:
            self._harness.sleep(self._slow_s)
            self.pass_one()

        engine = self._harness.database.engine
        event.listen(engine, "before_cursor_execute", note)
        self._harness.world.at_each_call = called
        self._harness.world.after_each_call = self.pass_one
        try:
            yield
        finally:
            self._harness.world.at_each_call = lambda: None
            self._harness.world.after_each_call = lambda: None
            event.remove(engine, "before_cursor_execute", note)


# fmt: off
ENDS: list[tuple[str, Callable[[World], None]]] = [
    ("the partner is withdrawn",       lambda world: world.withdraw("north")),
    ("the person leaves",              lambda world: world.change_person("nat", active=False)),
    ("the person becomes a linguist",  lambda world: world.change_person("nat", roles=LINGUIST)),
]
# fmt: on


@pytest.mark.parametrize("slow_s", [0.0, 0.6], ids=["quick services", "slow services"])
@pytest.mark.parametrize("end", [row[1] for row in ENDS], ids=[row[0] for row in ENDS])
def test_no_mail_leaves_after_access_ended(
    harness: DeliveryHarness,
    world: World,
    end: Callable[[World], None],
    slow_s: float,
) -> None:
    before = (world.people["nat"], world.project)
    moments = Moments(harness, slow_s)
    harness.delivery = replace(harness.delivery, transport=moments)
    world.follow("nat")
    leaks: list[int] = []
    when_it_left = PATIENCE
    for at in range(1, PATIENCE + 1):
        world.people["nat"], world.project = before
        harness.transport.mails.clear()
        message = world.post("ivy", BROADCAST)
        moments.passed, moments.at = 0, at
        moments.happens = lambda: end(world)
        with moments.watched():
            harness.run()
        if moments.passed < at:
            break
        if moments.left_before:
            when_it_left = min(when_it_left, at)
        if len(harness.transport.mails) > moments.left_before:
            leaks.append(at)
        expected = "sent" if moments.left_before else "suppressed"
        assert harness.states(message).get("nat", ("suppressed",))[0] == expected
    assert leaks == []
    assert MIN_MOMENTS < when_it_left < PATIENCE
