"""The entrypoints of `messages`: decode, call, encode."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from eventlet import tpool
from werkzeug.wrappers import Request, Response

from clp_chassis.bootstrap import Parts as PartsOfProcess
from clp_chassis.bootstrap import Process, Surroundings, configured, parts_of
from clp_chassis.concurrency.periodic import Chore
from clp_chassis.events.dead_letters import AsideDesk
from clp_chassis.events.feed_reader import FeedReader, Reading
from clp_chassis.events.outbox_relay import Relay, RelayDesk
from clp_chassis.events.projections import DatabaseProjection
from clp_chassis.http import http, json_answer
from clp_chassis.messaging import on_events_everywhere
from clp_chassis.persistence.database import Database
from clp_chassis.rpc import CallContext, serves
from clp_chassis.security.passports import Passport
from clp_chassis.settings import WrongSettings
from clp_contracts import events
from clp_contracts import feed as feed_contract
from clp_contracts import messages as contract
from clp_contracts.facts_cache import KnownFacts
from clp_contracts.methods import PEOPLE
from clp_contracts.serialization import Nothing
from clp_messages.clamd import Scanner, scanner_at
from clp_messages.dependencies import Parts
from clp_messages.gauges import watched
from clp_messages.http import STATUSES, download, upload
from clp_messages.settings import Settings
from clp_messages.storage import FileStore, store_at
from clp_messages.tables import CURSORS, OUTBOX
from clp_messages.use_cases import (
    announcements,
    editing,
    feed,
    history,
    mail_content,
    mentions,
    posting,
    quotas,
    scanning,
    unread,
    uploads,
)

SWEEP_EVERY_S: Final = 60.0
SCAN_EVERY_S: Final = 5.0


def _relay_desk(container: Any) -> RelayDesk:
    parts: Parts = parts_of(container)
    return RelayDesk(contract.SERVICE, parts.database, OUTBOX, parts.clock)


def _announcements(container: Any) -> Reading:
    parts: Parts = parts_of(container)
    return Reading(
        reader=feed.ANNOUNCEMENTS,
        source=feed.PROJECTS,
        fetch=lambda after: parts.callers.projects.changes(after=after),
        projection=DatabaseProjection(
            feed.ANNOUNCEMENTS,
            (parts.database, CURSORS, parts.clock),
            prepare=lambda changes: announcements.drafts_of(changes, parts=parts),
            write=announcements.write_announcements,
        ),
    )


def _sweep(container: Any) -> Callable[[], object]:
    parts: Parts = parts_of(container)

    def sweep() -> None:
        uploads.sweep_orphans(parts=parts)
        quotas.forget_old_tallies(parts=parts)

    return sweep


def _scan(container: Any) -> Callable[[], object]:
    parts: Parts = parts_of(container)
    return lambda: scanning.scan_pending(parts=parts)


class MessagesService:
    """Channels, posts, attachments, read markers and the feed of changes."""

    name = contract.SERVICE
    parts = PartsOfProcess()
    call_facts = CallContext()
    relay = Relay(_relay_desk)
    announcements = FeedReader(_announcements)
    aside_desk = AsideDesk(_announcements)
    sweep = Chore(_sweep, SWEEP_EVERY_S)
    scan = Chore(_scan, SCAN_EVERY_S)

    @serves(contract.POST)
    def post(self, ask: contract.PostMessage, actor: Passport) -> contract.Posted:
        return posting.post_message(ask, actor=actor, parts=self.parts)

    @serves(contract.EDIT)
    def edit(self, ask: contract.EditMessage, actor: Passport) -> contract.Edited:
        return editing.edit_message(ask, actor=actor, parts=self.parts)

    @serves(contract.DELETE)
    def delete(self, ask: contract.OneMessage, actor: Passport) -> contract.Deleted:
        return editing.delete_message(ask, actor=actor, parts=self.parts)

    @serves(contract.EARLIER_TEXTS)
    def earlier_texts(
        self, ask: contract.OneMessage, actor: Passport
    ) -> contract.EarlierTexts:
        return editing.earlier_texts(ask, actor=actor, parts=self.parts)

    @serves(contract.PAGE)
    def page(self, ask: contract.AskPage, actor: Passport) -> contract.Page:
        return history.page(ask, actor=actor, parts=self.parts)

    @serves(contract.CHANNELS)
    def channels(self, ask: contract.AskChannels, actor: Passport) -> contract.Channels:
        return history.channels(ask, actor=actor, parts=self.parts)

    @serves(contract.MARK_READ)
    def mark_read(self, ask: contract.MarkRead, actor: Passport) -> contract.Marked:
        return unread.mark_read(ask, actor=actor, parts=self.parts)

    @serves(contract.UNREAD)
    def unread(self, ask: contract.AskUnread, actor: Passport) -> contract.Unread:
        return unread.unread(ask, actor=actor, parts=self.parts)

    @serves(contract.MENTIONABLE)
    def mentionable(
        self, ask: contract.AskMentionable, actor: Passport
    ) -> contract.Mentionable:
        return mentions.mentionable(ask, actor=actor, parts=self.parts)

    @serves(contract.CONTENTS)
    def contents(self, ask: contract.AskContents, _: Passport) -> contract.Contents:
        return feed.contents(ask, parts=self.parts)

    @serves(contract.FOR_MAIL)
    def for_mail(self, ask: contract.AskForMail, _: Passport) -> contract.ForMail:
        return mail_content.for_mail(ask, parts=self.parts)

    @serves(contract.FOR_MAILS)
    def for_mails(self, ask: contract.AskForMails, _: Passport) -> contract.ForMails:
        return mail_content.for_mails(ask, parts=self.parts)

    @serves(contract.CHANGES)
    def changes(
        self, ask: feed_contract.ReadChanges, _: Passport
    ) -> feed_contract.Changes:
        return feed.changes(ask, parts=self.parts)

    @serves(contract.PROGRESS)
    def progress(self, _ask: Nothing, _: Passport) -> feed_contract.Progress:
        return feed.progress(parts=self.parts)

    @serves(contract.ASIDE)
    def aside(
        self, ask: feed_contract.AskAside, _: Passport
    ) -> feed_contract.ChangesAside:
        return self.aside_desk.aside(ask)

    @serves(contract.APPLY_AGAIN)
    def apply_again(
        self, ask: feed_contract.ApplyAgain, _: Passport
    ) -> feed_contract.AppliedAgain:
        return self.aside_desk.apply_again(ask)

    @on_events_everywhere(feed.PROJECTS, *events.OF_PROJECTS)
    def on_projects_changed(self, body: Any) -> None:
        self.parts.known.drop(body)
        self.announcements.wake()

    @http("POST", "/attachments", kinds=PEOPLE, statuses=STATUSES)
    def upload_attachment(self, request: Request, actor: Passport) -> Response:
        file = upload(request, actor, self.parts)
        told = {"id": file.id, "name": file.name, "size": file.size}
        return json_answer({**told, "state": file.state}, 201)

    @http("GET", "/attachments/<attachment>", kinds=PEOPLE, statuses=STATUSES)
    def download_attachment(
        self, request: Request, actor: Passport, *, attachment: str
    ) -> Response:
        return download(request, attachment, (actor, self.parts))


def _scanner_of(settings: Settings) -> Scanner | None:
    try:
        return scanner_at(settings.scanner_url, settings.scanner_timeout_s)
    except ValueError as error:
        raise WrongSettings(f"CLP_MESSAGES_SCANNER_URL: {error}") from None


def _store_of(settings: Settings) -> FileStore:
    try:
        # What waits for the disk waits in a thread of its own.
        return store_at(settings.files_url, Path(settings.files_dir), tpool.execute)
    except ValueError as error:
        raise WrongSettings(f"CLP_MESSAGES_FILES_URL: {error}") from None


def build(settings: Settings, surroundings: Surroundings) -> Process:
    """Put the process together; its database must be migrated."""
    database = Database(settings.database_url)
    callers = surroundings.callers()
    parts = Parts(
        database=database,
        files=_store_of(settings),
        callers=callers,
        known=KnownFacts(callers.projects),
        clock=surroundings.clock,
        scanner=_scanner_of(settings),
    )

    def close() -> None:
        callers.close()
        database.close()

    return Process(
        services=(MessagesService,),
        config=configured(
            surroundings,
            parts,
            http_address=settings.http_address,
            http_address_file=settings.http_address_file,
        ),
        close=close,
        watched=watched(parts),
    )
