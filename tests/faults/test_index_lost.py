"""R17: search is dead, its folder is deleted; messages and mails do not notice."""

import shutil
from collections.abc import Callable

import pytest

from clp_suite.suite import OPERATIONS
from tests.faults.conftest import Field
from tests.faults.fault_run import drain, new_ledger, until
from tests.faults.invariants import judge_crew
from tests.faults.load import Client, Load, set_scene
from tests.faults.process_group import Crew

pytestmark = pytest.mark.faults


def test_a_deleted_index_is_built_again_and_nobody_else_waits_for_it(
    field: Field, new_load: Callable[..., Load]
) -> None:
    crew, load = field.crew, new_load(clients=2, each=10)
    ledger = new_ledger(crew, load)
    set_scene(crew, load)
    before = crew.caller(service=OPERATIONS).search.status().documents
    crew.put_down("search.0")
    shutil.rmtree(crew.index_dir)
    for number in range(load.clients):
        Client(number, load, ledger).work(crew)
    until(lambda: _mails_are_out(crew), 60, "mails while search is dead")

    crew.bring_up("search.0")

    drain(crew, 300)
    judged = judge_crew(crew, load, ledger, searches=load.messages)
    assert not judged.broken, judged.broken
    assert judged.figures["documents"] == before + len(ledger.acked)
    assert not ledger.failures


def _mails_are_out(crew: Crew) -> bool:
    told = crew.caller(service=OPERATIONS)
    at = told.messages.progress()
    seen = told.notifications.progress()
    return bool(
        seen.due == 0
        and seen.pending == 0
        and all(reader.cursor >= at.head for reader in seen.readers)
    )
