"""Typed callers: the services' methods with their arguments and replies.

Give `connect` the broker's address and a passport, then call::

    clp = connect("amqp://guest:guest@127.0.0.1:5672//", passport)
    posted = clp.messages.post(channel="p1/broadcast", text="Hello", key="k1")
"""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from clp_contracts import feed, messages, notifications, projects, search
from clp_contracts.lines import Lines
from clp_contracts.methods import Ask, Method, Reply
from clp_contracts.shapes import Nothing, dump, load_reply

Passport = str | Callable[[], str]


class Calls:
    """Makes calls on behalf of one passport, each bounded by a timeout in seconds."""

    def __init__(
        self,
        lines: Lines,
        passport: Passport,
        *,
        chain: Callable[[], Sequence[str]] = tuple,
        carrier: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._lines = lines
        self._passport = passport
        self._chain = chain
        self._carrier = carrier

    def call(self, method: Method[Ask, Reply], ask: Ask) -> Reply:
        """Send an ask and read the reply."""
        token = self._passport if isinstance(self._passport, str) else self._passport()
        context = {
            **self._carrier(),
            "auth_token": token,
            "call_id_stack": list(self._chain()),
        }
        reply = self._lines.call((method.service, method.name), dump(ask), context)
        return load_reply(method.reply, reply)

    def close(self) -> None:
        """Give the connections back."""
        self._lines.close()


class Projects:
    """Typed calls to `projects`."""

    def __init__(self, calls: Calls) -> None:
        self._call = calls.call

    def put_person(
        self,
        *,
        id: str,
        name: str,
        email: str,
        partner: str | None = None,
        roles: Sequence[str] = (),
        active: bool = True,
    ) -> projects.Stored:
        """Store a person's whole record; raises `Refused` for a malformed one."""
        ask = projects.PutPerson(
            id=id,
            name=name,
            email=email,
            partner=partner,
            roles=tuple(roles),
            active=active,
        )
        return self._call(projects.PUT_PERSON, ask)

    def put_partner(self, *, id: str, name: str) -> projects.Stored:
        """Store a partner."""
        return self._call(projects.PUT_PARTNER, projects.PutPartner(id=id, name=name))

    def put_project(self, *, id: str, title: str) -> projects.Stored:
        """Store a project."""
        ask = projects.PutProject(id=id, title=title)
        return self._call(projects.PUT_PROJECT, ask)

    def assign_partner(
        self, *, project: str, partner: str, languages: Sequence[str] = ()
    ) -> projects.Stored:
        """Put a partner on a project for some languages (BCP 47)."""
        ask = projects.AssignPartner(
            project=project, partner=partner, languages=tuple(languages)
        )
        return self._call(projects.ASSIGN, ask)

    def withdraw_partner(self, *, project: str, partner: str) -> projects.Stored:
        """Take a partner off a project at once (rule 7)."""
        ask = projects.WithdrawPartner(project=project, partner=partner)
        return self._call(projects.WITHDRAW, ask)

    def follow(self, *, project: str) -> projects.Following:
        """Follow a project (rule 8)."""
        return self._call(projects.FOLLOW, projects.OneProject(project=project))

    def unfollow(self, *, project: str) -> projects.Following:
        """Stop following a project."""
        return self._call(projects.UNFOLLOW, projects.OneProject(project=project))

    def my_projects(self) -> projects.MyProjects:
        """The actor's followed projects, by title."""
        return self._call(projects.MY_PROJECTS, Nothing())

    def announce(
        self,
        *,
        project: str,
        kind: str,
        key: str,
        facts: Mapping[str, str] | None = None,
    ) -> projects.Announced:
        """Have the robot announce a schedule fact once (rule 37)."""
        ask = projects.Announce(
            project=project, kind=kind, key=key, facts=dict(facts or {})
        )
        return self._call(projects.ANNOUNCE, ask)

    def facts(
        self,
        *,
        projects_: Sequence[str] = (),
        people: Sequence[str] = (),
        following: str | None = None,
    ) -> projects.Facts:
        """Facts about projects and people, and who follows a project; services only."""
        ask = projects.AskFacts(
            projects=tuple(projects_), people=tuple(people), following=following
        )
        return self._call(projects.FACTS, ask)

    def followers(self, *, project: str) -> projects.People:
        """Everybody who follows a project; services only."""
        return self._call(projects.FOLLOWERS, projects.OneProject(project=project))

    def owners(self, *, keys: Sequence[str]) -> projects.People:
        """The people who own name or address keys; services only."""
        return self._call(projects.OWNERS, projects.AskOwners(keys=tuple(keys)))

    def people_like(
        self,
        *,
        typed: str,
        project: str,
        partner: str | None = None,
        everybody: bool = False,
        limit: int = 20,
    ) -> projects.People:
        """People for a type-ahead; services only."""
        ask = projects.AskPeopleLike(
            typed=typed,
            project=project,
            partner=partner,
            everybody=everybody,
            limit=limit,
        )
        return self._call(projects.PEOPLE_LIKE, ask)

    def announcement(self, *, id: str) -> projects.Announcement:
        """An announcement with its facts; services only."""
        return self._call(projects.ANNOUNCEMENT, projects.AskAnnouncement(id=id))

    def changes(self, *, after: int = 0, limit: int = 200) -> feed.Changes:
        """The feed after a position; services only."""
        return self._call(projects.CHANGES, feed.ReadChanges(after=after, limit=limit))

    def progress(self) -> feed.Progress:
        """How far the service is; services only."""
        return self._call(projects.PROGRESS, Nothing())


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

    def changes(self, *, after: int = 0, limit: int = 200) -> feed.Changes:
        """The feed after a position; services only."""
        return self._call(messages.CHANGES, feed.ReadChanges(after=after, limit=limit))

    def progress(self) -> feed.Progress:
        """How far the service is; services only."""
        return self._call(messages.PROGRESS, Nothing())


class Search:
    """Typed calls to `search`."""

    def __init__(self, calls: Calls) -> None:
        self._call = calls.call

    def find(
        self,
        *,
        query: str,
        channel: str | None = None,
        project: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> search.Found:
        """Search one channel, or a project's readable channels (rule 33)."""
        ask = search.AskFind(
            query=query, channel=channel, project=project, cursor=cursor, limit=limit
        )
        return self._call(search.FIND, ask)

    def status(self) -> search.Status:
        """The state of the index; services only."""
        return self._call(search.STATUS, Nothing())

    def progress(self) -> feed.Progress:
        """How far the service is; services only."""
        return self._call(search.PROGRESS, Nothing())


class Notifications:
    """Typed calls to `notifications`."""

    def __init__(self, calls: Calls) -> None:
        self._call = calls.call

    def explain(
        self, *, message: str, person: str | None = None
    ) -> notifications.Explained:
        """Why people were told of a message or not (rule 25)."""
        ask = notifications.AskExplain(message=message, person=person)
        return self._call(notifications.EXPLAIN, ask)

    def mail_settings(
        self, *, project: str | None = None, mode: str | None = None
    ) -> notifications.MailSettings:
        """Read the actor's mail settings, or change one."""
        ask = notifications.AskMailSettings(project=project, mode=mode)
        return self._call(notifications.MAIL_SETTINGS, ask)

    def dead(
        self, *, after: str | None = None, limit: int = 100
    ) -> notifications.DeadNotifications:
        """Given-up notifications; services only."""
        ask = notifications.AskDead(after=after, limit=limit)
        return self._call(notifications.DEAD, ask)

    def redrive(self, *, notifications_: Sequence[str] = ()) -> notifications.Redriven:
        """Put given-up notifications back to work; services only."""
        ask = notifications.Redrive(notifications=tuple(notifications_))
        return self._call(notifications.REDRIVE, ask)

    def progress(self) -> feed.Progress:
        """How far the service is; services only."""
        return self._call(notifications.PROGRESS, Nothing())


class Callers:
    """One attribute per service."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.projects = Projects(calls)
        self.messages = Messages(calls)
        self.search = Search(calls)
        self.notifications = Notifications(calls)

    def call(self, method: Method[Ask, Reply], ask: Ask) -> Reply:
        """Call any method by its contract."""
        return self._calls.call(method, ask)

    def close(self) -> None:
        """Give the connections back."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def connect(broker_url: str, passport: Passport, timeout: float = 10.0) -> Callers:
    """Connect to the services behind a broker.

    ``passport`` is a signed passport, or a function that gives a fresh one for each
    call; ``timeout`` is in seconds and bounds every call. Safe to share among threads.
    """
    return Callers(Calls(Lines(broker_url, timeout), passport))
