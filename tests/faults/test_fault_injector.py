"""R1 in short: kills, outages and a faulty relay, and nothing acknowledged is lost."""

from collections.abc import Callable

import pytest

from tests.faults.conftest import Field
from tests.faults.fault_injector import Weather
from tests.faults.fault_run import ride_out
from tests.faults.load import Load

pytestmark = pytest.mark.faults


def test_nothing_acknowledged_is_lost_in_a_storm(
    field: Field, new_load: Callable[..., Load]
) -> None:
    judged = ride_out(
        field.crew,
        (field.rabbit, field.postgres),
        new_load(each=20, pace_s=0.4),
        Weather(kill_every_s=3.0, broker_kills=(0.4,), database_stops=(0.7,)),
    )

    print(judged.figures)
    assert not judged.broken, (judged.broken, judged.figures)
