"""A directory in memory that answers like `projects`, and counts how often it is asked."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from clp_contracts.errors import Refused
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
from clp_messages.mapping import core_person
from clp_suite.sample_data import CAST, PARTNERS, Part


class FakeProjects:
    """What `clp_contracts.client.Projects` offers to `messages`, over plain dicts."""

    def __init__(self) -> None:
        self.people: dict[str, PersonFacts] = {}
        self.projects: dict[str, ProjectFacts] = {}
        self.following: set[Follow] = set()
        self.announcements: dict[str, Announcement] = {}
        self.asked: Counter[str] = Counter()
        self.keys_asked: list[str] = []
        # What happens elsewhere while `messages` waits for an answer.
        self.meanwhile: Callable[[], None] = lambda: None
        for part in CAST:
            self.put(part)

    def put(self, part: Part, *, active: bool = True) -> None:
        self.people[part.id] = PersonFacts(
            id=part.id,
            name=part.name,
            email=part.email,
            partner=part.partner,
            roles=part.roles,
            active=active,
        )

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

    def withdraw(self, project: str, partner: str) -> None:
        known = self.projects[project]
        self.projects[project] = replace(
            known,
            assigned=tuple(p for p in known.assigned if p != partner),
            withdrawn=(*known.withdrawn, partner),
        )

    def facts(
        self,
        *,
        projects_: Sequence[str] = (),
        people: Sequence[str] = (),
        follows: Sequence[Follow] = (),
        good_for_s: float = 0.0,
    ) -> Facts:
        self.asked["facts"] += 1
        told = Facts(
            projects=tuple(self.projects[p] for p in projects_ if p in self.projects),
            people=tuple(self.people[p] for p in people if p in self.people),
            follows=tuple(one for one in follows if one in self.following),
            good_for_s=good_for_s,
        )
        self.meanwhile()
        return told

    def owners(self, *, keys: Sequence[str]) -> People:
        self.asked["owners"] += 1
        self.keys_asked += keys
        wanted = set(keys)
        return People(
            people=tuple(
                person
                for person in self.people.values()
                if {name_key(person.name), address_key(person.email)} & wanted
            )
        )

    def people_like(
        self,
        *,
        typed: str,
        project: str,
        partner: str | None = None,
        everybody: bool = False,
        limit: int = 20,
    ) -> People:
        self.asked["people_like"] += 1
        assigned = self.projects[project].assigned
        partners = {None, *(assigned if everybody else (partner,))}
        fitting = [
            person
            for person in self.people.values()
            if person.partner in partners
            and has_portal_access(core_person(person))
            and prefix_rank(core_person(person), typed) is not None
        ]
        return People(people=tuple(fitting[:limit]))

    def announcement(self, *, id: str) -> Announcement:
        self.asked["announcement"] += 1
        if id not in self.announcements:
            raise Refused("announcement.missing")
        return self.announcements[id]

    def changes(self, *, after: int = 0, limit: int = 200) -> Changes:
        del after, limit
        return Changes(changes=(), head=0)


class FakeCallers:
    """Callers of a process that asks nobody but `projects`."""

    def __init__(self) -> None:
        self.projects = FakeProjects()
