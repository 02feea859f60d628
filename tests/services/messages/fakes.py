"""An in-memory `projects` that counts its calls."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from clp_contracts.core_mapping import to_person
from clp_contracts.errors import Refused
from clp_contracts.facts_cache import LEASE_S
from clp_contracts.feed import Changes
from clp_contracts.projects import (
    Announcement,
    Facts,
    Follow,
    PartnerName,
    People,
    PersonFacts,
    ProjectFacts,
)
from clp_core.mentions import address_key, name_key, prefix_rank
from clp_core.people import has_portal_access
from clp_suite.sample_data import CAST, PARTNERS, CastMember
from tests.support.sample_world import facts_of


class FakeProjects:
    """What `clp_contracts.client.Projects` offers to `messages`, over plain dicts."""

    def __init__(self) -> None:
        self.people: dict[str, PersonFacts] = {}
        self.projects: dict[str, ProjectFacts] = {}
        self.following: set[Follow] = set()
        self.announcements: dict[str, Announcement] = {}
        self.calls: Counter[str] = Counter()
        self.projects_asked_about = 0
        self.looked_up_keys: list[str] = []
        self.looked_up_partners: list[str | None] = []
        # Runs while `messages` waits for the response.
        self.during_call: Callable[[], None] = lambda: None
        # Seconds on the clock of leases: the end of an access waits for them.
        self.ticks = 0.0
        for member in CAST:
            self.put(member)

    def put(self, member: CastMember, *, active: bool = True) -> None:
        if member.id in self.people:
            self.ticks += LEASE_S
        self.people[member.id] = facts_of(member, active=active)

    def put_project(
        self, project: str, assigned: Sequence[str], withdrawn: Sequence[str] = ()
    ) -> None:
        self.projects[project] = ProjectFacts(
            id=project,
            title=f"Title of {project}",
            assigned=tuple(assigned),
            withdrawn=tuple(withdrawn),
            partners=tuple(
                PartnerName(id=partner, name=PARTNERS[partner])
                for partner in (*assigned, *withdrawn)
            ),
        )

    def rename(self, person: str, name: str) -> None:
        self.people[person] = replace(self.people[person], name=name)

    def withdraw(self, project: str, partner: str) -> None:
        self.ticks += LEASE_S
        self.commit_withdrawal(project, partner)

    def commit_withdrawal(self, project: str, partner: str) -> None:
        """Withdraw without waiting for leases, as before the confirmation."""
        facts = self.projects[project]
        self.projects[project] = replace(
            facts,
            assigned=tuple(p for p in facts.assigned if p != partner),
            withdrawn=(*facts.withdrawn, partner),
        )

    def facts(
        self,
        *,
        project_ids: Sequence[str] = (),
        people: Sequence[str] = (),
        follows: Sequence[Follow] = (),
        lease_s: float = 0.0,
        narrowed: bool = False,
    ) -> Facts:
        self.calls["facts"] += 1
        self.projects_asked_about += len(project_ids)
        facts = Facts(
            projects=tuple(self.projects[p] for p in project_ids if p in self.projects),
            people=tuple(self.people[p] for p in people if p in self.people),
            follows=tuple(one for one in follows if one in self.following),
            lease_s=lease_s,
        )
        self.during_call()
        return facts

    def people_by_handle(
        self,
        *,
        lookup_keys: Sequence[str],
        partner: str | None = None,
        everybody: bool = False,
    ) -> People:
        self.calls["owners"] += 1
        self.looked_up_keys += lookup_keys
        self.looked_up_partners.append("*" if everybody else partner)
        wanted = set(lookup_keys)
        return People(
            people=tuple(
                person
                for person in self.people.values()
                if {name_key(person.name), address_key(person.email)} & wanted
                and (everybody or person.partner in (None, partner))
            )
        )

    def suggest_people(
        self,
        *,
        typed: str,
        project: str,
        partner: str | None = None,
        everybody: bool = False,
        limit: int = 20,
    ) -> People:
        self.calls["suggest_people"] += 1
        assigned = self.projects[project].assigned
        partners = {None, *(assigned if everybody else (partner,))}
        fitting = [
            person
            for person in self.people.values()
            if person.partner in partners
            and has_portal_access(to_person(person))
            and prefix_rank(to_person(person), typed) is not None
        ]
        return People(people=tuple(fitting[:limit]))

    def announcement(self, *, id: str) -> Announcement:
        self.calls["announcement"] += 1
        if id not in self.announcements:
            raise Refused("announcement.missing")
        return self.announcements[id]

    def changes(self, *, after: int = 0, limit: int = 200) -> Changes:
        del after, limit
        return Changes(changes=(), head=0)


class FakeClients:
    """Clients of a process that calls `projects` only."""

    def __init__(self) -> None:
        self.projects = FakeProjects()
