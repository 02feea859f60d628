"""How a service process is put together, whatever runs it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from nameko.extensions import DependencyProvider

from clp_chassis.clock import Clock, now
from clp_chassis.concurrency.fair_queue import MOST_WAITING
from clp_chassis.concurrency.loop_timer import BREATH, BREATH_S, within
from clp_chassis.observability.call_chain import chain_of_calls
from clp_chassis.observability.gauges import Watched
from clp_chassis.observability.tracing import carrier
from clp_chassis.rpc import VERIFIER
from clp_chassis.security.passports import Issuer, Verifier
from clp_contracts.broker_address import BrokerAddress
from clp_contracts.client import Callers, Calls
from clp_contracts.connection_pool import Lines

PARTS: Final = "clp_parts"
# How many calls a process has taken from the broker, most of them waiting for a turn:
# among many it can choose whose is next.
MOST_CALLS: Final = 2 * MOST_WAITING
# A file in which a process that was told to listen on port 0 notes ``HOST:PORT``, for
# whoever started it.
HTTP_ADDRESS_FILE: Final = "clp_http_address_file"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a process is given from outside: the broker, keys and the clock.

    ``passport`` gives fresh passports of this service for its own calls. Turns of what
    runs beside the calls, such as the relay, are at least ``breath_s`` apart.
    """

    broker_url: str
    verifier: Verifier
    passport: Callable[[], str]
    clock: Clock = now
    call_timeout_s: float = 10.0
    breath_s: float = BREATH_S

    @classmethod
    def from_files(cls, service: str, broker_url: str, folder: Path) -> "Surroundings":
        """Read the trusted keys and this service's own key from a folder."""
        issuer = Issuer.from_file(folder / f"{service}.pem", now)
        verifier = Verifier.from_file(folder / "trusted.json", now)
        return cls(broker_url, verifier, issuer.for_service(service))

    def callers(self) -> Callers:
        """Typed callers with which this process calls other services."""
        lines = Lines(self.broker_url, self.call_timeout_s, within)
        return Callers(
            Calls(lines, self.passport, chain=chain_of_calls, carrier=carrier)
        )


@dataclass(frozen=True, slots=True)
class Process:
    """Service classes that run together, with their settings and what to close.

    ``watched`` is what the process lets be looked at.
    """

    services: tuple[type, ...]
    config: Mapping[str, Any]
    close: Callable[[], None] = field(default=lambda: None)
    watched: Watched = field(default_factory=Watched)


class Parts(DependencyProvider):  # type: ignore[misc]
    """Gives an entrypoint what its process was built with."""

    def get_dependency(self, worker_ctx: Any) -> Any:
        """The parts of this process."""
        del worker_ctx
        return self.container.config[PARTS]


def configured(
    surroundings: Surroundings,
    parts: Any,
    *,
    http_address: str | None = None,
    http_address_file: str = "",
    max_workers: int = MOST_CALLS,
) -> dict[str, Any]:
    """The settings that the framework and our edges read."""
    config: dict[str, Any] = {
        **BrokerAddress.read(surroundings.broker_url).settings(),
        "max_workers": max_workers,
        VERIFIER: surroundings.verifier,
        PARTS: parts,
        BREATH: surroundings.breath_s,
    }
    if http_address is not None:
        config["WEB_SERVER_ADDRESS"] = http_address
        config[HTTP_ADDRESS_FILE] = http_address_file
    return config


def parts_of(container: Any) -> Any:
    """The parts of the process a container runs in."""
    return container.config[PARTS]
