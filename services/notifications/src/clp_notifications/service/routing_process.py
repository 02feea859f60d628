"""The entrypoints of `notifications`: decode, call, encode; and what feeds routing."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from clp_chassis.aside import AsideDesk
from clp_chassis.assembly import Parts as PartsOfProcess
from clp_chassis.assembly import Process, Surroundings, configured, parts_of
from clp_chassis.broker_edge import on_events
from clp_chassis.chores import Chore
from clp_chassis.database import Database
from clp_chassis.feed_reader import FeedReader, Reading
from clp_chassis.http_edge import open_http
from clp_chassis.passports import Passport
from clp_chassis.projections import DatabaseProjection
from clp_chassis.relay import Relay, RelayDesk
from clp_chassis.serving import CallContext, serves
from clp_contracts import feed, messages
from clp_contracts import notifications as contract
from clp_contracts.events import OF_MESSAGES
from clp_contracts.shapes import Nothing
from clp_notifications.gauges import watched
from clp_notifications.mail.seals import Seals
from clp_notifications.parts import Bounces, MailPolicy, Parts
from clp_notifications.service.bounce_folder import take_all
from clp_notifications.service.stop_page import stop_answer
from clp_notifications.settings import Settings
from clp_notifications.tables import CURSORS, OUTBOX
from clp_notifications.use_cases import (
    bounces,
    dead_letters,
    explaining,
    mail_choices,
    reporting,
    routing,
)

LOOK_FOR_BOUNCES_EVERY_S: Final = 5.0
STOP_PATH: Final = "/mail/stop/<string:token>"


def _relay_desk(container: Any) -> RelayDesk:
    parts: Parts = parts_of(container)
    return RelayDesk(contract.SERVICE, parts.database, OUTBOX, parts.clock)


def _reading(container: Any) -> Reading:
    parts: Parts = parts_of(container)
    return Reading(
        reader=reporting.READER,
        source=messages.SERVICE,
        fetch=lambda after: parts.callers.messages.changes(after=after),
        projection=DatabaseProjection(
            reporting.READER,
            (parts.database, CURSORS, parts.clock),
            prepare=partial(routing.prepare, parts=parts),
            write=partial(routing.write, parts=parts),
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
        return explaining.explain(ask, actor=passport, parts=self.parts)

    @serves(contract.MAIL_SETTINGS)
    def mail_settings(
        self, ask: contract.AskMailSettings, passport: Passport
    ) -> contract.MailSettings:
        return mail_choices.mail_settings(ask, actor=passport.subject, parts=self.parts)

    @serves(contract.DEAD)
    def dead(self, ask: contract.AskDead, _: Passport) -> contract.DeadNotifications:
        return dead_letters.dead(ask, parts=self.parts)

    @serves(contract.REDRIVE)
    def redrive(self, ask: contract.Redrive, _: Passport) -> contract.Redriven:
        return dead_letters.redrive(ask, parts=self.parts)

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
        return reporting.progress(parts=self.parts)

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
        routing=reporting.routing_policy(settings.mention_routing),
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
