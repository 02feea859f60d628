"""Which errors are a change's own fault, and which pass (so nothing is set aside)."""

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from clp_chassis.events.feed_reader import passes
from clp_contracts.errors import CallFailed, Refused

# what went wrong                                        | passes
ERRORS = [
    (CallFailed("projects.facts"), "passes"),
    (Refused("service.unavailable"), "passes"),
    (Refused("service.failed", '{"incident": "x"}'), "passes"),
    (OperationalError("select 1", {}, Exception()), "passes"),
    (ConnectionResetError(), "passes"),
    (Refused("announcement.missing"), "stays"),
    (IntegrityError("insert", {}, Exception()), "stays"),
    (KeyError("detail"), "stays"),
]


@pytest.mark.parametrize(("error", "fate"), ERRORS, ids=repr)
def test_whose_fault_an_error_is(error: Exception, fate: str) -> None:
    assert ("passes" if passes(error) else "stays") == fate
