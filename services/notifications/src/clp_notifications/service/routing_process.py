"""The entrypoints of `notifications`: decode, call, encode; and what feeds routing."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from clp_chassis.bootstrap import Parts as PartsOfProcess
from clp_chassis.bootstrap import Process, Surroundings, configured, parts_of
from clp_chassis.concurrency.periodic import Chore
from clp_chassis.events.dead_letters import AsideDesk
from clp_chassis.events.feed_reader import FeedReader, Reading
from clp_chassis.events.outbox_relay import Relay, RelayDesk
from clp_chassis.events.projections import DatabaseProjection
from clp_chassis.http import open_http
from clp_chassis.messaging import on_events
from clp_chassis.persistence.database import Database
from clp_chassis.rpc import CallContext, serves
from clp_chassis.security.passports import Passport
from clp_contracts import feed, messages
from clp_contracts import notifications as contract
from clp_contracts.events import OF_MESSAGES
from clp_contracts.serialization import Nothing
from clp_notifications.dependencies import Bounces, MailPolicy, Parts
from clp_notifications.gauges import watched
from clp_notifications.inbound import bounces
from clp_notifications.inbound.maildir import take_all
from clp_notifications.mail.tokens import Seals
from clp_notifications.routing import (
    explain,
    failed_notifications,
    mail_settings,
    progress,
    recipients,
)
from clp_notifications.service.unsubscribe_page import stop_answer
from clp_notifications.settings import Settings
from clp_notifications.tables import CURSORS, OUTBOX

LOOK_FOR_BOUNCES_EVERY_S: Final = 5.0
STOP_PATH: Final = "/mail/stop/<string:token>"


def _relay_desk(container: Any) -> RelayDesk:
    parts: Parts = parts_of(container)
    return RelayDesk(contract.SERVICE, parts.database, OUTBOX, parts.clock)


def _reading(container: Any) -> Reading:
    parts: Parts = parts_of(container)
    return Reading(
        reader=progress.READER,
        source=messages.SERVICE,
        fetch=lambda after: parts.callers.messages.changes(after=after),
        projection=DatabaseProjection(
            progress.READER,
            (parts.database, CURSORS, parts.clock),
            prepare=partial(recipients.prepare, parts=parts),
            write=partial(recipients.write, parts=parts),
        ),
    )


def _bounced(container: Any) -> Callable[[], object]:
    parts: Parts = parts_of(container)
    return partial(take_all, parts.bounces.folder, parts.bounces.domain, parts=parts)


class NotificationsService:
    """Decides who is told, remembers why, and answers for it."""

    name = contract.SERVICE
    parts = PartsOfProcess()
    call_facts = CallContext()
    relay = Relay(_relay_desk)
    reader = FeedReader(_reading)
    aside_desk = AsideDesk(_reading)
    bounced = Chore(_bounced, LOOK_FOR_BOUNCES_EVERY_S)

    @on_events(messages.SERVICE, *OF_MESSAGES)
    def on_messages_changed(self, _body: object) -> None:
        self.reader.wake()

    @serves(contract.EXPLAIN)
    def explain(
        self, ask: contract.AskExplain, passport: Passport
    ) -> contract.Explained:
        return explain.explain(ask, actor=passport, parts=self.parts)

    @serves(contract.MAIL_SETTINGS)
    def mail_settings(
        self, ask: contract.AskMailSettings, passport: Passport
    ) -> contract.MailSettings:
        return mail_settings.mail_settings(
            ask, actor=passport.subject, parts=self.parts
        )

    @serves(contract.DEAD)
    def dead(self, ask: contract.AskDead, _: Passport) -> contract.DeadNotifications:
        return failed_notifications.dead(ask, parts=self.parts)

    @serves(contract.REDRIVE)
    def redrive(self, ask: contract.Redrive, _: Passport) -> contract.Redriven:
        return failed_notifications.redrive(ask, parts=self.parts)

    @serves(contract.SUPPRESSED)
    def suppressed(
        self, ask: contract.AskSuppressed, _: Passport
    ) -> contract.SuppressedAddresses:
        return bounces.suppressed(ask, parts=self.parts)

    @serves(contract.RELEASE)
    def release(self, ask: contract.Release, _: Passport) -> contract.Released:
        return bounces.release(ask, parts=self.parts)

    @serves(contract.PROGRESS)
    def progress(self, _ask: Nothing, _: Passport) -> feed.Progress:
        return progress.progress(parts=self.parts)

    @serves(contract.ASIDE)
    def aside(self, ask: feed.AskAside, _: Passport) -> feed.ChangesAside:
        return self.aside_desk.aside(ask)

    @serves(contract.APPLY_AGAIN)
    def apply_again(self, ask: feed.ApplyAgain, _: Passport) -> feed.AppliedAgain:
        return self.aside_desk.apply_again(ask)

    @open_http("GET", STOP_PATH)
    def show_stop(self, request: Request, token: str) -> Response:
        languages = request.accept_languages.values()
        return stop_answer(token, act=False, parts=self.parts, languages=languages)

    @open_http("POST", STOP_PATH)
    def stop(self, request: Request, token: str) -> Response:
        languages = request.accept_languages.values()
        return stop_answer(token, act=True, parts=self.parts, languages=languages)


def build(settings: Settings, surroundings: Surroundings) -> Process:
    """Put the process together; its database must be migrated."""
    database = Database(settings.database_url)
    callers = surroundings.callers()
    parts = Parts(
        database=database,
        callers=callers,
        clock=surroundings.clock,
        seals=Seals(settings.secret),
        routing=progress.routing_policy(settings.mention_routing),
        mail=MailPolicy(
            window=timedelta(seconds=settings.window_s),
            daily_hour_utc=settings.daily_hour_utc,
            most_an_hour=settings.most_mails_an_hour,
        ),
        bounces=Bounces(domain=settings.bounce_domain, folder=settings.bounce_dir),
    )

    def close() -> None:
        callers.close()
        database.close()

    return Process(
        services=(NotificationsService,),
        config=configured(
            surroundings,
            parts,
            http_address=settings.http_address,
            http_address_file=settings.http_address_file,
        ),
        close=close,
        watched=watched(database, surroundings.clock),
    )
