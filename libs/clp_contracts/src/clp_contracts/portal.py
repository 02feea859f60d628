"""Contract of `portal`: what an operator may do to sessions."""

from dataclasses import dataclass
from typing import Final

from clp_contracts.feed import progress_of
from clp_contracts.methods import SERVICES, Method

SERVICE: Final = "portal"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessions:
    """End every session of a person, at once and in all portal processes."""

    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsEnded:
    """The number of sessions that were ended."""

    count: int


PROGRESS: Final = progress_of(SERVICE)
END_SESSIONS: Final = Method(
    SERVICE, "end_sessions", EndSessions, SessionsEnded, SERVICES
)
