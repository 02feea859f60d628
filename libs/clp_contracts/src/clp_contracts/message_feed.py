"""Read the feed of `messages` with the changed messages, in one call for each batch."""

from collections.abc import Iterable, Mapping

from clp_contracts.client.messages import Messages
from clp_contracts.feed import Change
from clp_contracts.messages import MessageChanges, StoredMessage


class MessageFeed:
    """Changes of messages, and the state of each message at that change or later.

    The messages of the last batch are remembered by the position of their change: what
    was read with a change is never older than the change.
    """

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._read: Mapping[int, StoredMessage] = {}

    def fetch(self, after: int, *, contents: bool = True) -> MessageChanges:
        """Fetch the changes after a position, and remember their messages.

        Without ``contents`` the messages that are needed are fetched later.
        """
        batch = self._messages.changes(after=after, contents=contents)
        stored = {one.message.id: one for one in batch.messages}
        self._read = {
            change.position: stored[change.subject]
            for change in batch.changes
            if change.subject in stored
        }
        return batch

    def messages_of(self, changes: Iterable[Change]) -> tuple[StoredMessage, ...]:
        """Return the changed messages: remembered ones, the others by another call."""
        newest = {change.subject: change.position for change in changes}
        read = self._read
        found = {name: read[at] for name, at in newest.items() if at in read}
        if missing := [one for one in newest if one not in found]:
            fetched = self._messages.get_messages(message_ids=missing).messages
            found.update((one.message.id, one) for one in fetched)
        return tuple(found[one] for one in newest if one in found)
