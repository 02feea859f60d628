"""Which errors are a change's own fault, and which are transient."""

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from clp_chassis.events.feed_reader import is_transient
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
def test_transient_errors_blame_no_change(error: Exception, fate: str) -> None:
    assert ("passes" if is_transient(error) else "stays") == fate
