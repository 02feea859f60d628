"""Access may end at any moment between commit and hand-over: then no mail leaves.

Each call to another service, each statement to the database and each step of a
hand-over is a moment. Access ends at one of them after the other, and the removal is
confirmed once no answer holds any more; what leaves after that has leaked. Where nobody
promises that an answer holds, a tenth of a second goes by first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from clp_notifications.delivery.smtp_replies import ACCEPTED, STALE, Answer, MayLeave
from clp_notifications.mail.composer import ReadyMail
from tests.services.notifications.harness import Works
from tests.services.notifications.sample_world import BROADCAST, LINGUIST, World

PATIENCE = 100
FEWEST_MOMENTS = 20
SECOND = timedelta(seconds=1)


class Moments:
    """Counts moments, and does something at one of them."""

    def __init__(self, works: Works, slow_s: float) -> None:
        self._works = works
        self._slow_s = slow_s
        self.passed = 0
        self.at: int | None = None
        self.happens: Callable[[], None] = lambda: None
        self.left_before = 0

    def pass_one(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            self.left_before = len(self._works.tray.mails)
            self.happens()
            world = self._works.world
            self._works.sleep(max(0.0, (world.holds_until - world.clock()) / SECOND))
            if world.projects_is_old:
                # It is confirmed at once, and a tenth of a second is allowed.
                self._works.ticks.at += self._works.desk.pacing.fresh_s

    def hand_over(self, mail: ReadyMail, may_leave: MayLeave) -> Answer:
        """A relay that lets moments pass: connected, sender, recipient, data."""
        for _ in range(4):
            self.pass_one()
        if not may_leave():
            return STALE
        self._works.tray.mails.append(mail)
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
            self._works.sleep(self._slow_s)
            self.pass_one()

        engine = self._works.database.engine
        event.listen(engine, "before_cursor_execute", note)
        self._works.world.at_each_call = called
        self._works.world.after_each_call = self.pass_one
        try:
            yield
        finally:
            self._works.world.at_each_call = lambda: None
            self._works.world.after_each_call = lambda: None
            event.remove(engine, "before_cursor_execute", note)


# fmt: off
ENDS: list[tuple[str, Callable[[World], None]]] = [
    ("the partner is withdrawn",       lambda world: world.withdraw("north")),
    ("the person leaves",              lambda world: world.change_person("nat", active=False)),
    ("the person becomes a linguist",  lambda world: world.change_person("nat", roles=LINGUIST)),
]
# fmt: on


# fmt: off
SERVICES: list[tuple[str, float, bool]] = [
    # how they are         | seconds of a call | one of before, that promises nothing
    ("quick",                        0.0,        False),
    ("slow",                         0.6,        False),
    ("quick, and of before",         0.0,        True),
]
# fmt: on


@pytest.mark.parametrize(
    ("slow_s", "is_old"),
    [row[1:] for row in SERVICES],
    ids=[row[0] for row in SERVICES],
)
@pytest.mark.parametrize("end", [row[1] for row in ENDS], ids=[row[0] for row in ENDS])
def test_no_mail_leaves_after_access_ended(
    works: Works,
    world: World,
    end: Callable[[World], None],
    slow_s: float,
    is_old: bool,  # noqa: FBT001 - a column of the table
) -> None:
    world.projects_is_old = is_old
    before = (world.people["nat"], world.project)
    moments = Moments(works, slow_s)
    works.desk = replace(works.desk, transport=moments)
    world.follow("nat")
    leaks: list[int] = []
    when_it_left = PATIENCE
    for at in range(1, PATIENCE + 1):
        world.people["nat"], world.project = before
        works.tray.mails.clear()
        message = world.post("ivy", BROADCAST)
        moments.passed, moments.at = 0, at
        moments.happens = lambda: end(world)
        with moments.watched():
            works.run()
        if moments.passed < at:
            break
        if moments.left_before:
            when_it_left = min(when_it_left, at)
        if len(works.tray.mails) > moments.left_before:
            leaks.append(at)
        expected = "sent" if moments.left_before else "suppressed"
        assert works.states(message).get("nat", ("suppressed",))[0] == expected
    assert leaks == []
    assert FEWEST_MOMENTS < when_it_left < PATIENCE
