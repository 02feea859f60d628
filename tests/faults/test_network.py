"""R7: the network between services and broker, database and relay misbehaves."""

from collections.abc import Callable

import eventlet
import pytest

from tests.faults.conftest import Field
from tests.faults.fault_run import drain, new_ledger, until
from tests.faults.invariants import judge_crew
from tests.faults.load import Client, Load, set_scene

pytestmark = pytest.mark.faults

# lane, verb, number, and for how long
FAULTS = (
    ("broker", "delay", 200, 1.5),
    ("broker", "drop", 5, 1.5),
    ("broker", "half-open", 0, 2.0),
    ("broker", "reset", 0, 0.5),
    ("database", "delay", 50, 1.5),
    ("database", "half-open", 0, 2.0),
    ("database", "cut", 4096, 1.5),
    ("relay", "cut", 2048, 1.5),
    ("relay", "half-open", 0, 2.0),
    ("relay", "throttle", 4000, 1.5),
    ("relay", "reset", 0, 0.5),
)
CALL_LIMIT_S = 10.0
ONE_MORE_S = 1.0


def test_a_network_that_fails_loses_nothing_and_keeps_nobody_waiting(
    field: Field, new_load: Callable[..., Load]
) -> None:
    crew, load = field.crew, new_load(clients=4, each=100_000, pace_s=0.2)
    ledger = new_ledger(crew, load)
    set_scene(crew, load)
    clients = [Client(number, load, ledger) for number in range(load.clients)]
    posting = [eventlet.spawn(client.work, crew) for client in clients]
    for lane, verb, number, seconds in FAULTS:
        field.network.turn(lane, verb, number)
        eventlet.sleep(seconds)
        field.network.turn(lane, "pass")
        seen = len(ledger.acked)
        until(
            lambda n=seen: len(ledger.acked) > n, 60, f"an answer after {lane} {verb}"
        )
    for client in clients:
        client.enough = True
    for one in posting:
        one.wait()

    drain(crew, 300)
    judged = judge_crew(crew, load, ledger, searches=10)
    assert not judged.broken, judged.broken
    assert ledger.longest_failure_s <= CALL_LIMIT_S + ONE_MORE_S
