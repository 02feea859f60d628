"""Typed client of `projects`."""

from collections.abc import Mapping

from clp_contracts import feed, projects
from clp_contracts.client.rpc_client import RpcClient
from clp_contracts.serialization import Empty, Items, items


class Projects:
    """Typed client of `projects`."""

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call

    def put_person(  # noqa: PLR0913 - the whole record, each time
        self,
        *,
        id: str,
        name: str,
        email: str,
        partner: str | None = None,
        internal: bool = False,
        moved_from: str | None = None,
        roles: Items[str] = (),
        active: bool = True,
        language: str | None = None,
        time_zone: str | None = None,
    ) -> projects.Stored:
        """Store the whole record of a person, of a partner or ``internal`` (rule 4)."""
        request = projects.PutPerson(
            id=id,
            name=name,
            email=email,
            partner=partner,
            internal=internal,
            moved_from=moved_from,
            roles=items(roles),
            active=active,
            language=language,
            time_zone=time_zone,
        )
        return self._call(projects.PUT_PERSON, request)

    def put_people(self, *, people: Items[projects.PutPerson]) -> projects.PeopleStored:
        """Store the records of many people; wait for the end of accesses once."""
        request = projects.PutPeople(people=items(people))
        return self._call(projects.PUT_PEOPLE, request)

    def put_partner(self, *, id: str, name: str) -> projects.Stored:
        """Store a partner."""
        return self._call(projects.PUT_PARTNER, projects.PutPartner(id=id, name=name))

    def put_project(self, *, id: str, title: str) -> projects.Stored:
        """Store a project."""
        request = projects.PutProject(id=id, title=title)
        return self._call(projects.PUT_PROJECT, request)

    def assign_partner(
        self, *, project: str, partner: str, languages: Items[str] = ()
    ) -> projects.Stored:
        """Assign a partner to a project for some languages (BCP 47)."""
        request = projects.AssignPartner(
            project=project, partner=partner, languages=items(languages)
        )
        return self._call(projects.ASSIGN, request)

    def withdraw_partner(self, *, project: str, partner: str) -> projects.Stored:
        """Withdraw a partner from a project (rule 7)."""
        request = projects.WithdrawPartner(project=project, partner=partner)
        return self._call(projects.WITHDRAW, request)

    def follow(self, *, project: str) -> projects.Following:
        """Follow a project (rule 8)."""
        return self._call(projects.FOLLOW, projects.ProjectRef(project=project))

    def unfollow(self, *, project: str) -> projects.Following:
        """Stop following a project."""
        return self._call(projects.UNFOLLOW, projects.ProjectRef(project=project))

    def me(self) -> projects.Me:
        """Read the actor's own record."""
        return self._call(projects.ME, Empty())

    def project(self, *, project: str) -> projects.ProjectView:
        """Read a project that the actor may read."""
        return self._call(projects.PROJECT, projects.ProjectRef(project=project))

    def find_projects(
        self, *, typed: str = "", cursor: str | None = None, limit: int = 20
    ) -> projects.FoundProjects:
        """Find readable projects by words of their title or id (rule 44)."""
        request = projects.FindProjects(typed=typed, cursor=cursor, limit=limit)
        return self._call(projects.FIND_PROJECTS, request)

    def my_projects(self) -> projects.MyProjects:
        """List the projects that the actor follows, by title."""
        return self._call(projects.MY_PROJECTS, Empty())

    def announce(
        self,
        *,
        project: str,
        kind: str,
        key: str,
        facts: Mapping[str, str] | None = None,
    ) -> projects.Announced:
        """Announce a schedule fact; the robot posts it once (rule 37)."""
        request = projects.Announce(
            project=project, kind=kind, key=key, facts=dict(facts or {})
        )
        return self._call(projects.ANNOUNCE, request)

    def facts(
        self,
        *,
        project_ids: Items[str] = (),
        people: Items[str] = (),
        follows: Items[projects.Follow] = (),
        lease_s: float = 0.0,
        narrowed: bool = False,
        all_follows: bool = False,
    ) -> projects.Facts:
        """Read facts about projects, people and follows; services only."""
        request = projects.GetFacts(
            project_ids=items(project_ids),
            people=items(people),
            follows=items(follows),
            lease_s=lease_s,
            narrowed=narrowed,
            all_follows=all_follows,
        )
        return self._call(projects.FACTS, request)

    def records(
        self,
        *,
        people: Items[str] = (),
        partners: Items[str] = (),
        project_ids: Items[str] = (),
    ) -> projects.Records:
        """Read records as they are stored; the directory only."""
        request = projects.GetRecords(
            people=items(people),
            partners=items(partners),
            project_ids=items(project_ids),
        )
        return self._call(projects.RECORDS, request)

    def followers(self, *, project: str, partner: str | None = None) -> projects.People:
        """List the followers of a project, of one partner and the studio or of all."""
        request = projects.GetFollowers(project=project, partner=partner)
        return self._call(projects.FOLLOWERS, request)

    def people_by_handle(
        self,
        *,
        lookup_keys: Items[str],
        partner: str | None = None,
        everybody: bool = False,
    ) -> projects.People:
        """Find people by name or mail address keys; services only."""
        request = projects.GetPeopleByHandle(
            lookup_keys=items(lookup_keys), partner=partner, everybody=everybody
        )
        return self._call(projects.PEOPLE_BY_HANDLE, request)

    def suggest_people(
        self,
        *,
        typed: str,
        project: str,
        partner: str | None = None,
        everybody: bool = False,
        limit: int = 20,
    ) -> projects.People:
        """Complete a typed name or mail address to people; services only."""
        request = projects.SuggestPeople(
            typed=typed,
            project=project,
            partner=partner,
            everybody=everybody,
            limit=limit,
        )
        return self._call(projects.SUGGEST_PEOPLE, request)

    def announcement(self, *, id: str) -> projects.Announcement:
        """Read an announcement with its facts; services only."""
        return self._call(projects.ANNOUNCEMENT, projects.GetAnnouncement(id=id))

    def changes(self, *, after: int = 0, limit: int = 200) -> feed.Changes:
        """Read the feed after a position; services only."""
        return self._call(projects.CHANGES, feed.ReadChanges(after=after, limit=limit))

    def progress(self) -> feed.Progress:
        """Report the progress of the service; services only."""
        return self._call(projects.PROGRESS, Empty())
