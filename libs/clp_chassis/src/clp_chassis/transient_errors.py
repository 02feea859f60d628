"""Errors of the broker, a database or another service, which time alone mends."""

from typing import Final

from clp_chassis.persistence.database import TRANSIENT_ERRORS
from clp_contracts.errors import CallFailed, Refused

TRANSIENT: Final = (CallFailed, *TRANSIENT_ERRORS)
TRANSIENT_CODES: Final = frozenset({"service.unavailable", "service.failed"})


def is_transient(error: Exception) -> bool:
    """Whether an error blames nothing that is being processed: try it again."""
    if isinstance(error, Refused):
        return error.code in TRANSIENT_CODES
    return isinstance(error, TRANSIENT)


def is_of_services(error: Exception) -> bool:
    """Whether a call or the database failed, whatever a service refused us."""
    return isinstance(error, Refused) or is_transient(error)
