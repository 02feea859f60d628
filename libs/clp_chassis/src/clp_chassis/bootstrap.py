"""The assembly of a service process, embedded or on its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from nameko.extensions import DependencyProvider

from clp_chassis.clock import Clock, now
from clp_chassis.concurrency.call_limits import RATE_LIMIT
from clp_chassis.concurrency.loop_timer import MIN_INTERVAL, MIN_INTERVAL_S, timeout
from clp_chassis.concurrency.rate_limiter import DEFAULT_LIMIT, RateLimit
from clp_chassis.observability.call_chain import current_chain
from clp_chassis.observability.gauges import Probes
from clp_chassis.observability.tracing import carrier
from clp_chassis.rpc import VERIFIER
from clp_chassis.security.passports import Issuer, Verifier
from clp_chassis.setting_kinds import split_list
from clp_chassis.settings import ProcessSettings, naming_setting
from clp_contracts.broker_address import BrokerAddress
from clp_contracts.client import Clients, RpcClient
from clp_contracts.connection_pool import RpcConnectionPool

DEPENDENCIES: Final = "clp_dependencies"
# Calls that a process takes from the broker; most of them wait in its fair queue, which
# can only choose among calls that it has.
MAX_CALLS: Final = 256
# The container setting that names a file in which a process listening on port 0 writes
# its ``HOST:PORT``, for the program that started it.
HTTP_ADDRESS_FILE: Final = "clp_http_address_file"
# The container setting with the addresses of trusted proxies.
TRUSTED_PROXIES: Final = "clp_trusted_proxies"


@dataclass(frozen=True, slots=True)
class ProcessContext:
    """The context of a process: broker, keys, clock and limits.

    ``passport`` gives passports of this service for calls to a named one. Runs of
    background loops are at least ``min_interval_s`` apart. ``rate_limit`` bounds the
    calls of each person. ``trusted_proxies`` are the addresses of
    proxies in front of the HTTP edge.
    """

    broker_url: str
    verifier: Verifier
    passport: Callable[[str], str]
    clock: Clock = now
    call_timeout_s: float = 10.0
    min_interval_s: float = MIN_INTERVAL_S
    rate_limit: RateLimit = DEFAULT_LIMIT
    trusted_proxies: tuple[str, ...] = ()

    @classmethod
    def from_files(
        cls, service: str, broker_url: str, folder: Path
    ) -> "ProcessContext":
        """Read the trusted keys and this service's own key from a folder."""
        issuer = Issuer.from_file(folder / f"{service}.pem", now)
        trusted = folder / "trusted.json"
        verifier = Verifier.from_file(trusted, now, audience=service)
        return cls(broker_url, verifier, issuer.for_service(service))

    @classmethod
    def from_settings(cls, service: str, settings: ProcessSettings) -> "ProcessContext":
        """Read the keys and limits that the settings name."""
        with naming_setting(f"CLP_{service}_KEYS_DIR".upper()):
            folder = Path(settings.keys_dir)
            context = cls.from_files(service, settings.broker_url, folder)
        limit = RateLimit(settings.calls_at_once, settings.calls_per_second)
        proxies = split_list(settings.trusted_proxies)
        return replace(context, rate_limit=limit, trusted_proxies=proxies)

    def clients(self) -> Clients:
        """Typed clients for calls to other services, with this service's passport."""
        connections = RpcConnectionPool(self.broker_url, self.call_timeout_s, timeout)
        return Clients(
            RpcClient(connections, self.passport, chain=current_chain, carrier=carrier)
        )


@dataclass(frozen=True, slots=True)
class Process:
    """Service classes that run together, their container settings and their end.

    ``probes`` are the process's own gauges and readiness checks.
    """

    services: tuple[type, ...]
    config: Mapping[str, Any]
    close: Callable[[], None] = field(default=lambda: None)
    probes: Probes = field(default_factory=Probes)


class DependenciesProvider(DependencyProvider):  # type: ignore[misc]
    """Give entrypoints the dependencies their process was built with."""

    def get_dependency(self, worker_ctx: Any) -> Any:
        """Return the dependencies of this process."""
        del worker_ctx
        return dependencies_of(self.container)


def container_config(
    context: ProcessContext,
    dependencies: Any,
    *,
    http_address: str | None = None,
    http_address_file: str = "",
    max_workers: int = MAX_CALLS,
) -> dict[str, Any]:
    """Return the container settings that Nameko and the chassis read."""
    config: dict[str, Any] = {
        **BrokerAddress.read(context.broker_url).settings(),
        "max_workers": max_workers,
        VERIFIER: context.verifier,
        DEPENDENCIES: dependencies,
        MIN_INTERVAL: context.min_interval_s,
        RATE_LIMIT: context.rate_limit,
        TRUSTED_PROXIES: context.trusted_proxies,
    }
    if http_address is not None:
        config["WEB_SERVER_ADDRESS"] = http_address
        config[HTTP_ADDRESS_FILE] = http_address_file
    return config


def dependencies_of(container: Any) -> Any:
    """Return the dependencies of the process that a container runs in."""
    return container.config[DEPENDENCIES]


def partner_group_of(container: Any, person: str) -> str:
    """Return whom a person queues with, by the ``groups`` of the dependencies."""
    return str(dependencies_of(container).groups.of(person))
