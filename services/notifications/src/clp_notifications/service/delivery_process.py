"""The process type that delivers: woken by events and by the clock.

Rows decide who works on what, so any number of these processes can run side by side.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import eventlet
from eventlet.event import Event
from nameko.extensions import DependencyProvider

from clp_chassis.bootstrap import Process, Surroundings, configured, parts_of
from clp_chassis.concurrency.loop_timer import Pace
from clp_chassis.messaging import on_events
from clp_chassis.observability import Watched
from clp_chassis.persistence.database import AWAY, Database
from clp_contracts.events import OF_NOTIFICATIONS
from clp_contracts.notifications import SERVICE
from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.dependencies import Desk, Job, Pacing
from clp_notifications.delivery.letters import Manner
from clp_notifications.delivery.maildir import Maildir
from clp_notifications.delivery.relay_throttle import Lane, lane_readings
from clp_notifications.delivery.transports import transport_at
from clp_notifications.gauges import watched
from clp_notifications.mail.composer import Mailer
from clp_notifications.mail.house import House
from clp_notifications.mail.rendering import Renderer
from clp_notifications.mail.tokens import Seals
from clp_notifications.settings import Settings

log = logging.getLogger(__name__)

ROUNDS: Final = 2
SWEEP_EVERY: Final = timedelta(seconds=5)
SHORTEST_REST: Final = timedelta(milliseconds=20)
REST_AFTER_TROUBLE_S: Final = 0.5


class Worker(DependencyProvider):  # type: ignore[misc]
    """Takes due mails and delivers them, several rounds at a time."""

    def setup(self) -> None:
        """Find the desk, the number of rounds and how long to rest at most."""
        self._desk: Desk
        self._desk, self._rounds, poll_s = parts_of(self.container)
        self._most_rest = timedelta(seconds=poll_s)
        self._pace = Pace(poll_s)
        self._stopping = False
        self._ended = Event()
        self._sweep_at = self._desk.clock()

    def start(self) -> None:
        """Begin to work."""
        self.container.spawn_managed_thread(self._run, identifier="delivery")

    def stop(self) -> None:
        """Finish the mails in hand, give the other claims back.

        Whoever stops the container ends every loop as soon as this returns, so it
        returns when there is nothing left to write down.
        """
        self.kill()
        self._ended.wait()

    def kill(self) -> None:
        """Stop at once; leases bring the claims back to work."""
        self._stopping = True
        self._pace.stop()

    def get_dependency(self, worker_ctx: Any) -> "Worker":
        """The worker itself, to be woken by event handlers."""
        del worker_ctx
        return self

    def wake(self) -> None:
        """There may be mails to deliver."""
        self._pace.wake()

    def _run(self) -> None:
        try:
            self._take_turns()
        finally:
            self._ended.send()

    def _take_turns(self) -> None:
        rest: float | None = None
        while self._pace.wait(rest):
            try:
                self._sweep()
                # While one round waits for the services, another one hands over.
                together([self._work] * self._rounds)
                idle = self._desk.idle_for(self._most_rest)
                rest = max(idle, SHORTEST_REST).total_seconds()
            except AWAY as error:
                log.warning("delivery waits: %s", type(error).__name__)
                rest = REST_AFTER_TROUBLE_S
            except Exception:
                log.exception("delivery stumbled")
                rest = REST_AFTER_TROUBLE_S

    def _sweep(self) -> None:
        now = self._desk.clock()
        if now >= self._sweep_at:
            self._desk.sweep()
            self._sweep_at = now + SWEEP_EVERY

    def _work(self) -> None:
        while not self._stopping and (claims := self._desk.claim()):
            deliver(self._desk, claims, lambda: self._stopping)


def together(jobs: Sequence[Job]) -> None:
    """Do jobs at the same time; an error of one is raised when all are done."""
    if len(jobs) == 1:
        jobs[0]()
        return
    running = [eventlet.spawn(job) for job in jobs]
    errors: list[Exception] = []
    for one in running:
        try:
            one.wait()
        except Exception as error:  # noqa: BLE001 - the others still need their turn
            errors.append(error)
    if errors:
        raise errors[0]


class DeliveryService:
    """Delivers what routing wrote down."""

    name = "notifications_delivery"
    worker = Worker()

    @on_events(SERVICE, *OF_NOTIFICATIONS)
    def on_notification_due(self, _body: object) -> None:
        self.worker.wake()


def house_of(settings: Settings) -> House:
    """Who we are in a mail."""
    return House(
        base_url=settings.base_url.rstrip("/"),
        mail_domain=settings.mail_domain,
        bounce_domain=settings.bounce_domain,
        sender_name=settings.sender_name,
        studio_name=settings.studio_name,
    )


def build(settings: Settings, surroundings: Surroundings) -> Process:
    """Put the process together; its database must be migrated."""
    database = Database(settings.database_url)
    house = house_of(settings)
    transport = transport_at(
        settings.mail_url, settings.relay_timeout_s, settings.mail_domain
    )
    callers, lane = surroundings.callers(), Lane()
    # A folder orders mails by their hand-over: one after the other.
    is_folder = isinstance(transport, Maildir)
    connections = 1 if is_folder else max(1, settings.mail_connections)
    desk = Desk(
        database=database,
        callers=callers,
        clock=surroundings.clock,
        mailer=Mailer(house, Seals(settings.secret), Renderer(house)),
        transport=transport,
        lane=lane,
        sleep=eventlet.sleep,
        together=together,
        pacing=Pacing(
            connections=connections,
            hold_s=settings.mail_hold_s,
            fresh_s=settings.mail_fresh_s,
            lease=timedelta(seconds=settings.lease_s),
            margin=timedelta(seconds=settings.relay_timeout_s),
        ),
        manner=Manner(
            language=settings.language,
            time_zone=settings.time_zone,
            content=settings.mail_content,
        ),
    )
    rounds = 1 if is_folder else ROUNDS

    def close() -> None:
        transport.close()
        callers.close()
        database.close()

    return Process(
        services=(DeliveryService,),
        config=configured(surroundings, (desk, rounds, settings.poll_s)),
        close=close,
        watched=_watched(database, lane, surroundings),
    )


def _watched(database: Database, lane: Lane, surroundings: Surroundings) -> Watched:
    """What all processes of the service show, and this one's lane to the relay."""
    seen, clock = watched(database, surroundings.clock), surroundings.clock
    gauges = (*seen.gauges, lambda: lane_readings(lane, clock))
    return Watched(gauges=gauges, checks=seen.checks)
