"""Entrypoints of `messages`: decode, call a use case, encode."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import eventlet
from eventlet import tpool
from werkzeug.wrappers import Request, Response

from clp_chassis import bootstrap
from clp_chassis.bootstrap import (
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
from clp_chassis.http import http, json_response
from clp_chassis.messaging import on_broadcast_events
from clp_chassis.observability import Check, Probes
from clp_chassis.persistence.database import Database
from clp_chassis.rpc import CallContext, rpc_method
from clp_chassis.security.passports import Passport
from clp_chassis.settings import naming_setting
from clp_contracts import events
from clp_contracts import feed as feed_contract
from clp_contracts import messages as contract
from clp_contracts.facts_cache import FactsCache
from clp_contracts.methods import PEOPLE
from clp_contracts.policy import Policy
from clp_contracts.serialization import Empty
from clp_core.attachments import AttachmentPolicy
from clp_messages.attachment_policy import load_attachment_policy
from clp_messages.clamd import Scanner, open_scanner
from clp_messages.dependencies import Dependencies
from clp_messages.http import STATUSES, download, upload
from clp_messages.robot_texts import DEFAULT_TEXTS, RobotTexts
from clp_messages.settings import Settings
from clp_messages.storage import FileStore, open_file_store
from clp_messages.tables import CURSORS, OUTBOX
from clp_messages.use_cases import (
    announcements,
    conversation,
    editing,
    feed,
    history,
    mail_content,
    mentions,
    policies,
    posting,
    quotas,
    scanning,
    screens,
    unread,
    uploads,
)

OPERATIONS: Final = ("operations",)
SWEEP_INTERVAL_S: Final = 60.0
SCAN_INTERVAL_S: Final = 5.0


def _relay_config(container: Any) -> RelayConfig:
    deps: Dependencies = dependencies_of(container)
    return RelayConfig(contract.SERVICE, deps.database, OUTBOX, deps.clock)


def _announcements(container: Any) -> FeedSubscription:
    deps: Dependencies = dependencies_of(container)
    return FeedSubscription(
        reader=feed.ANNOUNCEMENTS,
        source=feed.PROJECTS,
        fetch=lambda after: deps.clients.projects.changes(after=after),
        projection=DatabaseProjection(
            feed.ANNOUNCEMENTS,
            database=deps.database,
            cursors=CURSORS,
            clock=deps.clock,
            prepare=lambda changes: announcements.drafts_of(changes, deps=deps),
            write=announcements.write_announcements,
        ),
    )


def _sweep(container: Any) -> Callable[[], object]:
    deps: Dependencies = dependencies_of(container)

    def sweep() -> None:
        uploads.sweep_orphans(deps=deps)
        quotas.delete_old_tallies(deps=deps)

    return sweep


def _scan(container: Any) -> Callable[[], object]:
    deps: Dependencies = dependencies_of(container)
    return lambda: scanning.scan_pending(deps=deps)


class MessagesService(
    dead_letter_rpc(contract.SERVICE, _announcements, subjects=OPERATIONS)  # type: ignore[misc]
):
    """Channels, posts, attachments, read markers and the feed of changes."""

    name = contract.SERVICE
    deps = bootstrap.DependenciesProvider()
    call_info = CallContext(partner_group_of)
    relay = OutboxRelay(_relay_config)
    announcements = FeedReader(_announcements)
    sweep = PeriodicTask(_sweep, SWEEP_INTERVAL_S)
    scan = PeriodicTask(_scan, SCAN_INTERVAL_S)

    @rpc_method(contract.POST)
    def post(self, request: contract.PostMessage, actor: Passport) -> contract.Posted:
        return posting.post_message(request, actor=actor, deps=self.deps)

    @rpc_method(contract.EDIT)
    def edit(self, request: contract.EditMessage, actor: Passport) -> contract.Edited:
        return editing.edit_message(request, actor=actor, deps=self.deps)

    @rpc_method(contract.DELETE)
    def delete(self, request: contract.MessageRef, actor: Passport) -> contract.Deleted:
        return editing.delete_message(request, actor=actor, deps=self.deps)

    @rpc_method(contract.REVISIONS)
    def revisions(
        self, request: contract.MessageRef, actor: Passport
    ) -> contract.Revisions:
        return editing.revisions(request, actor=actor, deps=self.deps)

    @rpc_method(contract.PAGE)
    def page(self, request: contract.GetPage, actor: Passport) -> contract.Page:
        return history.page(request, actor=actor, deps=self.deps)

    @rpc_method(contract.CHANNELS)
    def channels(
        self, request: contract.GetChannels, actor: Passport
    ) -> contract.Channels:
        return history.channels(request, actor=actor, deps=self.deps)

    @rpc_method(contract.POLICY)
    def policy(self, request: Empty, actor: Passport) -> Policy:
        del request, actor
        return policies.published(self.deps.attachments)

    @rpc_method(contract.CONVERSATION)
    def conversation(
        self, request: contract.GetConversation, actor: Passport
    ) -> contract.Conversation:
        return conversation.conversation(request, actor=actor, deps=self.deps)

    @rpc_method(contract.MARK_READ)
    def mark_read(
        self, request: contract.MarkRead, actor: Passport
    ) -> contract.MarkedRead:
        return unread.mark_read(request, actor=actor, deps=self.deps)

    @rpc_method(contract.UNREAD)
    def unread(self, request: contract.GetUnread, actor: Passport) -> contract.Unread:
        return unread.unread(request, actor=actor, deps=self.deps)

    @rpc_method(contract.MENTIONABLE)
    def mentionable(
        self, request: contract.GetMentionable, actor: Passport
    ) -> contract.Mentionable:
        return mentions.mentionable(request, actor=actor, deps=self.deps)

    @rpc_method(contract.GET_MESSAGES, subjects=("search", "notifications"))
    def get_messages(
        self, request: contract.GetMessages, _: Passport
    ) -> contract.StoredMessages:
        return feed.get_messages(request, deps=self.deps)

    @rpc_method(contract.MESSAGE_CHANNEL, subjects=("notifications",))
    def message_channel(
        self, request: contract.MessageRef, _: Passport
    ) -> contract.MessageChannel:
        return feed.message_channel(request, deps=self.deps)

    @rpc_method(contract.READABLE_MESSAGES, subjects=("notifications",))
    def readable_messages(
        self, request: contract.GetReadableMessages, _: Passport
    ) -> contract.ReadableMessages:
        return mail_content.readable_messages(request, deps=self.deps)

    @rpc_method(contract.SCREEN_MESSAGES, subjects=("portal",))
    def screen_messages(
        self, request: contract.GetScreenMessages, _: Passport
    ) -> contract.ScreenMessages:
        return screens.screen_messages(request, deps=self.deps)

    @rpc_method(contract.CHANGES, subjects=("search", "notifications", "portal"))
    def changes(
        self, request: contract.ReadMessageChanges, _: Passport
    ) -> contract.MessageChanges:
        return feed.changes(request, deps=self.deps)

    @rpc_method(contract.PROGRESS, subjects=OPERATIONS)
    def progress(self, _call: Empty, _: Passport) -> feed_contract.Progress:
        return feed.progress(deps=self.deps, signs=self.announcements.signs())

    @on_broadcast_events(feed.PROJECTS, *events.OF_PROJECTS)
    def on_projects_changed(self, body: Any) -> None:
        self.deps.facts.invalidate(body)
        self.announcements.wake()

    @http("POST", "/attachments", kinds=PEOPLE, statuses=STATUSES)
    def upload_attachment(self, request: Request, actor: Passport) -> Response:
        """Store the body of a request as a file that its uploader can post."""
        file = upload(request, actor, self.deps)
        body = {
            "id": file.id,
            "name": file.name,
            "size": file.size,
            "state": file.state,
        }
        return json_response(body, 201)

    @http("GET", "/attachments/<attachment>", kinds=PEOPLE, statuses=STATUSES)
    def download_attachment(
        self, request: Request, actor: Passport, *, attachment: str
    ) -> Response:
        """Send a file, or a range of it, to whoever may read its message now."""
        return download(request, attachment, actor=actor, deps=self.deps)


def _open_scanner(settings: Settings) -> Scanner | None:
    with naming_setting("CLP_MESSAGES_SCANNER_URL"):
        return open_scanner(settings.scanner_url, settings.scanner_timeout_s)


def load_robot_texts(settings: Settings) -> RobotTexts:
    """Load the templates of the deployment, or the defaults; raise in one line."""
    if not settings.robot_texts_dir:
        return DEFAULT_TEXTS
    with naming_setting("CLP_MESSAGES_ROBOT_TEXTS_DIR"):
        return RobotTexts.load(Path(settings.robot_texts_dir))


def open_attachment_policy(settings: Settings) -> AttachmentPolicy:
    """Read the policy of the deployment, or the published one; raise in one line."""
    with naming_setting("CLP_MESSAGES_ATTACHMENT_POLICY"):
        return load_attachment_policy(settings.attachment_policy)


def _open_file_store(settings: Settings) -> FileStore:
    with naming_setting("CLP_MESSAGES_FILES_URL"):
        # Waiting for the disk blocks, so it is done in a thread pool.
        return open_file_store(
            settings.files_url, Path(settings.files_dir), tpool.execute
        )


def reach(settings: Settings) -> dict[str, Check]:
    """Checks of ``--check``: files, scanner, policy and texts."""
    checks: dict[str, Check] = {
        "attachment_policy": lambda: open_attachment_policy(settings),
        "robot_texts_dir": lambda: load_robot_texts(settings),
    }
    store = "files_url" if settings.files_url else "files_dir"
    checks[store] = lambda: _open_file_store(settings).ping()
    if scanner := _open_scanner(settings):
        checks["scanner_url"] = scanner.ping
    return checks


def build(settings: Settings, context: ProcessContext) -> Process:
    """Build the process; its database must be migrated."""
    database = Database(settings.database_url)
    clients = context.clients()
    deps = Dependencies(
        database=database,
        files=_open_file_store(settings),
        clients=clients,
        facts=FactsCache(
            clients.projects, lease_s=settings.access_lease_s, spawn=eventlet.spawn_n
        ),
        clock=context.clock,
        scanner=_open_scanner(settings),
        robot_texts=load_robot_texts(settings),
        attachments=open_attachment_policy(settings),
    )

    def close() -> None:
        clients.close()
        database.close()

    return Process(
        services=(MessagesService,),
        config=container_config(
            context,
            deps,
            http_address=settings.http_address,
            http_address_file=settings.http_address_file,
        ),
        close=close,
        probes=Probes(
            gauges=(OUTBOX.gauges(contract.SERVICE, database, context.clock),),
            checks={"database": database.ping},
        ),
    )
