"""The delivery process: its worker is woken by events and by the clock.

The database decides which worker delivers what, so any number of these processes can
run side by side.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

import eventlet
from eventlet.event import Event
from nameko.extensions import DependencyProvider

from clp_chassis.bootstrap import (
    Process,
    ProcessContext,
    container_config,
    dependencies_of,
)
from clp_chassis.clock import new_id
from clp_chassis.concurrency.loop_timer import MIN_INTERVAL, MIN_INTERVAL_S, LoopTimer
from clp_chassis.concurrency.periodic import PeriodicTask
from clp_chassis.messaging import on_events
from clp_chassis.observability import Check, Probes, require_well
from clp_chassis.persistence.database import TRANSIENT_ERRORS, Database
from clp_chassis.settings import naming_setting
from clp_contracts.events import OF_NOTIFICATIONS
from clp_contracts.mail_addresses import (
    MailAddress,
    parse_mail_address,
)
from clp_contracts.notifications import SERVICE
from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.claims import (
    Claim,
    claim_due,
    idle_time,
    sweep_expired,
)
from clp_notifications.delivery.dependencies import (
    BatchLimits,
    DeliveryDependencies,
    Job,
)
from clp_notifications.delivery.maildir import Maildir
from clp_notifications.delivery.relay_throttle import RelayThrottle, throttle_gauges
from clp_notifications.delivery.smtp import SmtpTransport
from clp_notifications.delivery.tickets import send_tickets
from clp_notifications.delivery.transports import transport_at
from clp_notifications.gauges import probes
from clp_notifications.health import beat, measure
from clp_notifications.mail.composer import Composer
from clp_notifications.mail.content import ReaderPreferences, SenderIdentity
from clp_notifications.mail.rendering import Renderer
from clp_notifications.mail.tokens import MailTokens
from clp_notifications.settings import Settings
from clp_notifications.unsubscribe_tokens import UnsubscribeTokens

log = logging.getLogger(__name__)

BATCHES: Final = 2
SWEEP_EVERY: Final = timedelta(seconds=5)
HEARTBEAT_INTERVAL_S: Final = 5.0
MIN_IDLE: Final = timedelta(milliseconds=20)
IDLE_AFTER_ERROR_S: Final = 0.5


class Worker(DependencyProvider):  # type: ignore[misc]
    """Claims due mails and delivers them, several batches at a time."""

    def setup(self) -> None:
        """Read the dependencies, the number of batches and the longest idle time."""
        self._deps: DeliveryDependencies
        self._deps, self._batches, poll_s = dependencies_of(self.container)
        self._max_idle = timedelta(seconds=poll_s)
        min_interval = self.container.config.get(MIN_INTERVAL, MIN_INTERVAL_S)
        self._timer = LoopTimer(poll_s, min_interval=min_interval)
        self._stopping = False
        self._ended = Event()
        self._sweep_at = self._deps.clock()

    def start(self) -> None:
        """Start the loop."""
        self.container.spawn_managed_thread(self._run, identifier="delivery")

    def stop(self) -> None:
        """Finish the mails being sent, release the other claims.

        Every green thread is killed as soon as this returns, so it returns when all
        outcomes are written.
        """
        self.kill()
        self._ended.wait()

    def kill(self) -> None:
        """Stop at once; claims come back when their leases expire."""
        self._stopping = True
        self._timer.stop()

    def get_dependency(self, worker_ctx: Any) -> "Worker":
        """The worker itself, to be woken by event handlers."""
        del worker_ctx
        return self

    def wake(self) -> None:
        """Look for due mails now."""
        self._timer.wake()

    def _run(self) -> None:
        try:
            self._run_loop()
        finally:
            self._ended.send()

    def _run_loop(self) -> None:
        idle_s: float | None = None
        while self._timer.wait(idle_s):
            try:
                self._sweep()
                self._deliver_due()
                send_tickets(self._deps)
                idle = idle_time(self._deps, self._max_idle)
                idle_s = max(idle, MIN_IDLE).total_seconds()
            except TRANSIENT_ERRORS as error:
                log.warning("delivery waits: %s", type(error).__name__)
                idle_s = IDLE_AFTER_ERROR_S
            except Exception:
                log.exception("delivery failed")
                idle_s = IDLE_AFTER_ERROR_S

    def _sweep(self) -> None:
        now = self._deps.clock()
        # At the usual interval also after the clock was set back.
        if not self._sweep_at - SWEEP_EVERY <= now < self._sweep_at:
            sweep_expired(self._deps)
            self._sweep_at = now + SWEEP_EVERY

    def _deliver_due(self) -> None:
        claims = self._claim()
        first = partial(self._work, claims)
        # While one batch waits for the services, another one sends.
        others = self._batches - 1 if self._is_full(claims) else 0
        run_parallel([first, *[self._work] * others])

    def _work(self, claims: tuple[Claim, ...] | None = None) -> None:
        claims = self._claim() if claims is None else claims
        while claims:
            deliver(self._deps, claims, lambda: self._stopping)
            claims = self._claim() if self._is_full(claims) else ()

    def _claim(self) -> tuple[Claim, ...]:
        return () if self._stopping else claim_due(self._deps)

    def _is_full(self, claims: Sequence[Claim]) -> bool:
        """Whether more mails may be due: after a smaller claim there is none."""
        return len(claims) >= self._deps.limits.batch


def run_parallel(jobs: Sequence[Job]) -> None:
    """Run jobs at the same time; raise the first error when all have ended."""
    if len(jobs) == 1:
        jobs[0]()
        return
    running = [eventlet.spawn(job) for job in jobs]
    errors: list[Exception] = []
    for one in running:
        try:
            one.wait()
        except Exception as error:  # noqa: BLE001 - the others are still waited for
            errors.append(error)
    if errors:
        raise errors[0]


def _heartbeat(container: Any) -> Callable[[], object]:
    deps: DeliveryDependencies
    deps, _, _ = dependencies_of(container)
    return partial(beat_once, deps, new_id())


def beat_once(deps: DeliveryDependencies, process: str) -> None:
    """Leave a sign of life of this process, with the state of its relay."""
    with deps.database.writing(notify=False) as session:
        beat(
            session,
            process,
            deps.clock(),
            refusing_since=deps.throttle.refusing_since,
            last_refusal=deps.throttle.last_refusal,
        )


class DeliveryService:
    """Delivers the mails that routing assigned."""

    name = "notifications_delivery"
    worker = Worker()
    heartbeat = PeriodicTask(_heartbeat, HEARTBEAT_INTERVAL_S)

    @on_events(SERVICE, *OF_NOTIFICATIONS, wakes=True)
    def on_notification_due(self, _body: object) -> None:
        self.worker.wake()


def sender_identity(settings: Settings) -> SenderIdentity:
    """Names and links of the sender."""
    return SenderIdentity(
        base_url=settings.base_url.rstrip("/"),
        mail_domain=settings.mail_domain,
        bounce_domain=settings.bounce_domain,
        sender_name=settings.sender_name,
        studio_name=settings.studio_name,
    )


def _help_address(settings: Settings) -> MailAddress | None:
    text = settings.help_address
    return parse_mail_address(text) if text else None


def reach(settings: Settings) -> dict[str, Check]:
    """Checks of ``--check``: the relay, with TLS and login as for a mail."""
    return {"smtp_url": lambda: _transport(settings).ping()}


def _transport(settings: Settings) -> Maildir | SmtpTransport:
    with naming_setting("CLP_NOTIFICATIONS_SMTP_URL"):
        return transport_at(
            settings.smtp_url, settings.smtp_timeout_s, settings.mail_domain
        )


def build(settings: Settings, context: ProcessContext) -> Process:
    """Wire the process; its database must be migrated."""
    database = Database(settings.database_url)
    identity = sender_identity(settings)
    transport = _transport(settings)
    clients, throttle = context.clients(), RelayThrottle()
    # A folder orders mails by the time of writing: one after the other.
    is_folder = isinstance(transport, Maildir)
    connections = 1 if is_folder else max(1, settings.mail_connections)
    deps = DeliveryDependencies(
        database=database,
        unsubscribe_tokens=UnsubscribeTokens(database),
        clients=clients,
        clock=context.clock,
        composer=Composer(identity, MailTokens(settings.secret), Renderer(identity)),
        transport=transport,
        throttle=throttle,
        sleep=eventlet.sleep,
        run_parallel=run_parallel,
        limits=BatchLimits(
            connections=connections,
            recheck_lease_s=settings.recheck_lease_s,
            lease=timedelta(seconds=settings.lease_s),
            margin=timedelta(seconds=settings.smtp_timeout_s),
        ),
        help_address=_help_address(settings),
        reader_preferences=ReaderPreferences(
            language=settings.language,
            time_zone=settings.time_zone,
            content=settings.mail_content,
        ),
    )
    batches = 1 if is_folder else BATCHES

    def close() -> None:
        transport.close()
        clients.close()
        database.close()

    return Process(
        services=(DeliveryService,),
        config=container_config(context, (deps, batches, settings.poll_s)),
        close=close,
        probes=_probes(database, throttle, context),
    )


def _probes(
    database: Database, throttle: RelayThrottle, context: ProcessContext
) -> Probes:
    """Probes of the service, and the relay throttle of this process."""
    common, clock = probes(database, context.clock), context.clock
    gauges = (*common.gauges, lambda: throttle_gauges(throttle, clock))

    started_at = clock()

    def relay() -> None:
        with database.reading() as session:
            require_well(measure(session, clock(), since=started_at))

    return Probes(gauges=gauges, checks={**common.checks, "relay": relay})
