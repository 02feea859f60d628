"""Run services: as a process of their own, or as a group inside one.

A process waits for the broker before it starts, ticks so that a signal is noticed even
when idle, and stops on SIGTERM and SIGINT: no new work, running work finished, exit
code 0. What has not stopped after a grace period is killed.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass, field
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
from clp_chassis.observability.logs import configure_logs
from clp_chassis.observability.tracing import configure_traces, end_traces
from clp_chassis.persistence.database import TRANSIENT_ERRORS, prepare_schema
from clp_chassis.reachability import (
    CONNECT_TIMEOUT_S,
    WaitLog,
    reason_of,
    require_database,
)
from clp_chassis.settings import InvalidSettings, ProcessSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import FrameType

log = logging.getLogger(__name__)

S = TypeVar("S", bound=ProcessSettings)

TICK_S: Final = 0.25
GRACE_S: Final = 30.0


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
                # One that stopped would leave the calls of the others unanswered.
                gather(self._extension_methods("stop_calling"))
                self._call_all("stop")
        except eventlet.Timeout:
            running = ", ".join(self._running())
            log.error("not stopped in %g s, killing %s", timeout_s, running)  # noqa: TRY400 - the trace says no more
            self.kill()

    def kill(self) -> None:
        """Stop at once; the broker redelivers unfinished work."""
        self._call_all("kill")

    def probes(self) -> Probes:
        """Return the readiness checks of the extensions of all containers."""
        checks: dict[str, Callable[[], object]] = {}
        for find in self._extension_methods("readiness_checks"):
            checks |= find()
        return Probes(checks=checks)

    def raise_if_dead(self) -> None:
        """Raise the error of a service that stopped by itself."""
        for container in self._containers:
            if container._died.ready():  # noqa: SLF001 - waiting for it would block
                container.wait()
                raise RuntimeError(f"{container.service_name} stopped by itself")

    def _extension_methods(self, name: str) -> list[Callable[[], Any]]:
        """Return the method of this name of each extension that has it."""
        return [
            getattr(extension, name)
            for container in self._containers
            for extension in container.extensions
            if hasattr(extension, name)
        ]

    def _running(self) -> Iterator[str]:
        """Iterate what has not stopped: services with their calls and threads."""
        for container in self._containers:
            if container._died.ready():  # noqa: SLF001 - as above
                continue
            calls = [
                worker.entrypoint.method_name
                for worker in container._worker_threads  # noqa: SLF001 - not public
            ]
            threads = container._managed_threads.values()  # noqa: SLF001 - not public
            yield f"{container.service_name} ({', '.join([*calls, *threads])})"

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


def serve(
    settings: S,
    build: Callable[[S, ProcessContext], Process],
    *,
    service: str,
    process_type: str,
) -> None:
    """Build a process from its settings and run it until it is told to stop."""
    # To search all of a process for cycles as it ends takes longer than to stop it.
    atexit.register(gc.freeze)
    health, shutdown = Health(), _ShutdownSignal()
    shutdown.install()
    health_server = _start_observability(settings, process_type, health)
    try:
        if url := settings.schema_url:
            health.watch(Probes(checks={"database": lambda: require_database(url)}))
            prepared = _Wait("database", url, shutdown, health).until_done(
                lambda: prepare_schema(url, f"clp_{service}"), TRANSIENT_ERRORS
            )
            if not prepared:
                return
        process = build(settings, ProcessContext.from_settings(service, settings))
        if health_server is not None:
            health_server.watch(process.probes)
        try:
            _run(process.services, process.config, health=health, shutdown=shutdown)
        finally:
            process.close()
    finally:
        if health_server is not None:
            health_server.close()
        end_traces()


def _start_observability(
    settings: ProcessSettings, process_type: str, health: Health
) -> HealthServer | None:
    """Configure logs and traces; open the port for health and metrics, if set."""
    configure_logs(process_type, level=settings.log_level, shape=settings.log_shape)
    if settings.traces_url:
        configure_traces(process_type, settings.traces_url)
    if not settings.observe_address:
        return None
    return HealthServer(settings.observe_address, health)


@dataclass(slots=True)
class _ShutdownSignal:
    """Whether this process was told to stop."""

    received: bool = False
    # Python writes the number of each signal to one end, green threads read the other.
    _sockets: tuple[socket.socket, ...] = field(default_factory=socket.socketpair)

    def install(self) -> None:
        """Handle SIGTERM and SIGINT; a second SIGINT ends the process as usual."""
        self._sockets[1].settimeout(0)
        signal.set_wakeup_fd(self._sockets[1].fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._handle)
        signal.signal(signal.SIGINT, self._handle)

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        # Runs inside the current green thread, so it only sets a flag.
        self.received = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def wait(self, seconds: float) -> None:
        """Wait for a signal, or for so long."""
        self._sockets[0].settimeout(seconds)
        with suppress(TimeoutError):
            self._sockets[0].recv(1)


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
    shutdown = _ShutdownSignal()
    shutdown.install()
    _run(
        services, config, grace_s=grace_s, health=health or Health(), shutdown=shutdown
    )


def _run(
    services: Sequence[type],
    config: Mapping[str, Any],
    *,
    health: Health,
    shutdown: _ShutdownSignal,
    grace_s: float = GRACE_S,
) -> None:
    if config.get(AMQP_URI_CONFIG_KEY) is not None:
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
        shutdown.wait(TICK_S)
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
    wait = _Wait("broker", config[AMQP_URI_CONFIG_KEY], shutdown, health)
    return wait.until_done(lambda: _check_broker(config), BROKER_ERRORS)


@dataclass(frozen=True, slots=True)
class _Wait:
    """A wait for a server, which a signal ends."""

    server: str
    url: str
    shutdown: _ShutdownSignal
    health: Health

    def until_done(
        self, work: Callable[[], object], errors: tuple[type[Exception], ...]
    ) -> bool:
        """Try work until the server does it; False when told to stop first.

        Raises:
            InvalidSettings: a file is not there; waiting would not make it.
        """
        failures = WaitLog(log, self.server, self.url)
        while not self.shutdown.received:
            self.health.tick()
            try:
                work()
            except errors as error:
                if self.url.startswith("sqlite"):
                    raise InvalidSettings(
                        f"the database {self.url}: {reason_of(error)}"
                    ) from None
                failures.failed(error)
                eventlet.sleep(TICK_S)
            else:
                failures.succeeded()
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
