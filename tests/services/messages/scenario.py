"""The use cases of `messages`, in few words, as one of the cast or the robot."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import event

from clp_chassis.persistence.database import Database
from clp_chassis.security.passports import Passport
from clp_contracts import feed as feed_contract
from clp_contracts import messages as contract
from clp_contracts.client import Callers
from clp_contracts.errors import Refused
from clp_contracts.facts_cache import KnownFacts
from clp_contracts.methods import PassportKind
from clp_messages.dependencies import Parts
from clp_messages.storage import FolderStore
from clp_messages.tables import OUTBOX
from clp_messages.use_cases import (
    editing,
    feed,
    history,
    mail_content,
    mentions,
    posting,
    unread,
    uploads,
)
from tests.services.messages.fakes import FakeCallers, FakeProjects

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
BROADCAST = "p1/broadcast"
NORTH = "p1/direct/north"
SOUTH = "p1/direct/south"
PDF = b"%PDF-1.7\nscene 1"


class Stage:
    """Night Train (p1) with north and south on it, and west nowhere."""

    def __init__(self, database: Database, folder: Path) -> None:
        callers = FakeCallers()
        self.projects: FakeProjects = callers.projects
        self.projects.put_project("p1", ["north", "south"])
        self.time = START
        self.folder = folder
        self.parts = Parts(
            database=database,
            files=FolderStore(folder),
            callers=cast("Callers", callers),
            known=KnownFacts(cast("Callers", callers).projects),
            clock=lambda: self.time,
        )
        self._keys: Iterator[int] = itertools.count(1)

    def wait(self, **span: int) -> None:
        self.time += timedelta(**span)

    def as_(self, person: str) -> Passport:
        kind = PassportKind.ROBOT if person == "robot" else PassportKind.PERSON
        return Passport(person, kind, self.time + timedelta(minutes=2))

    def post(
        self,
        person: str,
        channel: str,
        text: str = "",
        *,
        key: str | None = None,
        files: tuple[str, ...] = (),
    ) -> contract.Posted:
        ask = contract.PostMessage(
            channel=channel,
            text=text,
            key=key or f"key-{next(self._keys)}",
            attachments=files,
        )
        return posting.post_message(ask, actor=self.as_(person), parts=self.parts)

    def edit(self, person: str, message: str, text: str) -> contract.Edited:
        ask = contract.EditMessage(message=message, text=text)
        return editing.edit_message(ask, actor=self.as_(person), parts=self.parts)

    def delete(self, person: str, message: str) -> contract.Deleted:
        ask = contract.OneMessage(message=message)
        return editing.delete_message(ask, actor=self.as_(person), parts=self.parts)

    def earlier_texts(self, person: str, message: str) -> list[tuple[int, str, str]]:
        ask = contract.OneMessage(message=message)
        told = editing.earlier_texts(ask, actor=self.as_(person), parts=self.parts)
        return [(text.revision, text.text, text.replaced_by) for text in told.texts]

    def page(self, person: str, channel: str, **ask: int) -> contract.Page:
        asked = contract.AskPage(channel=channel, **ask)
        return history.page(asked, actor=self.as_(person), parts=self.parts)

    def texts(self, person: str, channel: str, **ask: int) -> list[str]:
        return [m.text for m in self.page(person, channel, **ask).messages]

    def numbers(self, person: str, channel: str, **ask: int) -> list[int]:
        return [m.number for m in self.page(person, channel, **ask).messages]

    def channels(self, person: str, project: str = "p1") -> contract.Channels:
        ask = contract.AskChannels(project=project)
        return history.channels(ask, actor=self.as_(person), parts=self.parts)

    def mark_read(self, person: str, channel: str, number: int) -> int:
        ask = contract.MarkRead(channel=channel, number=number)
        return unread.mark_read(ask, actor=self.as_(person), parts=self.parts).number

    def unread(self, person: str, *projects: str) -> contract.Unread:
        ask = contract.AskUnread(projects=projects or ("p1",))
        return unread.unread(ask, actor=self.as_(person), parts=self.parts)

    def unread_in(self, person: str, channel: str) -> contract.ChannelUnread:
        (project,) = self.unread(person).projects
        return next(c for c in project.channels if c.channel == channel)

    def mentionable(
        self, person: str, channel: str, typed: str = "", limit: int = 20
    ) -> list[str]:
        ask = contract.AskMentionable(channel=channel, typed=typed, limit=limit)
        found = mentions.mentionable(ask, actor=self.as_(person), parts=self.parts)
        return [candidate.id for candidate in found.people]

    def content(self, message: str) -> contract.Content:
        ask = contract.AskContents(messages=(message,))
        (found,) = feed.contents(ask, parts=self.parts).contents
        return found

    def for_mail(self, person: str, *messages: str) -> tuple[contract.MailItem, ...]:
        ask = contract.AskForMail(person=person, messages=messages)
        return mail_content.for_mail(ask, parts=self.parts).items

    def known_to_the_studio(self) -> None:
        """Have the facts about ivy and the project remembered."""
        self.parts.known.now("ivy", "p1")

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
            pieces=iter([body[at : at + 65536] for at in range(0, len(body), 65536)]),
        )
        return uploads.receive_upload(
            upload, actor=self.as_(person), parts=self.parts
        ).id

    def download(self, person: str, file: str) -> bytes:
        found = uploads.find_download(file, actor=self.as_(person), parts=self.parts)
        with self.parts.files.pieces(found.store_key, 0, found.size) as pieces:
            return b"".join(pieces)

    def feed(self) -> tuple[feed_contract.Change, ...]:
        with self.parts.database.writing(tell=False) as session:
            while OUTBOX.number(session):
                pass
        return feed.changes(feed_contract.ReadChanges(), parts=self.parts).changes

    def files_kept(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    @contextmanager
    def counted_statements(self) -> Iterator[list[str]]:
        """The statements that the database gets meanwhile."""
        statements: list[str] = []

        def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
            if not statement.startswith("BEGIN"):
                statements.append(statement)

        engine = self.parts.database.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(engine, "before_cursor_execute", note)


def refusal(call: Callable[[], object]) -> str:
    """The code with which a call is refused; its detail tells nothing."""
    with pytest.raises(Refused) as refused:
        call()
    assert refused.value.detail == {}
    return refused.value.code
