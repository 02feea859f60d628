"""Typed calls to `projects`."""

from collections.abc import Mapping, Sequence

from clp_contracts import feed, projects
from clp_contracts.client.rpc_client import Calls
from clp_contracts.serialization import Nothing


class Projects:
    """Typed calls to `projects`."""

    def __init__(self, calls: Calls) -> None:
        self._call = calls.call

    def put_person(  # noqa: PLR0913 - the whole record, each time
        self,
        *,
        id: str,
        name: str,
        email: str,
        partner: str | None = None,
        roles: Sequence[str] = (),
        active: bool = True,
        language: str | None = None,
        time_zone: str | None = None,
    ) -> projects.Stored:
        """Store a person's whole record; raises `Refused` for a malformed one."""
        ask = projects.PutPerson(
            id=id,
            name=name,
            email=email,
            partner=partner,
            roles=tuple(roles),
            active=active,
            language=language,
            time_zone=time_zone,
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
        follows: Sequence[projects.Follow] = (),
        good_for_s: float = 0.0,
    ) -> projects.Facts:
        """Facts about projects and people, and who follows what; services only."""
        ask = projects.AskFacts(
            projects=tuple(projects_),
            people=tuple(people),
            following=following,
            follows=tuple(follows),
            good_for_s=good_for_s,
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
