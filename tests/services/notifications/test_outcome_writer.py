"""Outcomes of a batch: few transactions, and few mails that are not yet written."""

from dataclasses import replace

import eventlet
import pytest
from sqlalchemy.exc import OperationalError

from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.claims import Claim, DeliveryOutcome, claim_due
from clp_notifications.delivery.dependencies import DeliveryDependencies
from clp_notifications.delivery.outcome_writer import OutcomeWriter
from clp_notifications.delivery.outcomes import finish
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.service.delivery_process import run_parallel
from clp_notifications.states import State
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST

CONNECTIONS = 4
Writes = list[list[str]]


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Writes:
    """Which mails each transaction wrote down; writing takes a moment."""
    written: Writes = []
    settle = OutcomeWriter._settle

    def settled(
        writer: OutcomeWriter, done: list[tuple[Claim, DeliveryOutcome]]
    ) -> None:
        eventlet.sleep(0.002)
        settle(writer, done)
        written.append([claim.mail for claim, _ in done])

    monkeypatch.setattr(OutcomeWriter, "_settle", settled)
    return written


def dependencies_of(harness: DeliveryHarness) -> DeliveryDependencies:
    limits = replace(harness.delivery.limits, connections=CONNECTIONS)
    return replace(harness.delivery, limits=limits, run_parallel=run_parallel)


def test_no_more_than_twice_the_connections_left_and_are_not_written(
    harness: DeliveryHarness, world: World, writes: Writes
) -> None:
    world.follow("nat")
    for _ in range(40):
        world.post("ivy", BROADCAST)
    harness.route()
    most = 0

    def left(_mail: OutgoingMail) -> None:
        nonlocal most
        eventlet.sleep(0)
        known = sum(map(len, writes))
        most = max(most, len(harness.transport.mails) + 1 - known)

    harness.transport.before = left
    deps = dependencies_of(harness)
    deliver(deps, claim_due(deps))
    assert len(harness.transport.mails) == 40
    assert most <= 2 * CONNECTIONS
    # A thread that waited for the lock finds little left to write.
    assert len(writes) <= 40 // CONNECTIONS + 1


def test_connections_that_finish_together_write_together(
    harness: DeliveryHarness, world: World, writes: Writes
) -> None:
    world.follow("nat")
    for _ in range(CONNECTIONS - 1):
        world.post("ivy", BROADCAST)
    harness.transport.before = lambda _mail: eventlet.sleep(0.001)
    harness.route()
    deps = dependencies_of(harness)
    deliver(deps, claim_due(deps))
    assert sum(map(len, writes)) == CONNECTIONS - 1
    assert len(writes) <= 2


def test_a_record_is_not_lost_when_it_cannot_be_written_at_once(
    harness: DeliveryHarness, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    (claimed,) = claim_due(harness.delivery)
    writer, settle, tries = OutcomeWriter(harness.delivery), OutcomeWriter._settle, 0

    def broken(self: OutcomeWriter, noted: list[tuple[Claim, DeliveryOutcome]]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OperationalError("update", {}, Exception("gone"))
        settle(self, noted)

    monkeypatch.setattr(OutcomeWriter, "_settle", broken)
    writer.add(claimed, finish(claimed, State.SENT, TransitionReason.ACCEPTED))
    writer.write()
    assert harness.states(message)["nat"] == ("sent", "accepted")
    assert not writer.is_blocked
