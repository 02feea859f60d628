"""What the services say of themselves, gathered in one look."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from clp_contracts.client import Callers
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.feed import Progress
from clp_contracts.search import Status

# More than this is worth a look; what comes and goes within a breath is not.
MUCH_WAITING: Final = 1000
MOST_DEAD_COUNTED: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSeen:
    """One service: whether it answered, how fast, and how far it is."""

    name: str
    seconds: float
    trouble: str = ""
    progress: Progress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The whole system at one moment."""

    services: Mapping[str, ServiceSeen]
    index: Status | None = None
    # How many notifications were given up, counted up to a bound.
    dead: int | None = None
    ills: tuple[str, ...] = field(default=())

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to do."""
        return not self.ills

    def behind(self, service: str) -> int:
        """How many changes of other services' feeds a service has not applied."""
        told = self.services[service].progress
        return sum(
            max(0, self._head(reader.source) - reader.cursor)
            for reader in (told.readers if told else ())
        )

    def _head(self, source: str) -> int:
        told = self.services[source].progress if source in self.services else None
        return told.head if told else 0


def look(clp: Callers) -> Seen:
    """Ask every service how it is; one that does not answer is an ill, not an end."""
    asked: dict[str, Callable[[], Progress]] = {
        "projects": clp.projects.progress,
        "messages": clp.messages.progress,
        "search": clp.search.progress,
        "notifications": clp.notifications.progress,
    }
    services = {name: _ask(name, progress) for name, progress in asked.items()}
    seen = Seen(services=services, index=_index(clp), dead=_dead(clp))
    return Seen(
        services=services, index=seen.index, dead=seen.dead, ills=tuple(_ills(seen))
    )


def _ask(name: str, progress: Callable[[], Progress]) -> ServiceSeen:
    began = time.monotonic()
    try:
        told = progress()
    except (CallFailed, Refused) as error:
        took = time.monotonic() - began
        return ServiceSeen(name=name, seconds=took, trouble=str(error))
    return ServiceSeen(name=name, seconds=time.monotonic() - began, progress=told)


def _index(clp: Callers) -> Status | None:
    try:
        return clp.search.status()
    except (CallFailed, Refused):
        return None


def _dead(clp: Callers) -> int | None:
    try:
        return len(clp.notifications.dead(limit=MOST_DEAD_COUNTED).notifications)
    except (CallFailed, Refused):
        return None


def _ills(seen: Seen) -> list[str]:
    """What is wrong, each with what to look at first."""
    found: list[str] = []
    for name, service in seen.services.items():
        told = service.progress
        if told is None:
            found.append(f"{name} does not answer ({service.trouble}): is it running?")
            continue
        if told.pending > MUCH_WAITING:
            found.append(
                f"{name} has {told.pending:,} changes to announce: is the broker well?"
            )
        if told.due > MUCH_WAITING:
            found.append(f"{told.due:,} mails are due: start more delivery processes")
        if (behind := seen.behind(name)) > MUCH_WAITING:
            found.append(f"{name} is {behind:,} changes behind: look at its log")
    if seen.dead:
        found.append(
            f"{counted(seen.dead)} notifications were given up: clp-ops dead says why,"
            " clp-ops redrive sends them again"
        )
    return found


def counted(dead: int) -> str:
    """A number of given-up notifications, counted up to a bound."""
    return f"{dead:,}" if dead < MOST_DEAD_COUNTED else f"{MOST_DEAD_COUNTED:,} or more"
