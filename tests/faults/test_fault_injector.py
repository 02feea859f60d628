"""F1 in short: kills, outages and a faulty relay, and nothing acknowledged is lost."""

from collections.abc import Callable

import pytest

from tests.faults.conftest import FaultBed
from tests.faults.fault_injector import FaultPlan
from tests.faults.fault_run import run_under_faults
from tests.faults.load import Load

pytestmark = pytest.mark.faults


def test_nothing_acknowledged_is_lost_under_faults(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    verdict = run_under_faults(
        bed.group,
        (bed.rabbit, bed.postgres),
        new_load(each=15, pace_s=0.4),
        FaultPlan(kill_every_s=3.0, broker_kills=(0.4,), database_stops=(0.7,)),
    )

    print(verdict.figures)
    assert not verdict.broken, (verdict.broken, verdict.figures)
