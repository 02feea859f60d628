"""Feed readers get the changed messages with the changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from clp_contracts.client.messages import Messages
from clp_contracts.feed import Change
from clp_contracts.message_feed import MessageFeed
from clp_contracts.messages import (
    Author,
    Message,
    MessageChanges,
    StoredMessage,
    StoredMessages,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stored(name: str, text: str) -> StoredMessage:
    author = Author(id="ivy", name="Ivy", side="internal")
    message = Message(
        id=name,
        channel="p1/broadcast",
        number=1,
        revision=1,
        author=author,
        text=text,
        posted_at=NOON,
        edited_at=None,
        deleted=False,
        attachments=(),
    )
    return StoredMessage(message=message, mentioned=())


def change(position: int, subject: str) -> Change:
    return Change(
        position=position, type="t", subject=subject, project="p1", at=NOON, detail={}
    )


class FakeMessages:
    """A feed whose messages are the newer, the later they are read."""

    def __init__(self, *subjects: str) -> None:
        self.feed = tuple(change(n, name) for n, name in enumerate(subjects, 1))
        self.reads = 0
        self.fetched: list[tuple[str, ...]] = []

    def changes(self, *, after: int, contents: bool) -> MessageChanges:
        self.reads += 1
        changes = self.feed[after:]
        names = dict.fromkeys(one.subject for one in changes) if contents else ()
        messages = tuple(stored(name, f"read {self.reads}") for name in names)
        return MessageChanges(changes=changes, head=len(self.feed), messages=messages)

    def get_messages(self, *, message_ids: Sequence[str]) -> StoredMessages:
        self.reads += 1
        self.fetched.append(tuple(message_ids))
        messages = tuple(stored(name, f"read {self.reads}") for name in message_ids)
        return StoredMessages(messages=messages)


def texts(feed: MessageFeed, *changes: Change) -> dict[str, str]:
    found = feed.messages_of(changes)
    return {one.message.id: one.message.text for one in found}


def test_messages_come_with_their_changes() -> None:
    source = FakeMessages("a", "b", "a")
    feed = MessageFeed(cast("Messages", source))
    batch = feed.fetch(0)
    assert texts(feed, *batch.changes) == {"a": "read 1", "b": "read 1"}
    assert source.fetched == []


def test_what_did_not_come_along_is_fetched_once() -> None:
    source = FakeMessages("a", "b")
    feed = MessageFeed(cast("Messages", source))
    batch = feed.fetch(0, contents=False)
    assert texts(feed, *batch.changes) == {"a": "read 2", "b": "read 2"}
    assert source.fetched == [("a", "b")]


def test_a_message_is_never_older_than_its_change() -> None:
    source = FakeMessages("a")
    feed = MessageFeed(cast("Messages", source))
    feed.fetch(0)
    # A later change, which another reader of this feed has fetched meanwhile.
    later = replace(source.feed[0], position=2)
    assert texts(feed, later) == {"a": "read 2"}
