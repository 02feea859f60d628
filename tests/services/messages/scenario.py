"""Short calls of the use cases of `messages` as a sample person."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from sqlalchemy import event

from clp_chassis.persistence.database import Database
from clp_chassis.security.passports import Passport
from clp_contracts import feed as feed_contract
from clp_contracts import messages as contract
from clp_contracts.client import Clients
from clp_contracts.errors import Refused
from clp_contracts.events import SCHEDULE_ANNOUNCED
from clp_contracts.facts_cache import LEASE_S, FactsCache
from clp_contracts.methods import PassportKind
from clp_contracts.projects import Announcement
from clp_messages.dependencies import Dependencies
from clp_messages.storage import LocalFileStore
from clp_messages.tables import OUTBOX
from clp_messages.use_cases import (
    announcements,
    conversation,
    editing,
    feed,
    history,
    mail_content,
    mentions,
    posting,
    unread,
    uploads,
)
from tests.services.messages.fakes import FakeClients, FakeProjects

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
BROADCAST = "p1/broadcast"
NORTH = "p1/direct/north"
SOUTH = "p1/direct/south"
PDF = b"%PDF-1.7\nscene 1"


class MailItem(NamedTuple):
    """A message as one person may be mailed it."""

    readable: bool
    read: bool
    mentioned: bool
    text: str | None


class Scenario:
    """Night Train (p1) with north and south on it, and west nowhere."""

    def __init__(self, database: Database, folder: Path) -> None:
        clients = FakeClients()
        self.projects: FakeProjects = clients.projects
        self.projects.put_project("p1", ["north", "south"])
        self.time = START
        self.folder = folder
        self.deps = Dependencies(
            database=database,
            files=LocalFileStore(folder),
            clients=cast("Clients", clients),
            facts=FactsCache(
                cast("Clients", clients).projects, clock=lambda: self.projects.ticks
            ),
            clock=lambda: self.time,
        )
        self._keys: Iterator[int] = itertools.count(1)

    @property
    def dialect(self) -> str:
        """The name of the database's dialect."""
        return self.deps.database.engine.dialect.name

    def wait(self, **span: int) -> None:
        self.time += timedelta(**span)

    def as_(self, person: str) -> Passport:
        return Passport(person, PassportKind.PERSON, self.time + timedelta(minutes=2))

    def post(
        self,
        person: str,
        channel: str,
        text: str = "",
        *,
        key: str | None = None,
        files: tuple[str, ...] = (),
    ) -> contract.Posted:
        request = contract.PostMessage(
            channel=channel,
            text=text,
            key=key or f"key-{next(self._keys)}",
            attachments=files,
        )
        return posting.post_message(request, actor=self.as_(person), deps=self.deps)

    def announce(self, status: str = "passed") -> contract.Message:
        """Have the robot post an announcement; return its broadcast."""
        name = f"announcement-{next(self._keys)}"
        self.projects.announcements[name] = Announcement(
            id=name, project="p1", kind="qc_status_changed", facts={"status": status}
        )
        change = feed_contract.Change(
            position=1,
            type=SCHEDULE_ANNOUNCED,
            subject=name,
            project="p1",
            at=self.time,
            detail={},
        )
        drafts = announcements.drafts_of((change,), deps=self.deps)
        with self.deps.database.writing() as session:
            announcements.write_announcements(session, (change,), drafts)
        return self.page("ivy", BROADCAST, limit=1).messages[0]

    def edit(
        self, person: str, message: str, text: str, *, revision: int | None = None
    ) -> contract.Edited:
        request = contract.EditMessage(message=message, text=text, revision=revision)
        return editing.edit_message(request, actor=self.as_(person), deps=self.deps)

    def delete(self, person: str, message: str) -> contract.Deleted:
        request = contract.MessageRef(message=message)
        return editing.delete_message(request, actor=self.as_(person), deps=self.deps)

    def revisions(self, person: str, message: str) -> list[tuple[int, str, str]]:
        request = contract.MessageRef(message=message)
        response = editing.revisions(request, actor=self.as_(person), deps=self.deps)
        return [(r.revision, r.text, r.replaced_by) for r in response.revisions]

    def page(self, person: str, channel: str, **request: int) -> contract.Page:
        page = contract.GetPage(channel=channel, **request)
        return history.page(page, actor=self.as_(person), deps=self.deps)

    def texts(self, person: str, channel: str, **request: int) -> list[str]:
        return [m.text for m in self.page(person, channel, **request).messages]

    def numbers(self, person: str, channel: str, **request: int) -> list[int]:
        return [m.number for m in self.page(person, channel, **request).messages]

    def conversation(self, person: str, **request: Any) -> contract.Conversation:
        return conversation.conversation(
            contract.GetConversation(**request),
            actor=self.as_(person),
            deps=self.deps,
        )

    def channels(self, person: str, project: str = "p1") -> contract.Channels:
        request = contract.GetChannels(project=project)
        return history.channels(request, actor=self.as_(person), deps=self.deps)

    def mark_read(self, person: str, channel: str, number: int) -> int:
        request = contract.MarkRead(channel=channel, number=number)
        return unread.mark_read(request, actor=self.as_(person), deps=self.deps).number

    def unread(self, person: str, *projects: str) -> contract.Unread:
        request = contract.GetUnread(projects=projects or ("p1",))
        return unread.unread(request, actor=self.as_(person), deps=self.deps)

    def unread_in(self, person: str, channel: str) -> contract.ChannelUnread:
        (project,) = self.unread(person).projects
        return next(c for c in project.channels if c.channel == channel)

    def mentionable(
        self, person: str, channel: str, typed: str = "", limit: int = 20
    ) -> list[str]:
        request = contract.GetMentionable(channel=channel, typed=typed, limit=limit)
        response = mentions.mentionable(request, actor=self.as_(person), deps=self.deps)
        return [candidate.id for candidate in response.people]

    def content(self, message: str) -> contract.StoredMessage:
        request = contract.GetMessages(message_ids=(message,))
        (stored,) = feed.get_messages(request, deps=self.deps).messages
        return stored

    def mail_items(self, person: str, *messages: str) -> list[MailItem]:
        """What one person may be mailed of some messages, in that order."""
        reader = contract.MailReader(person=person, message_ids=messages)
        response = mail_content.readable_messages(
            contract.GetReadableMessages(readers=(reader,)), deps=self.deps
        )
        texts = {message.id: message.text for message in response.messages}
        (part,) = response.readers
        return [
            MailItem(
                readable=message in part.readable,
                read=message in part.read,
                mentioned=message in part.mentioned_in,
                text=texts.get(message),
            )
            for message in messages
        ]

    def fill_cache(self) -> None:
        """Lease the facts about ivy and the project."""
        self.deps.facts.fetch("ivy", "p1")

    def forget_leases(self) -> None:
        """Let every lease run out."""
        self.projects.ticks += LEASE_S

    def upload(
        self,
        person: str,
        channel: str,
        name: str = "cue.pdf",
        body: bytes = PDF,
        *,
        declared: bool = True,
    ) -> str:
        upload = uploads.Upload(
            channel=channel,
            name=name,
            declared=len(body) if declared else None,
            chunks=iter([body[at : at + 65536] for at in range(0, len(body), 65536)]),
        )
        return uploads.receive_upload(upload, actor=self.as_(person), deps=self.deps).id

    def download(self, person: str, file: str) -> bytes:
        stored = uploads.find_download(file, actor=self.as_(person), deps=self.deps)
        with self.deps.files.chunks(stored.store_key, 0, stored.size) as chunks:
            return b"".join(chunks)

    def feed(self) -> tuple[feed_contract.Change, ...]:
        with self.deps.database.writing(notify=False) as session:
            while OUTBOX.assign_positions(session):
                pass
        return feed.changes(contract.ReadMessageChanges(), deps=self.deps).changes

    def files_kept(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    @contextmanager
    def counted_statements(self) -> Iterator[list[str]]:
        """Collect the statements that the database executes."""
        statements: list[str] = []

        def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
            if not statement.startswith("BEGIN"):
                statements.append(statement)

        engine = self.deps.database.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(engine, "before_cursor_execute", note)


def refusal(call: Callable[[], object]) -> str:
    """Return the code of a refusal; if it may hide something, its detail is empty."""
    with pytest.raises(Refused) as refused:
        call()
    if refused.value.code.endswith((".missing", ".internal_only", ".not_yours")):
        assert refused.value.detail == {}, "rule 5"
    return refused.value.code
