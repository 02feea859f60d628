"""R13: the broker's storage is gone while messages wait; the rows bring all back."""

from collections.abc import Callable

import psycopg
import pytest

from tests.faults.conftest import Field
from tests.faults.fault_run import drain, new_ledger, until
from tests.faults.invariants import judge_crew
from tests.faults.load import Client, Load, set_scene

pytestmark = pytest.mark.faults


def test_all_notifications_are_sent_after_the_broker_was_wiped(
    field: Field, new_load: Callable[..., Load]
) -> None:
    crew, load = field.crew, new_load(clients=2, each=8, projects=1, given_up=0)
    ledger = new_ledger(crew, load)
    set_scene(crew, load)
    crew.put_down("delivery.0")
    for number in range(load.clients):
        Client(number, load, ledger).work(crew)
    until(lambda: _waiting(crew.database_url("notifications")) > 0, 30, "routing")
    # What routing has not seen yet waits in the broker as well.
    crew.put_down("notifications.0")
    Client(0, load.again(), ledger).work(crew)

    field.rabbit.wipe()
    crew.bring_up("notifications.0")
    crew.bring_up("delivery.0")

    drain(crew, 300)
    judged = judge_crew(crew, load.again(), ledger, searches=5)
    assert not judged.broken, judged.broken
    assert judged.figures["notifications owed"] == 3 * (3 * load.each)


def _waiting(database_url: str) -> int:
    with psycopg.connect(database_url) as database:
        counted = database.execute(
            "select count(*) from notifications where state = 'due'"
        ).fetchone()
    return int(counted[0]) if counted else 0
