"""The process type that delivers: woken by events and by the clock.

Rows decide who works on what, so any number of these processes can run side by side.
"""

import logging
from datetime import timedelta
from typing import Any, Final

import eventlet
from eventlet import GreenPool
from nameko.extensions import DependencyProvider

from clp_chassis.assembly import Process, Surroundings, configured, parts_of
from clp_chassis.broker_edge import on_events
from clp_chassis.database import AWAY, Database
from clp_chassis.pacing import Pace
from clp_contracts.events import OF_NOTIFICATIONS
from clp_contracts.notifications import SERVICE
from clp_notifications.delivery.claims import Claim
from clp_notifications.delivery.desk import Desk, Pacing
from clp_notifications.delivery.lane import Lane
from clp_notifications.delivery.maildir import Maildir
from clp_notifications.delivery.transports import transport_at
from clp_notifications.gauges import watched
from clp_notifications.mail.house import House
from clp_notifications.mail.mailer import Mailer
from clp_notifications.mail.rendering import Renderer
from clp_notifications.mail.seals import Seals
from clp_notifications.settings import Settings

log = logging.getLogger(__name__)

SWEEP_EVERY: Final = timedelta(seconds=5)
SHORTEST_REST: Final = timedelta(milliseconds=20)
REST_AFTER_TROUBLE_S: Final = 0.5


class Worker(DependencyProvider):  # type: ignore[misc]
    """Takes due mails in batches and delivers each on a connection of its own."""

    def setup(self) -> None:
        """Find the desk, and the number of connections."""
        self._desk: Desk
        self._desk, connections, poll_s = parts_of(self.container)
        self._pool = GreenPool(connections)
        self._most_rest = timedelta(seconds=poll_s)
        self._pace = Pace(poll_s)
        self._stopping = False
        self._sweep_at = self._desk.clock()

    def start(self) -> None:
        """Begin to work."""
        self.container.spawn_managed_thread(self._run, identifier="delivery")

    def stop(self) -> None:
        """Finish the mails in hand, give the other claims back."""
        self._stopping = True
        self._pace.stop()

    def kill(self) -> None:
        """Stop at once; leases bring the claims back to work."""
        self.stop()

    def get_dependency(self, worker_ctx: Any) -> "Worker":
        """The worker itself, to be woken by event handlers."""
        del worker_ctx
        return self

    def wake(self) -> None:
        """There may be mails to deliver."""
        self._pace.wake()

    def _run(self) -> None:
        rest: float | None = None
        while self._pace.wait(rest):
            try:
                while self._take_turn():
                    pass
                idle = self._desk.idle_for(self._most_rest)
                rest = max(idle, SHORTEST_REST).total_seconds()
            except AWAY as error:
                log.warning("delivery waits: %s", type(error).__name__)
                rest = REST_AFTER_TROUBLE_S
            except Exception:
                log.exception("delivery stumbled")
                rest = REST_AFTER_TROUBLE_S

    def _take_turn(self) -> bool:
        if self._stopping:
            return False
        now = self._desk.clock()
        if now >= self._sweep_at:
            self._desk.sweep()
            self._sweep_at = now + SWEEP_EVERY
        claims = self._desk.claim()
        for claim in claims:
            self._pool.spawn_n(self._deliver, claim)
        self._pool.waitall()
        return bool(claims)

    def _deliver(self, claim: Claim) -> None:
        try:
            if self._stopping:
                self._desk.give_back(claim)
            else:
                self._desk.deliver(claim)
        except Exception:
            # The lease brings it back to work.
            log.exception("mail %s was left in the middle", claim.mail)


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
    callers = surroundings.callers()
    desk = Desk(
        database=database,
        callers=callers,
        clock=surroundings.clock,
        mailer=Mailer(house, Seals(settings.secret), Renderer(house)),
        transport=transport,
        lane=Lane(),
        sleep=eventlet.sleep,
        pacing=Pacing(
            lease=timedelta(seconds=settings.lease_s),
            margin=timedelta(seconds=settings.relay_timeout_s),
        ),
    )
    # A folder orders mails by their hand-over: one after the other.
    connections = (
        1 if isinstance(transport, Maildir) else max(1, settings.mail_connections)
    )

    def close() -> None:
        transport.close()
        callers.close()
        database.close()

    return Process(
        services=(DeliveryService,),
        config=configured(surroundings, (desk, connections, settings.poll_s)),
        close=close,
        watched=watched(database, surroundings.clock),
    )
