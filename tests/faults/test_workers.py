"""R4: delivery workers come and go in order; nothing is mailed twice for it."""

import os
from collections.abc import Callable

import eventlet
import psycopg
import pytest

from tests.faults.conftest import Field
from tests.faults.fault_run import drain, new_ledger, until
from tests.faults.invariants import judge_crew
from tests.faults.load import Client, Load, set_scene
from tests.faults.process_group import Crew

pytestmark = pytest.mark.faults

# How many delivery workers there are, one after the other; at last there is none. In
# full it is from one to eight and back.
STEPS = tuple(map(int, os.environ.get("CLP_FAULTS_WORKERS", "3,1,2,0").split(",")))


def test_workers_that_end_in_order_leave_no_claim_and_no_twin(
    field: Field, new_load: Callable[..., Load]
) -> None:
    crew = field.crew
    load = new_load(clients=4, each=20, mentions=60, pace_s=0.2, projects=1)
    ledger = new_ledger(crew, load)
    set_scene(crew, load)
    clients = [Client(number, load, ledger) for number in range(load.clients)]
    posting = [eventlet.spawn(client.work, crew) for client in clients]
    ending: list[float] = []
    for workers in STEPS:
        ending.extend(_scale(crew, workers))
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
    assert _claims(crew.database_url("notifications")) == 0
    crew.bring_up("delivery.0")

    drain(crew, 300)
    judged = judge_crew(crew, load, ledger, searches=5)
    assert not judged.broken, judged.broken
    unknown = _ends_unknown(crew.database_url("notifications"), load)
    assert judged.figures["duplicate mails"] <= unknown
    print("seconds from SIGTERM to the end:", [round(one, 2) for one in ending])


def _scale(crew: Crew, workers: int) -> list[float]:
    """Start or end delivery workers until there are so many; how long ends took."""
    running = [n for n in crew.names() if n.startswith("delivery.")]
    for number in range(len(running), workers):
        crew.bring_up(f"delivery.{number}")
    for number in range(workers, len(running)):
        name = f"delivery.{number}"
        until(lambda who=name: crew.is_up(who), 90, f"{name} up")
    return [crew.ask_to_end(name) for name in running[workers:]]


def _ends_unknown(database_url: str, load: Load) -> int:
    """Hand-overs of which a worker never learnt the end: of these mails come twice.

    Cut connections are among them; on a busy machine also relays that were slower than
    a worker waits. One that ends in order leaves none.
    """
    with psycopg.connect(database_url) as database:
        counted = database.execute(
            "select count(distinct (mail, steps.at)) from steps join notifications"
            " on notifications.id = notification where project = %s"
            " and steps.reason in ('relay_away', 'lease_expired')",
            (load.project(0),),
        ).fetchone()
    return int(counted[0]) if counted else 0


def _claims(database_url: str) -> int:
    with psycopg.connect(database_url) as database:
        counted = database.execute(
            "select count(*) from mails where lease_until is not null"
        ).fetchone()
    return int(counted[0]) if counted else 0
