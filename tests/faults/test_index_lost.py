"""F17: search is killed and its folder deleted; messages and mails are unaffected."""

import shutil
from collections.abc import Callable

import pytest

from clp_suite.suite import OPERATIONS
from tests.faults.conftest import FaultBed
from tests.faults.fault_run import drain, new_ack_log, until
from tests.faults.invariants import check_invariants
from tests.faults.load import Client, Load, create_world
from tests.faults.process_group import ProcessGroup

pytestmark = pytest.mark.faults


def test_a_deleted_index_is_rebuilt_and_delays_nothing_else(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    group, load = bed.group, new_load(clients=2, each=10)
    ack_log = new_ack_log(group, load)
    create_world(group, load)
    before = group.client(service=OPERATIONS).search.status().documents
    group.kill_hard("search.0")
    shutil.rmtree(group.index_dir)
    for number in range(load.clients):
        Client(number, load, ack_log).work(group)
    until(lambda: _mails_are_out(group), 60, "mails while search is dead")

    group.start_one("search.0")

    drain(group, 300)
    verdict = check_invariants(group, load, ack_log, searches=load.messages)
    assert not verdict.broken, verdict.broken
    assert verdict.figures["documents"] == before + len(ack_log.acked)
    assert not ack_log.failures


def _mails_are_out(group: ProcessGroup) -> bool:
    told = group.client(service=OPERATIONS)
    at = told.messages.progress()
    seen = told.notifications.progress()
    return bool(
        seen.due == 0
        and seen.pending == 0
        and all(reader.cursor >= at.head for reader in seen.readers)
    )
