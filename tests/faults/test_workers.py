"""F4: delivery workers are scaled up and down; nothing is mailed twice for it."""

import os
from collections.abc import Callable

import eventlet
import psycopg
import pytest

from tests.faults.conftest import FaultBed
from tests.faults.fault_run import drain, new_ack_log, until
from tests.faults.invariants import check_invariants
from tests.faults.load import Client, Load, create_world
from tests.faults.process_group import ProcessGroup

pytestmark = pytest.mark.faults

# How many delivery workers there are, one after the other; at last there is none. In
# full it is from one to eight and back.
STEPS = tuple(map(int, os.environ.get("TESTS_FAULTS_WORKERS", "3,1,2,0").split(",")))


def test_workers_that_stop_leave_no_claim_and_no_duplicate(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    group = bed.group
    load = new_load(clients=4, each=20, mentions=60, pace_s=0.2, projects=1)
    ack_log = new_ack_log(group, load)
    create_world(group, load)
    clients = [Client(number, load, ack_log) for number in range(load.clients)]
    posting = [eventlet.spawn(client.work, group) for client in clients]
    ending: list[float] = []
    for workers in STEPS:
        ending.extend(_scale(group, workers))
        began = sum(client.done for client in clients)
        until(
            lambda seen=began: (
                sum(client.done for client in clients) >= seen + 8
                or all(one.dead for one in posting)
            ),
            60,
            "more posts",
        )
    for one in posting:
        one.wait()
    assert _claims(group.database_url("notifications")) == 0
    group.start_one("delivery.0")

    drain(group, 300)
    verdict = check_invariants(group, load, ack_log, searches=5)
    assert not verdict.broken, verdict.broken
    unknown = _unknown_outcomes(group.database_url("notifications"), load)
    assert verdict.figures["duplicate mails"] <= unknown
    print("seconds from SIGTERM to the end:", [round(one, 2) for one in ending])


def _scale(group: ProcessGroup, workers: int) -> list[float]:
    """Start or stop delivery workers until there are so many; return how long stops took."""
    running = [n for n in group.names() if n.startswith("delivery.")]
    for number in range(len(running), workers):
        group.start_one(f"delivery.{number}")
    for number in range(workers, len(running)):
        name = f"delivery.{number}"
        until(lambda who=name: group.is_up(who), 90, f"{name} up")
    return [group.terminate(name) for name in running[workers:]]


def _unknown_outcomes(database_url: str, load: Load) -> int:
    """Count deliveries whose outcome a worker never learned: they are sent twice.

    Cut connections are among them; on a busy machine also relays that were slower than
    a worker waits. One that ends in order leaves none.
    """
    with psycopg.connect(database_url) as database:
        counted = database.execute(
            "select count(distinct (mail, transitions.at)) from transitions join notifications"
            " on notifications.id = notification where project = %s"
            " and transitions.reason in ('relay_unavailable', 'lease_expired')",
            (load.project(0),),
        ).fetchone()
    return int(counted[0]) if counted else 0


def _claims(database_url: str) -> int:
    with psycopg.connect(database_url) as database:
        counted = database.execute(
            "select count(*) from mails where lease_until is not null"
        ).fetchone()
    return int(counted[0]) if counted else 0
