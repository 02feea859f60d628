"""The routing process: RPC methods, the feed of messages, unsubscribe pages."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from clp_chassis.bootstrap import (
    DependenciesProvider,
    Process,
    ProcessContext,
    container_config,
    dependencies_of,
    partner_group_of,
)
from clp_chassis.concurrency.periodic import PeriodicTask
from clp_chassis.events.dead_letters import dead_letter_rpc
from clp_chassis.events.feed_reader import FeedReader, FeedSubscription
from clp_chassis.events.outbox_relay import OutboxRelay, RelayConfig
from clp_chassis.events.projections import DatabaseProjection
from clp_chassis.http import public_http
from clp_chassis.messaging import DeadEvents, dead_letter_queue, on_events
from clp_chassis.observability import Check
from clp_chassis.persistence.database import Database
from clp_chassis.reachability import require_folder
from clp_chassis.rpc import CallContext, rpc_method
from clp_chassis.security.passports import Passport
from clp_contracts import feed, messages
from clp_contracts import notifications as contract
from clp_contracts.events import OF_MESSAGES
from clp_contracts.message_feed import MessageFeed
from clp_contracts.serialization import Empty
from clp_notifications.dependencies import Bounces, Dependencies, MailPolicy
from clp_notifications.gauges import probes
from clp_notifications.inbound import bounces, dead_letters
from clp_notifications.inbound.incoming import handle_waiting
from clp_notifications.mail.tokens import MailTokens
from clp_notifications.routing import (
    explain,
    failed_notifications,
    mail_settings,
    preview,
    progress,
    recipients,
    tickets,
)
from clp_notifications.service.unsubscribe_page import unsubscribe_response
from clp_notifications.settings import Settings
from clp_notifications.tables import CURSORS, OUTBOX

# The operators, and the command of this service.
OPERATORS: Final = ("operations", "notifications")
INCOMING_INTERVAL_S: Final = 5.0
DELIVERY_SERVICE: Final = "notifications_delivery"
UNSUBSCRIBE_PATH: Final = "/-/unsubscribe/<string:token>"


def _relay_config(container: Any) -> RelayConfig:
    deps: Dependencies = dependencies_of(container)
    return RelayConfig(contract.SERVICE, deps.database, OUTBOX, deps.clock)


def _subscription(container: Any) -> FeedSubscription:
    deps: Dependencies = dependencies_of(container)
    changed = MessageFeed(deps.clients.messages)
    return FeedSubscription(
        reader=progress.READER,
        source=messages.SERVICE,
        fetch=changed.fetch,
        projection=DatabaseProjection(
            progress.READER,
            database=deps.database,
            cursors=CURSORS,
            clock=deps.clock,
            prepare=partial(recipients.prepare, feed=changed, deps=deps),
            write=partial(recipients.write, deps=deps),
        ),
    )


def _incoming(container: Any) -> Callable[[], object]:
    deps: Dependencies = dependencies_of(container)
    return partial(handle_waiting, deps)


class NotificationsService(
    dead_letter_rpc(contract.SERVICE, _subscription, subjects=OPERATORS)  # type: ignore[misc]
):
    """Decide who is told, store why, and explain it."""

    name = contract.SERVICE
    deps = DependenciesProvider()
    call_info = CallContext(partner_group_of)
    relay = OutboxRelay(_relay_config)
    reader = FeedReader(_subscription)
    incoming = PeriodicTask(_incoming, INCOMING_INTERVAL_S)
    dead_events = DeadEvents(
        dead_letter_queue(messages.SERVICE, contract.SERVICE, "on_messages_changed"),
        dead_letter_queue(contract.SERVICE, DELIVERY_SERVICE, "on_notification_due"),
    )

    @on_events(messages.SERVICE, *OF_MESSAGES, wakes=True)
    def on_messages_changed(self, _body: object) -> None:
        self.reader.wake()

    @rpc_method(contract.EXPLAIN, subjects=OPERATORS)
    def explain(
        self, request: contract.GetExplanation, passport: Passport
    ) -> contract.MessageExplanation:
        return explain.explain(request, actor=passport, deps=self.deps)

    @rpc_method(contract.PREVIEW)
    def preview(
        self, request: contract.GetPreview, passport: Passport
    ) -> contract.Preview:
        return preview.preview(request, actor=passport.subject, deps=self.deps)

    @rpc_method(contract.MAIL_SETTINGS)
    def mail_settings(
        self, request: contract.UpdateMailSettings, passport: Passport
    ) -> contract.MailSettings:
        return mail_settings.mail_settings(
            request, actor=passport.subject, deps=self.deps
        )

    @rpc_method(contract.SUBMIT_TICKET)
    def submit_ticket(
        self, request: contract.SubmitTicket, passport: Passport
    ) -> contract.Ticket:
        return tickets.submit_ticket(request, actor=passport.subject, deps=self.deps)

    @rpc_method(contract.MY_TICKETS)
    def my_tickets(self, _: Empty, passport: Passport) -> contract.MyTickets:
        return tickets.my_tickets(actor=passport.subject, deps=self.deps)

    @rpc_method(contract.TICKETS, subjects=OPERATORS)
    def tickets(self, request: contract.ListTickets, _: Passport) -> contract.Tickets:
        return tickets.tickets(request, deps=self.deps)

    @rpc_method(contract.CLOSE_TICKET, subjects=OPERATORS)
    def close_ticket(self, request: contract.TicketRef, _: Passport) -> contract.Ticket:
        return tickets.close_ticket(request, deps=self.deps)

    @rpc_method(contract.DEAD, subjects=OPERATORS)
    def dead(
        self, request: contract.ListDead, _: Passport
    ) -> contract.DeadNotifications:
        return failed_notifications.dead(request, deps=self.deps)

    @rpc_method(contract.REDRIVE, subjects=OPERATORS)
    def redrive(self, request: contract.Redrive, _: Passport) -> contract.Redriven:
        return failed_notifications.redrive(request, deps=self.deps)

    @rpc_method(contract.SUPPRESSIONS, subjects=OPERATORS)
    def suppressions(
        self, request: contract.ListSuppressions, _: Passport
    ) -> contract.Suppressions:
        return bounces.suppressions(request, deps=self.deps)

    @rpc_method(contract.DELETE_SUPPRESSION, subjects=OPERATORS)
    def delete_suppression(
        self, request: contract.DeleteSuppression, _: Passport
    ) -> contract.SuppressionDeleted:
        return bounces.delete_suppression(request, deps=self.deps)

    @rpc_method(contract.DEAD_INCOMING, subjects=OPERATORS)
    def dead_incoming(
        self, request: contract.ListDeadIncoming, _: Passport
    ) -> contract.DeadIncoming:
        return dead_letters.dead_incoming(request, deps=self.deps)

    @rpc_method(contract.SHOW_DEAD_INCOMING, subjects=OPERATORS)
    def show_dead_incoming(
        self, request: contract.IncomingMailRef, _: Passport
    ) -> contract.DeadIncomingShown:
        return dead_letters.show_dead_incoming(request, deps=self.deps)

    @rpc_method(contract.REDRIVE_INCOMING, subjects=OPERATORS)
    def redrive_incoming(
        self, request: contract.RedriveIncoming, _: Passport
    ) -> contract.Redriven:
        return dead_letters.redrive_incoming(request, deps=self.deps)

    @rpc_method(contract.DISCARD_INCOMING, subjects=OPERATORS)
    def discard_incoming(
        self, request: contract.DiscardIncoming, _: Passport
    ) -> contract.Discarded:
        return dead_letters.discard_incoming(request, deps=self.deps)

    @rpc_method(contract.PROGRESS, subjects=OPERATORS)
    def progress(self, _request: Empty, _: Passport) -> feed.Progress:
        signs = (*self.reader.signs(), *self.dead_events.signs())
        return progress.progress(deps=self.deps, signs=signs)

    @public_http("GET", UNSUBSCRIBE_PATH)
    def show_unsubscribe(self, request: Request, token: str) -> Response:
        languages = request.accept_languages.values()
        return unsubscribe_response(
            token, act=False, deps=self.deps, languages=languages
        )

    @public_http("POST", UNSUBSCRIBE_PATH)
    def unsubscribe(self, request: Request, token: str) -> Response:
        languages = request.accept_languages.values()
        return unsubscribe_response(
            token, act=True, deps=self.deps, languages=languages
        )


def reach(settings: Settings) -> dict[str, Check]:
    """Checks of ``--check``: the Maildir of incoming mail."""
    folder = settings.bounce_dir
    return {"bounce_dir": lambda: require_folder(Path(folder))} if folder else {}


def build(settings: Settings, context: ProcessContext) -> Process:
    """Build the process; the database must be migrated."""
    database = Database(settings.database_url)
    clients = context.clients()
    deps = Dependencies(
        database=database,
        clients=clients,
        clock=context.clock,
        started_at=context.clock(),
        tokens=MailTokens(settings.secret),
        routing=progress.routing_policy(settings.mention_routing),
        mail=MailPolicy(
            window=timedelta(seconds=settings.mail_window_s),
            mention_window=timedelta(seconds=settings.mention_window_s),
            digest_hour=settings.digest_hour,
            time_zone=settings.time_zone,
            max_mention_mails_per_hour=settings.max_mention_mails_per_hour,
            max_mails_per_hour=settings.max_mails_per_hour,
        ),
        studio_name=settings.studio_name,
        help_address=settings.help_address,
        bounces=Bounces(domain=settings.bounce_domain, folder=settings.bounce_dir),
    )

    def close() -> None:
        clients.close()
        database.close()

    return Process(
        services=(NotificationsService,),
        config=container_config(
            context,
            deps,
            http_address=settings.http_address,
            http_address_file=settings.http_address_file,
        ),
        close=close,
        probes=probes(database, context.clock),
    )
