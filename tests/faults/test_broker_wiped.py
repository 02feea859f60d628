"""F13: the broker's storage is wiped while messages wait; the database restores the work."""

from collections.abc import Callable

import psycopg
import pytest

from tests.faults.conftest import FaultBed
from tests.faults.fault_run import drain, new_ack_log, until
from tests.faults.invariants import check_invariants
from tests.faults.load import Client, Load, create_world

pytestmark = pytest.mark.faults


def test_all_notifications_are_sent_after_the_broker_was_wiped(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    group, load = bed.group, new_load(clients=2, each=8, projects=1, abandoned=0)
    ack_log = new_ack_log(group, load)
    create_world(group, load)
    group.kill_hard("delivery.0")
    for number in range(load.clients):
        Client(number, load, ack_log).work(group)
    until(lambda: _waiting(group.database_url("notifications")) > 0, 30, "routing")
    # What routing has not seen yet waits in the broker as well.
    group.kill_hard("notifications.0")
    Client(0, load.again(), ack_log).work(group)

    bed.rabbit.wipe()
    group.start_one("notifications.0")
    group.start_one("delivery.0")

    drain(group, 300)
    verdict = check_invariants(group, load.again(), ack_log, searches=5)
    assert not verdict.broken, verdict.broken
    assert verdict.figures["notifications owed"] == 3 * (3 * load.each)


def _waiting(database_url: str) -> int:
    with psycopg.connect(database_url) as database:
        counted = database.execute(
            "select count(*) from notifications where state = 'due'"
        ).fetchone()
    return int(counted[0]) if counted else 0
