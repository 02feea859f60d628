"""Collect the health of every service."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from clp_contracts.client import Clients
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.feed import Progress, ReaderProgress
from clp_contracts.health import SignValue, problems_of
from clp_contracts.search import Status

# The largest page of dead notifications.
MAX_DEAD_COUNTED: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """The response time and progress of one service, or the error of its call."""

    name: str
    seconds: float
    error: str = ""
    progress: Progress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus:
    """The health of the whole system at one moment."""

    services: Mapping[str, ServiceStatus]
    index: Status | None = None
    # Dead notifications, counted up to MAX_DEAD_COUNTED.
    dead: int | None = None
    problems: tuple[str, ...] = field(default=())

    @property
    def is_healthy(self) -> bool:
        """Whether no problem was found."""
        return not self.problems

    @property
    def signs(self) -> tuple[SignValue, ...]:
        """The measurements of health of the services that respond."""
        return tuple(
            sign
            for service in self.services.values()
            if service.progress
            for sign in service.progress.signs
        )

    @property
    def readers(self) -> Mapping[str, tuple[ReaderProgress, ...]]:
        """The readers of each feed that has any."""
        found: dict[str, tuple[ReaderProgress, ...]] = {}
        for service in self.services.values():
            for reader in service.progress.readers if service.progress else ():
                found[reader.source] = (*found.get(reader.source, ()), reader)
        return found

    def behind(self, service: str) -> int:
        """The number of changes of other feeds that a service has not applied."""
        progress = self.services[service].progress
        return sum(
            max(0, self.head(reader.source) - reader.cursor)
            for reader in (progress.readers if progress else ())
        )

    def head(self, source: str) -> int:
        """The newest position of a service's feed, 0 when it does not respond."""
        service = self.services.get(source)
        return service.progress.head if service and service.progress else 0


def system_status(clp: Clients) -> SystemStatus:
    """Call every service; one that does not respond is a problem, not an error."""
    arguments: dict[str, Callable[[], Progress]] = {
        "projects": clp.projects.progress,
        "messages": clp.messages.progress,
        "search": clp.search.progress,
        "notifications": clp.notifications.progress,
        "portal": clp.portal.progress,
    }
    services = {name: _probe(name, progress) for name, progress in arguments.items()}
    system = SystemStatus(services=services, index=_index(clp), dead=_dead(clp))
    return SystemStatus(
        services=services,
        index=system.index,
        dead=system.dead,
        problems=tuple(_problems(system)),
    )


def _probe(name: str, progress: Callable[[], Progress]) -> ServiceStatus:
    started = time.monotonic()
    try:
        response = progress()
    except (CallFailed, Refused) as error:
        seconds = time.monotonic() - started
        return ServiceStatus(name=name, seconds=seconds, error=str(error))
    seconds = time.monotonic() - started
    return ServiceStatus(name=name, seconds=seconds, progress=response)


def _index(clp: Clients) -> Status | None:
    try:
        return clp.search.status()
    except (CallFailed, Refused):
        return None


def _dead(clp: Clients) -> int | None:
    try:
        return len(clp.notifications.dead(limit=MAX_DEAD_COUNTED).notifications)
    except (CallFailed, Refused):
        return None


def _problems(system: SystemStatus) -> list[str]:
    """Every problem, each with the first thing to look at."""
    found: list[str] = []
    for name, service in system.services.items():
        if service.progress is None:
            found.append(f"{name} does not respond ({service.error}): is it running?")
        else:
            found += problems_of(service.progress.signs)
    return found


def counted(dead: int) -> str:
    """The number of dead notifications as text, counted up to a bound."""
    return f"{dead:,}" if dead < MAX_DEAD_COUNTED else f"{MAX_DEAD_COUNTED:,} or more"
