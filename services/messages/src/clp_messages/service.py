"""The entrypoints of `messages`: decode, call, encode."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from eventlet import tpool
from werkzeug.wrappers import Request, Response

from clp_chassis.aside import AsideDesk
from clp_chassis.assembly import Parts as PartsOfProcess
from clp_chassis.assembly import Process, Surroundings, configured, parts_of
from clp_chassis.broker_edge import on_events_everywhere
from clp_chassis.chores import Chore
from clp_chassis.database import Database
from clp_chassis.feed_reader import FeedReader, Reading
from clp_chassis.http_edge import http, json_answer
from clp_chassis.passports import Passport
from clp_chassis.projections import DatabaseProjection
from clp_chassis.relay import Relay, RelayDesk
from clp_chassis.serving import CallContext, serves
from clp_chassis.settings import WrongSettings
from clp_contracts import events, feed
from clp_contracts import messages as contract
from clp_contracts.known_facts import KnownFacts
from clp_contracts.methods import PEOPLE
from clp_contracts.shapes import Nothing
from clp_messages.gauges import watched
from clp_messages.http import STATUSES, download, upload
from clp_messages.parts import Parts
from clp_messages.scanning import Scanner, scanner_at
from clp_messages.settings import Settings
from clp_messages.storage import FileStore, store_at
from clp_messages.tables import CURSORS, OUTBOX
from clp_messages.use_cases import (
    announcing,
    attaching,
    changing,
    mailing,
    mentioning,
    posting,
    quotas,
    reading,
    scanning,
    telling,
    unread,
)

SWEEP_EVERY_S: Final = 60.0
SCAN_EVERY_S: Final = 5.0


def _relay_desk(container: Any) -> RelayDesk:
    parts: Parts = parts_of(container)
    return RelayDesk(contract.SERVICE, parts.database, OUTBOX, parts.clock)


def _announcements(container: Any) -> Reading:
    parts: Parts = parts_of(container)
    return Reading(
        reader=telling.ANNOUNCEMENTS,
        source=telling.PROJECTS,
        fetch=lambda after: parts.callers.projects.changes(after=after),
        projection=DatabaseProjection(
            telling.ANNOUNCEMENTS,
            (parts.database, CURSORS, parts.clock),
            prepare=lambda changes: announcing.drafts_of(changes, parts=parts),
            write=announcing.write_announcements,
        ),
    )


def _sweep(container: Any) -> Callable[[], object]:
    parts: Parts = parts_of(container)

    def sweep() -> None:
        attaching.sweep_orphans(parts=parts)
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
        return changing.edit_message(ask, actor=actor, parts=self.parts)

    @serves(contract.DELETE)
    def delete(self, ask: contract.OneMessage, actor: Passport) -> contract.Deleted:
        return changing.delete_message(ask, actor=actor, parts=self.parts)

    @serves(contract.EARLIER_TEXTS)
    def earlier_texts(
        self, ask: contract.OneMessage, actor: Passport
    ) -> contract.EarlierTexts:
        return changing.earlier_texts(ask, actor=actor, parts=self.parts)

    @serves(contract.PAGE)
    def page(self, ask: contract.AskPage, actor: Passport) -> contract.Page:
        return reading.page(ask, actor=actor, parts=self.parts)

    @serves(contract.CHANNELS)
    def channels(self, ask: contract.AskChannels, actor: Passport) -> contract.Channels:
        return reading.channels(ask, actor=actor, parts=self.parts)

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
        return mentioning.mentionable(ask, actor=actor, parts=self.parts)

    @serves(contract.CONTENTS)
    def contents(self, ask: contract.AskContents, _: Passport) -> contract.Contents:
        return telling.contents(ask, parts=self.parts)

    @serves(contract.FOR_MAIL)
    def for_mail(self, ask: contract.AskForMail, _: Passport) -> contract.ForMail:
        return mailing.for_mail(ask, parts=self.parts)

    @serves(contract.FOR_MAILS)
    def for_mails(self, ask: contract.AskForMails, _: Passport) -> contract.ForMails:
        return mailing.for_mails(ask, parts=self.parts)

    @serves(contract.CHANGES)
    def changes(self, ask: feed.ReadChanges, _: Passport) -> feed.Changes:
        return telling.changes(ask, parts=self.parts)

    @serves(contract.PROGRESS)
    def progress(self, _ask: Nothing, _: Passport) -> feed.Progress:
        return telling.progress(parts=self.parts)

    @serves(contract.ASIDE)
    def aside(self, ask: feed.AskAside, _: Passport) -> feed.ChangesAside:
        return self.aside_desk.aside(ask)

    @serves(contract.APPLY_AGAIN)
    def apply_again(self, ask: feed.ApplyAgain, _: Passport) -> feed.AppliedAgain:
        return self.aside_desk.apply_again(ask)

    @on_events_everywhere(telling.PROJECTS, *events.OF_PROJECTS)
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
