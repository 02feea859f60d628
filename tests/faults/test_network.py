"""F7: the network between services and broker, database and relay fails."""

from collections.abc import Callable

import eventlet
import pytest

from tests.faults.conftest import FaultBed
from tests.faults.fault_run import drain, new_ack_log, until
from tests.faults.invariants import check_invariants
from tests.faults.load import Client, Load, create_world

pytestmark = pytest.mark.faults

# route, verb, number, and for how long
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


def test_a_failing_network_loses_nothing_and_blocks_no_client(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    group, load = bed.group, new_load(clients=4, each=100_000, pace_s=0.2)
    ack_log = new_ack_log(group, load)
    create_world(group, load)
    clients = [Client(number, load, ack_log) for number in range(load.clients)]
    posting = [eventlet.spawn(client.work, group) for client in clients]
    for route, verb, number, seconds in FAULTS:
        bed.network.turn(route, verb, number)
        eventlet.sleep(seconds)
        bed.network.turn(route, "pass")
        seen = len(ack_log.acked)
        until(
            lambda n=seen: len(ack_log.acked) > n, 60, f"an answer after {route} {verb}"
        )
    for client in clients:
        client.enough = True
    for one in posting:
        one.wait()

    drain(group, 300)
    verdict = check_invariants(group, load, ack_log, searches=10)
    assert not verdict.broken, verdict.broken
    assert ack_log.longest_failure_s <= CALL_LIMIT_S + ONE_MORE_S
