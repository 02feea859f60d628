"""Typed client of `messages`."""

from clp_contracts import feed, messages
from clp_contracts.client.rpc_client import RpcClient
from clp_contracts.policy import Policy
from clp_contracts.serialization import Empty, Items, items


class Messages:
    """Typed client of `messages`."""

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call

    def post(
        self,
        *,
        channel: str,
        key: str,
        text: str = "",
        attachments: Items[str] = (),
    ) -> messages.Posted:
        """Post a message; the idempotency key makes a replay harmless (rule 10)."""
        request = messages.PostMessage(
            channel=channel, key=key, text=text, attachments=items(attachments)
        )
        return self._call(messages.POST, request)

    def edit(
        self, *, message: str, text: str, revision: int | None = None
    ) -> messages.Edited:
        """Replace the text of one's own message (rule 12)."""
        request = messages.EditMessage(message=message, text=text, revision=revision)
        return self._call(messages.EDIT, request)

    def delete(self, *, message: str) -> messages.Deleted:
        """Delete a message; a tombstone stays (rule 12)."""
        return self._call(messages.DELETE, messages.MessageRef(message=message))

    def revisions(self, *, message: str) -> messages.Revisions:
        """Read earlier texts of a message; internal people only (rule 12)."""
        request = messages.MessageRef(message=message)
        return self._call(messages.REVISIONS, request)

    def page(
        self,
        *,
        channel: str,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int = 50,
    ) -> messages.Page:
        """Read messages before, after or around a number; the newest without one."""
        request = messages.GetPage(
            channel=channel, before=before, after=after, around=around, limit=limit
        )
        return self._call(messages.PAGE, request)

    def conversation(  # noqa: PLR0913  (the fields of the request)
        self,
        *,
        channel: str | None = None,
        project: str | None = None,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        latest: bool = False,
        limit: int = 50,
    ) -> messages.Conversation:
        """Read a channel with everything that a page of it shows."""
        request = messages.GetConversation(
            channel=channel,
            project=project,
            before=before,
            after=after,
            around=around,
            latest=latest,
            limit=limit,
        )
        return self._call(messages.CONVERSATION, request)

    def channels(self, *, project: str) -> messages.Channels:
        """List the channels of a project that the actor may read."""
        return self._call(messages.CHANNELS, messages.GetChannels(project=project))

    def mark_read(self, *, channel: str, number: int) -> messages.MarkedRead:
        """Move the read marker forward (rule 31)."""
        request = messages.MarkRead(channel=channel, number=number)
        return self._call(messages.MARK_READ, request)

    def unread(self, *, projects: Items[str]) -> messages.Unread:
        """Count the unread messages of several projects."""
        return self._call(messages.UNREAD, messages.GetUnread(projects=items(projects)))

    def mentionable(
        self, *, channel: str, typed: str = "", limit: int = 20
    ) -> messages.Mentionable:
        """Complete a typed name to people whom the actor may mention."""
        request = messages.GetMentionable(channel=channel, typed=typed, limit=limit)
        return self._call(messages.MENTIONABLE, request)

    def policy(self) -> Policy:
        """Return the limits of messages and attachments (rules 9, 20, 26 and 27)."""
        return self._call(messages.POLICY, Empty())

    def get_messages(self, *, message_ids: Items[str]) -> messages.StoredMessages:
        """Read stored messages by id; services only."""
        request = messages.GetMessages(message_ids=items(message_ids))
        return self._call(messages.GET_MESSAGES, request)

    def message_channel(self, *, message: str) -> messages.MessageChannel:
        """Read where a message is and who wrote it; services only."""
        request = messages.MessageRef(message=message)
        return self._call(messages.MESSAGE_CHANNEL, request)

    def readable_messages(
        self, *, readers: Items[messages.MailReader], lease_s: float = 0.0
    ) -> messages.ReadableMessages:
        """Read messages as several people may read them; services only (rule 23)."""
        request = messages.GetReadableMessages(readers=items(readers), lease_s=lease_s)
        return self._call(messages.READABLE_MESSAGES, request)

    def screen_messages(
        self,
        *,
        people: Items[str],
        message_ids: Items[str],
        lease_s: float = 0.5,
    ) -> messages.ScreenMessages:
        """Read messages as several people see them on a screen; portal only."""
        request = messages.GetScreenMessages(
            people=items(people), message_ids=items(message_ids), lease_s=lease_s
        )
        return self._call(messages.SCREEN_MESSAGES, request)

    def changes(
        self, *, after: int = 0, limit: int = 200, contents: bool = False
    ) -> messages.MessageChanges:
        """Read the feed after a position; services only."""
        request = messages.ReadMessageChanges(
            after=after, limit=limit, contents=contents
        )
        return self._call(messages.CHANGES, request)

    def progress(self) -> feed.Progress:
        """Report the progress of the service; services only."""
        return self._call(messages.PROGRESS, Empty())

    def dead_letters(self, *, after: int = 0, limit: int = 100) -> feed.DeadLetters:
        """List dead letters; services only."""
        return self._call(
            messages.DEAD_LETTERS, feed.ListDeadLetters(after=after, limit=limit)
        )

    def redrive_dead_letter(self, *, position: int) -> feed.DeadLetterRedriven:
        """Apply a dead letter once more; services only."""
        return self._call(
            messages.REDRIVE_DEAD_LETTER, feed.RedriveDeadLetter(position=position)
        )
