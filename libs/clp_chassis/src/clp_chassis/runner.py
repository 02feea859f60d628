"""Run services: as a process of their own, or as a group inside one.

A process waits for the broker before it starts, ticks so that a signal is noticed even
when idle, and stops on SIGTERM and SIGINT: no new work, running work finished, exit
code 0. What has not stopped after a grace period is killed.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import eventlet
from eventlet import patcher
from kombu import Connection
from nameko.constants import AMQP_SSL_CONFIG_KEY, AMQP_URI_CONFIG_KEY
from nameko.containers import ServiceContainer

from clp_chassis.bootstrap import Process, ProcessContext
from clp_chassis.messaging import BROKER_ERRORS
from clp_chassis.observability.gauges import Probes
from clp_chassis.observability.health_server import Health, HealthServer
from clp_chassis.observability.logs import LEVELS, SHAPES, configure_logs
from clp_chassis.observability.tracing import configure_traces, end_traces
from clp_chassis.persistence.database import (
    TRANSIENT_ERRORS,
    UnsupportedSchema,
    migrate,
)
from clp_chassis.settings import InvalidSettings, ProcessSettings, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import FrameType

log = logging.getLogger(__name__)

S = TypeVar("S", bound=ProcessSettings)

TICK_S: Final = 0.25
GRACE_S: Final = 30.0
CONNECT_TIMEOUT_S: Final = 2.0
# A database server may take so long to start after a power cut.
DATABASE_TIMEOUT_S: Final = 60.0
LOG_INTERVAL_S: Final = 10.0


class ContainerGroup:
    """Containers of services, started and stopped together.

    Args:
        services: each service class with the config of its container.
    """

    def __init__(self, services: Iterable[tuple[type, Mapping[str, Any]]]) -> None:
        self._containers = [
            ServiceContainer(service, dict(config)) for service, config in services
        ]

    def start(self) -> None:
        """Start all at the same time; if one fails, kill them all."""
        try:
            self._call_all("start")
            self.raise_if_dead()
        except BaseException:
            self.kill()
            raise

    def stop(self, timeout_s: float = GRACE_S) -> None:
        """Stop after running work; kill what has not stopped in time."""
        try:
            with eventlet.Timeout(timeout_s):
                self._call_all("stop")
        except eventlet.Timeout:
            log.error("not stopped in %g s, killing the rest", timeout_s)  # noqa: TRY400 - the trace says no more
            self.kill()

    def kill(self) -> None:
        """Stop at once; the broker redelivers unfinished work."""
        self._call_all("kill")

    def probes(self) -> Probes:
        """Return the readiness checks of the extensions of all containers."""
        checks: dict[str, Callable[[], object]] = {}
        for container in self._containers:
            for extension in container.extensions:
                find = getattr(extension, "readiness_checks", None)
                checks |= {} if find is None else find()
        return Probes(checks=checks)

    def raise_if_dead(self) -> None:
        """Raise the error of a service that stopped by itself."""
        for container in self._containers:
            if container._died.ready():  # noqa: SLF001 - waiting for it would block
                container.wait()
                raise RuntimeError(f"{container.service_name} stopped by itself")

    def _call_all(self, method: str) -> None:
        gather(getattr(container, method) for container in self._containers)


def gather(functions: Iterable[Callable[[], object]]) -> None:
    """Call functions in green threads; when all are done, raise the first error."""
    running = [eventlet.spawn(function) for function in functions]
    errors: list[Exception] = []
    for greenthread in running:
        try:
            greenthread.wait()
        except Exception as error:  # noqa: BLE001 - the others are waited for
            errors.append(error)
    if errors:
        raise errors[0]


def main(
    service: str,
    settings_type: type[S],
    build: Callable[[S, ProcessContext], Process],
    *,
    process_type: str | None = None,
) -> None:
    """Run one process type of a service; every `__main__` calls this.

    Reads the settings (``CLP_SERVICE_…``), opens the port for health and metrics,
    migrates the database with the migrations of ``clp_SERVICE`` if the settings name
    one (``database_url``), builds the process and runs it until it is told to stop.
    ``process_type`` is its name in logs and traces, where that is not the service's.
    """
    # Files of this process are readable by its own account only.
    os.umask(0o077)
    try:
        settings = read_settings(settings_type, f"CLP_{service.upper()}")
        _run_observed(
            settings, build, service=service, process_type=process_type or service
        )
    except InvalidSettings as error:
        raise SystemExit(f"invalid settings:\n{error}") from None
    except UnsupportedSchema as error:
        raise SystemExit(f"{service}: {error}") from None


def _run_observed(
    settings: S,
    build: Callable[[S, ProcessContext], Process],
    *,
    service: str,
    process_type: str,
) -> None:
    health = Health()
    health_server = _start_observability(settings, process_type, health)
    try:
        database_url = getattr(settings, "database_url", None)
        if database_url is not None:
            # A server may still be starting; a file is there or not.
            wait_s = 0 if database_url.startswith("sqlite") else DATABASE_TIMEOUT_S
            retry_until_available(
                lambda: migrate(database_url, f"clp_{service}"), wait_s
            )
        process = build(settings, ProcessContext.from_settings(service, settings))
        if health_server is not None:
            health_server.watch(process.probes)
        try:
            run(process.services, process.config, health=health)
        finally:
            process.close()
    finally:
        if health_server is not None:
            health_server.close()
        end_traces()


def retry_until_available(work: Callable[[], None], timeout_s: float) -> None:
    """Call a function that needs the database; retry while that is unavailable.

    Raises:
        OperationalError: when it is still unavailable after the timeout.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            work()
        except TRANSIENT_ERRORS as error:
            if time.monotonic() >= deadline:
                raise
            log.warning("waiting for the database: %s", type(error).__name__)
            eventlet.sleep(TICK_S)
        else:
            return


def _start_observability(
    settings: ProcessSettings, process_type: str, health: Health
) -> HealthServer | None:
    """Configure logs and traces; open the port for health and metrics, if set."""
    if settings.log_shape not in SHAPES or settings.log_level not in LEVELS:
        raise InvalidSettings(
            f"CLP_LOG_SHAPE is one of {', '.join(SHAPES)},"
            f" CLP_LOG_LEVEL one of {', '.join(LEVELS)}"
        )
    configure_logs(process_type, level=settings.log_level, shape=settings.log_shape)
    if settings.traces_url:
        configure_traces(process_type, settings.traces_url)
    if not settings.observe_address:
        return None
    try:
        return HealthServer(settings.observe_address, health)
    except (OSError, ValueError) as error:
        raise InvalidSettings(
            f"CLP_OBSERVE_ADDRESS: cannot listen on {settings.observe_address}"
            f" (HOST:PORT): {error}"
        ) from None


@dataclass(slots=True)
class _ShutdownSignal:
    """Whether this process was told to stop."""

    received: bool = False

    def install(self) -> None:
        """Handle SIGTERM and SIGINT; a second SIGINT ends the process as usual."""
        signal.signal(signal.SIGTERM, self._handle)
        signal.signal(signal.SIGINT, self._handle)

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        # Runs inside the current green thread, so it only sets a flag.
        self.received = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(
    services: Sequence[type],
    config: Mapping[str, Any],
    *,
    grace_s: float = GRACE_S,
    health: Health | None = None,
) -> None:
    """Run services in this process until it is told to stop.

    Returns when all have stopped. An error that ends a service by itself is raised, so
    that the process fails and its supervisor starts another one. ``health`` is kept up
    to date.
    """
    health = health or Health()
    shutdown = _ShutdownSignal()
    shutdown.install()
    broker_url = config.get(AMQP_URI_CONFIG_KEY)
    if broker_url is not None:
        health.watch(Probes(checks={"broker": lambda: _check_broker(config)}))
        if not _wait_for_broker(config, shutdown=shutdown, health=health):
            return
    group = ContainerGroup((service, config) for service in services)
    starting = eventlet.spawn(group.start)
    names = ", ".join(service.name for service in services)  # type: ignore[attr-defined]
    while not starting.dead and not shutdown.received:
        eventlet.sleep(TICK_S / 5)
        health.tick()
    if not shutdown.received:
        starting.wait()
        health.watch(group.probes())
        health.running = True
        log.info("running: %s", names)
    while not shutdown.received:
        eventlet.sleep(TICK_S)
        health.tick()
        _raise_if_dead(group)
    health.running = False
    log.info("stopping: %s", names)
    _force_exit_after(grace_s)
    group.stop(grace_s)
    log.info("stopped: %s", names)


def _raise_if_dead(group: ContainerGroup) -> None:
    try:
        group.raise_if_dead()
    except BaseException:
        log.critical("a service stopped by itself, ending the process")
        _force_exit_after(GRACE_S)
        group.stop()
        raise


def _check_broker(config: Mapping[str, Any]) -> None:
    """Raise when the broker accepts no connection."""
    connection = Connection(
        config[AMQP_URI_CONFIG_KEY],
        ssl=config.get(AMQP_SSL_CONFIG_KEY),
        connect_timeout=CONNECT_TIMEOUT_S,
    )
    connection.transport.establish_connection().close()


def _wait_for_broker(
    config: Mapping[str, Any], *, shutdown: _ShutdownSignal, health: Health
) -> bool:
    """Wait until the broker is available; False when told to stop first."""
    logged_at = -LOG_INTERVAL_S
    url = Connection(config[AMQP_URI_CONFIG_KEY]).as_uri()
    while not shutdown.received:
        health.tick()
        try:
            _check_broker(config)
        except BROKER_ERRORS as error:
            if time.monotonic() - logged_at >= LOG_INTERVAL_S:
                log.warning("waiting for broker %s: %s", url, error)
                logged_at = time.monotonic()
            eventlet.sleep(TICK_S)
        else:
            log.info("broker %s is available", url)
            return True
    return False


def _force_exit_after(seconds: float) -> None:
    """End this process after a while, however it hangs.

    A real thread kills it even when the hub is blocked; the kernel's alarm comes a
    little later, for code that never releases the interpreter.
    """
    start_new_thread = patcher.original("_thread").start_new_thread
    sleep = patcher.original("time").sleep

    def wait_and_kill() -> None:
        sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)
    start_new_thread(wait_and_kill, ())
