"""The ledger of a round: few transactions, and few mails that are not yet written."""

from dataclasses import replace

import eventlet
import pytest
from sqlalchemy.exc import OperationalError

from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.claims import Claim, Record
from clp_notifications.delivery.dependencies import Desk
from clp_notifications.delivery.outcome_writer import Ledger
from clp_notifications.delivery.outcomes import ended
from clp_notifications.mail.composer import ReadyMail
from clp_notifications.service.delivery_process import together
from clp_notifications.states import Because, State
from tests.services.notifications.harness import Works
from tests.services.notifications.sample_world import BROADCAST, World

CONNECTIONS = 4
Writes = list[list[str]]


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Writes:
    """Which mails each transaction wrote down; writing takes a moment."""
    written: Writes = []
    settle = Ledger._settle

    def settled(ledger: Ledger, done: list[tuple[Claim, Record]]) -> None:
        eventlet.sleep(0.002)
        settle(ledger, done)
        written.append([claim.mail for claim, _ in done])

    monkeypatch.setattr(Ledger, "_settle", settled)
    return written


def desk_of(works: Works) -> Desk:
    pacing = replace(works.desk.pacing, connections=CONNECTIONS)
    return replace(works.desk, pacing=pacing, together=together)


def test_no_more_than_twice_the_connections_left_and_are_not_written(
    works: Works, world: World, writes: Writes
) -> None:
    world.follow("nat")
    for _ in range(40):
        world.post("ivy", BROADCAST)
    works.route()
    most = 0

    def left(_mail: ReadyMail) -> None:
        nonlocal most
        eventlet.sleep(0)
        known = sum(map(len, writes))
        most = max(most, len(works.tray.mails) + 1 - known)

    works.tray.before = left
    desk = desk_of(works)
    deliver(desk, desk.claim())
    assert len(works.tray.mails) == 40
    assert most <= 2 * CONNECTIONS
    # Whoever waited for the turn finds that little is left to write, and goes on.
    assert len(writes) <= 40 // CONNECTIONS + 1


def test_hands_that_end_together_write_together(
    works: Works, world: World, writes: Writes
) -> None:
    world.follow("nat")
    for _ in range(CONNECTIONS - 1):
        world.post("ivy", BROADCAST)
    works.tray.before = lambda _mail: eventlet.sleep(0.001)
    works.route()
    desk = desk_of(works)
    deliver(desk, desk.claim())
    assert sum(map(len, writes)) == CONNECTIONS - 1
    assert len(writes) <= 2


def test_a_record_is_not_lost_when_it_cannot_be_written_at_once(
    works: Works, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    works.route()
    (claimed,) = works.desk.claim()
    ledger, settle, tries = Ledger(works.desk), Ledger._settle, 0

    def broken(self: Ledger, noted: list[tuple[Claim, Record]]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OperationalError("update", {}, Exception("gone"))
        settle(self, noted)

    monkeypatch.setattr(Ledger, "_settle", broken)
    ledger.note(claimed, ended(claimed, State.SENT, Because.ACCEPTED))
    ledger.write()
    assert works.states(message)["nat"] == ("sent", "accepted")
    assert not ledger.is_stuck
