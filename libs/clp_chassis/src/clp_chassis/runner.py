"""Running services: as a process of their own, or as a group inside one.

A process waits for the broker before it starts, ticks so that a signal is seen even
when nothing else happens, and ends in order on SIGTERM and SIGINT: no new work, the
work in hand finished, exit code 0. What has not ended after a grace period is killed.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import eventlet
from eventlet import patcher
from kombu import Connection
from nameko.constants import AMQP_SSL_CONFIG_KEY, AMQP_URI_CONFIG_KEY
from nameko.containers import ServiceContainer

from clp_chassis.bootstrap import Process, Surroundings
from clp_chassis.messaging import BROKER_ERRORS
from clp_chassis.observability.gauges import Watched
from clp_chassis.observability.health_server import Health, Page
from clp_chassis.observability.logs import LEVELS, SHAPES, configure_logs
from clp_chassis.observability.tracing import configure_traces, end_traces
from clp_chassis.persistence.database import AWAY, migrate
from clp_chassis.settings import ProcessSettings, WrongSettings, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import FrameType

log = logging.getLogger(__name__)

S = TypeVar("S", bound=ProcessSettings)

TICK_SECONDS: Final = 0.25
GRACE_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 2.0
# As long as a server may take to come back after a power cut.
DATABASE_SECONDS: Final = 60.0
BETWEEN_COMPLAINTS_SECONDS: Final = 10.0


class ContainerGroup:
    """Services with their settings, started and ended together.

    Args:
        services: each service class with the settings of its container.
    """

    def __init__(self, services: Iterable[tuple[type, Mapping[str, Any]]]) -> None:
        self._containers = [
            ServiceContainer(service, dict(config)) for service, config in services
        ]

    def start(self) -> None:
        """Start all at once; if one fails, none stays."""
        try:
            self._all("start")
            self.raise_if_dead()
        except BaseException:
            self.kill()
            raise

    def stop(self, seconds: float = GRACE_SECONDS) -> None:
        """End in order: the work in hand is finished. Late ones are killed."""
        try:
            with eventlet.Timeout(seconds):
                self._all("stop")
        except eventlet.Timeout:
            log.error("not everything stopped in %g s, killing the rest", seconds)  # noqa: TRY400 - no news in the trace
            self.kill()

    def kill(self) -> None:
        """End now; unfinished work is delivered again to whoever comes next."""
        self._all("kill")

    def raise_if_dead(self) -> None:
        """Raise what ended a service that nobody asked to end."""
        for container in self._containers:
            if container._died.ready():  # noqa: SLF001 - waiting for it would block
                container.wait()
                raise RuntimeError(f"{container.service_name} ended by itself")

    def _all(self, method: str) -> None:
        """Do it to all at the same time; the first error comes when all are done."""
        running = [eventlet.spawn(getattr(c, method)) for c in self._containers]
        errors: list[Exception] = []
        for greenthread in running:
            try:
                greenthread.wait()
            except Exception as error:  # noqa: BLE001 - the others still need their turn
                errors.append(error)
        if errors:
            raise errors[0]


def main(
    service: str,
    shape: type[S],
    build: Callable[[S, Surroundings], Process],
    *,
    process_type: str | None = None,
) -> None:
    """Run one process type of a service: what every `__main__` calls.

    Reads the settings (``CLP_SERVICE_…``), opens the port for health and metrics,
    migrates the database with the migrations of ``clp_SERVICE`` if the settings name
    one (``database_url``), builds the process and runs it until it is asked to end.
    ``process_type`` is its name in logs and traces, where that is not the service's.
    """
    # What this process writes is for its own account only.
    os.umask(0o077)
    try:
        settings = read_settings(shape, f"CLP_{service.upper()}")
        _run_observed(settings, (service, process_type or service), build)
    except WrongSettings as error:
        raise SystemExit(f"wrong settings:\n{error}") from None


def _run_observed(
    settings: S, names: tuple[str, str], build: Callable[[S, Surroundings], Process]
) -> None:
    service, process_type = names
    health = Health()
    page = _observed(settings, process_type, health)
    try:
        database_url = getattr(settings, "database_url", None)
        if database_url is not None:
            # A file is there or is not; a server may be starting as we are.
            patience = 0 if database_url.startswith("sqlite") else DATABASE_SECONDS
            once_it_answers(lambda: migrate(database_url, f"clp_{service}"), patience)
        keys = Path(settings.keys_dir)
        process = build(
            settings, Surroundings.from_files(service, settings.broker_url, keys)
        )
        if page is not None:
            page.watch(process.watched)
        try:
            run(process.services, process.config, health=health)
        finally:
            process.close()
    finally:
        if page is not None:
            page.close()
        end_traces()


def once_it_answers(work: Callable[[], None], seconds: float) -> None:
    """Do something with a database, again and again while it is away.

    Raises:
        OperationalError: when it is still away after so many seconds.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            work()
        except AWAY as error:
            if time.monotonic() >= deadline:
                raise
            log.warning("waiting for the database: %s", type(error).__name__)
            eventlet.sleep(TICK_SECONDS)
        else:
            return


def _observed(
    settings: ProcessSettings, process_type: str, health: Health
) -> Page | None:
    """Configure logs and traces; open the port for health and metrics, if wanted."""
    if settings.log_shape not in SHAPES or settings.log_level not in LEVELS:
        raise WrongSettings(
            f"CLP_LOG_SHAPE is one of {', '.join(SHAPES)},"
            f" CLP_LOG_LEVEL one of {', '.join(LEVELS)}"
        )
    configure_logs(process_type, level=settings.log_level, shape=settings.log_shape)
    if settings.traces_url:
        configure_traces(process_type, settings.traces_url)
    if not settings.observe_address:
        return None
    try:
        return Page(settings.observe_address, health)
    except (OSError, ValueError) as error:
        raise WrongSettings(
            f"CLP_OBSERVE_ADDRESS: {settings.observe_address} is no HOST:PORT"
            f" to listen on: {error}"
        ) from None


@dataclass(slots=True)
class _Ending:
    """Whether somebody asked this process to end."""

    asked: bool = False

    def listen(self) -> None:
        """Take SIGTERM and SIGINT; a second SIGINT ends the process as usual."""
        signal.signal(signal.SIGTERM, self._hear)
        signal.signal(signal.SIGINT, self._hear)

    def _hear(self, _signal: int, _frame: FrameType | None) -> None:
        # Runs inside whatever greenthread is current, so it may only leave a note.
        self.asked = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(
    services: Sequence[type],
    config: Mapping[str, Any],
    *,
    grace_seconds: float = GRACE_SECONDS,
    health: Health | None = None,
) -> None:
    """Run services in this process until it is asked to end.

    Returns when all has ended in order. Whatever ends a service by itself is raised,
    so that the process ends with an error and its supervisor starts another one.
    ``health`` is told how the process is.
    """
    health = health or Health()
    ending = _Ending()
    ending.listen()
    broker_url = config.get(AMQP_URI_CONFIG_KEY)
    if broker_url is not None:
        health.watch(Watched(checks={"broker": lambda: _ask_broker(config)}))
        if not _wait_for_broker(config, (ending, health)):
            return
    group = ContainerGroup((service, config) for service in services)
    starting = eventlet.spawn(group.start)
    names = ", ".join(service.name for service in services)  # type: ignore[attr-defined]
    while not starting.dead and not ending.asked:
        eventlet.sleep(TICK_SECONDS / 5)
        health.tick()
    if not ending.asked:
        starting.wait()
        health.running = True
        log.info("running: %s", names)
    while not ending.asked:
        eventlet.sleep(TICK_SECONDS)
        health.tick()
        _raise_if_dead(group)
    health.running = False
    log.info("ending: %s", names)
    _die_after(grace_seconds)
    group.stop(grace_seconds)
    log.info("ended: %s", names)


def _raise_if_dead(group: ContainerGroup) -> None:
    try:
        group.raise_if_dead()
    except BaseException:
        log.critical("a service ended by itself, ending the process")
        _die_after(GRACE_SECONDS)
        group.stop()
        raise


def _ask_broker(config: Mapping[str, Any]) -> None:
    """Raise when the broker lets nobody in."""
    connection = Connection(
        config[AMQP_URI_CONFIG_KEY],
        ssl=config.get(AMQP_SSL_CONFIG_KEY),
        connect_timeout=CONNECT_SECONDS,
    )
    connection.transport.establish_connection().close()


def _wait_for_broker(
    config: Mapping[str, Any], looking: tuple[_Ending, Health]
) -> bool:
    """Wait until the broker answers; False when the process is to end first."""
    ending, health = looking
    complained_at = -BETWEEN_COMPLAINTS_SECONDS
    shown = Connection(config[AMQP_URI_CONFIG_KEY]).as_uri()
    while not ending.asked:
        health.tick()
        try:
            _ask_broker(config)
        except BROKER_ERRORS as error:
            if time.monotonic() - complained_at >= BETWEEN_COMPLAINTS_SECONDS:
                log.warning("waiting for broker %s: %s", shown, error)
                complained_at = time.monotonic()
            eventlet.sleep(TICK_SECONDS)
        else:
            log.info("broker %s answers", shown)
            return True
    return False


def _die_after(seconds: float) -> None:
    """Make sure that this process ends, however it hangs.

    A real thread sees to it that even a blocked hub is no excuse; the kernel's alarm
    comes a little later, for code that never lets another thread run.
    """
    start_new_thread = patcher.original("_thread").start_new_thread
    sleep = patcher.original("time").sleep

    def wait_and_kill() -> None:
        sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)
    start_new_thread(wait_and_kill, ())
