"""Typed calls to `messages`."""

from collections.abc import Sequence

from clp_contracts import feed, messages
from clp_contracts.client.rpc_client import Calls
from clp_contracts.serialization import Nothing


class Messages:
    """Typed calls to `messages`."""

    def __init__(self, calls: Calls) -> None:
        self._call = calls.call

    def post(
        self,
        *,
        channel: str,
        key: str,
        text: str = "",
        attachments: Sequence[str] = (),
    ) -> messages.Posted:
        """Post a message; repeating the call with its key is harmless (rule 10)."""
        ask = messages.PostMessage(
            channel=channel, key=key, text=text, attachments=tuple(attachments)
        )
        return self._call(messages.POST, ask)

    def edit(self, *, message: str, text: str) -> messages.Edited:
        """Replace the text of one's own message (rule 12)."""
        ask = messages.EditMessage(message=message, text=text)
        return self._call(messages.EDIT, ask)

    def delete(self, *, message: str) -> messages.Deleted:
        """Delete a message; a tombstone stays (rule 12)."""
        return self._call(messages.DELETE, messages.OneMessage(message=message))

    def earlier_texts(self, *, message: str) -> messages.EarlierTexts:
        """What a message said before; for internal people (rule 12)."""
        ask = messages.OneMessage(message=message)
        return self._call(messages.EARLIER_TEXTS, ask)

    def page(
        self,
        *,
        channel: str,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int = 50,
    ) -> messages.Page:
        """Messages before, after or around a number; the newest without one."""
        ask = messages.AskPage(
            channel=channel, before=before, after=after, around=around, limit=limit
        )
        return self._call(messages.PAGE, ask)

    def channels(self, *, project: str) -> messages.Channels:
        """The channels of a project that exist for the actor."""
        return self._call(messages.CHANNELS, messages.AskChannels(project=project))

    def mark_read(self, *, channel: str, number: int) -> messages.Marked:
        """Move the read marker forward (rule 31)."""
        ask = messages.MarkRead(channel=channel, number=number)
        return self._call(messages.MARK_READ, ask)

    def unread(self, *, projects: Sequence[str]) -> messages.Unread:
        """Unread numbers of projects, in one call."""
        return self._call(messages.UNREAD, messages.AskUnread(projects=tuple(projects)))

    def mentionable(
        self, *, channel: str, typed: str = "", limit: int = 20
    ) -> messages.Mentionable:
        """People the actor may mention, for a type-ahead."""
        ask = messages.AskMentionable(channel=channel, typed=typed, limit=limit)
        return self._call(messages.MENTIONABLE, ask)

    def contents(self, *, messages_: Sequence[str]) -> messages.Contents:
        """Stored messages, for projections; services only."""
        ask = messages.AskContents(messages=tuple(messages_))
        return self._call(messages.CONTENTS, ask)

    def for_mail(self, *, person: str, messages_: Sequence[str]) -> messages.ForMail:
        """Messages as a person may read them now; services only (rule 23)."""
        ask = messages.AskForMail(person=person, messages=tuple(messages_))
        return self._call(messages.FOR_MAIL, ask)

    def for_mails(
        self, *, readers: Sequence[messages.MailReader], good_for_s: float = 0.0
    ) -> messages.ForMails:
        """What several people may be mailed now; services only (rule 23)."""
        ask = messages.AskForMails(readers=tuple(readers), good_for_s=good_for_s)
        return self._call(messages.FOR_MAILS, ask)

    def changes(self, *, after: int = 0, limit: int = 200) -> feed.Changes:
        """The feed after a position; services only."""
        return self._call(messages.CHANGES, feed.ReadChanges(after=after, limit=limit))

    def progress(self) -> feed.Progress:
        """How far the service is; services only."""
        return self._call(messages.PROGRESS, Nothing())

    def aside(self, *, after: int = 0, limit: int = 100) -> feed.ChangesAside:
        """Changes that its reader could not apply; services only."""
        return self._call(messages.ASIDE, feed.AskAside(after=after, limit=limit))

    def apply_again(self, *, position: int) -> feed.AppliedAgain:
        """Apply a change that was set aside once more; services only."""
        return self._call(messages.APPLY_AGAIN, feed.ApplyAgain(position=position))
