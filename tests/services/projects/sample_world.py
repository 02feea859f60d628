"""The sample world of `projects`: people, partners and a project."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from clp_chassis.persistence.database import Database
from clp_contracts.feed import Change, ReadChanges
from clp_contracts.projects import (
    AssignPartner,
    GetFacts,
    GetFollowers,
    PersonFacts,
    ProjectRef,
    PutPartner,
    PutPerson,
    PutProject,
    Stored,
    SuggestPeople,
    WithdrawPartner,
)
from clp_projects.dependencies import Dependencies
from clp_projects.tables import OUTBOX
from clp_projects.use_cases import (
    assignments,
    autocomplete,
    directory,
    followers,
    people,
    readable_projects,
)
from tests.support.sample_world import CAST, NOON, PARTNERS, PORTAL


class World:
    """Calls of the use cases of `projects` with defaults for tests."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.slept: list[float] = []
        self.deps = Dependencies(
            database=database, clock=lambda: NOON, sleep=self.slept.append
        )

    def begin(self) -> None:
        """Store two partners, seven people, and Night Train with both partners assigned."""
        for partner, name in PARTNERS.items():
            self.partner(partner, name)
        for member in CAST:
            self.person(
                member.id, member.name, partner=member.partner, roles=member.roles
            )
        self.project("p1", "Night Train")
        self.assign("north")
        self.assign("south")

    def person(self, id: str, name: str, **more: Any) -> Stored:
        home = more.get("partner") or "studio"
        given = {
            "email": f"{id}@{home}.example",
            "roles": PORTAL,
            "internal": more.get("partner") is None,
        } | more
        return people.put_person(PutPerson(id=id, name=name, **given), deps=self.deps)

    def partner(self, id: str, name: str) -> Stored:
        return people.put_partner(PutPartner(id=id, name=name), deps=self.deps)

    def project(self, id: str, title: str) -> Stored:
        return assignments.put_project(PutProject(id=id, title=title), deps=self.deps)

    def assign(
        self, partner: str, project: str = "p1", languages: Sequence[str] = ("fr",)
    ) -> Stored:
        request = AssignPartner(
            project=project, partner=partner, languages=tuple(languages)
        )
        return assignments.assign_partner(request, deps=self.deps)

    def withdraw(self, partner: str, project: str = "p1") -> Stored:
        request = WithdrawPartner(project=project, partner=partner)
        return assignments.withdraw_partner(request, deps=self.deps)

    def follow(self, actor: str, project: str = "p1") -> bool:
        request = ProjectRef(project=project)
        return followers.follow(request, actor=actor, deps=self.deps).following

    def unfollow(self, actor: str, project: str = "p1") -> bool:
        request = ProjectRef(project=project)
        return followers.unfollow(request, actor=actor, deps=self.deps).following

    def followed_by(self, actor: str) -> list[str]:
        mine = readable_projects.my_projects(actor=actor, deps=self.deps)
        return [project.id for project in mine.projects]

    def followers(self, project: str = "p1", partner: str | None = None) -> list[str]:
        request = GetFollowers(project=project, partner=partner)
        found = directory.followers(request, deps=self.deps)
        return [person.id for person in found.people]

    def facts_of(self, person: str) -> PersonFacts:
        found = directory.facts_about(GetFacts(people=(person,)), deps=self.deps)
        return found.people[0]

    def suggested(self, typed: str, **more: Any) -> list[str]:
        """Return the suggested ids, best first, of every partner by default."""
        request = SuggestPeople(
            **{"typed": typed, "project": "p1", "everybody": True} | more
        )
        found = autocomplete.suggest_people(request, deps=self.deps)
        return [person.id for person in found.people]

    def feed(self, after: int = 0) -> tuple[Change, ...]:
        """Return the changes, with positions as the outbox relay assigns them."""
        with self.database.writing(notify=False) as session:
            while OUTBOX.assign_positions(session):
                pass
        found: list[Change] = []
        while True:
            request = ReadChanges(after=found[-1].position if found else after)
            more = directory.changes(request, deps=self.deps).changes
            if not more:
                return tuple(found)
            found += more

    def news(self, after: int) -> list[tuple[str, str, str]]:
        """Return changes after a position as (noun, subject, project)."""
        return [(c.type.split(".")[2], c.subject, c.project) for c in self.feed(after)]

    def head(self) -> int:
        """Return the position of the newest change."""
        return self.feed()[-1].position

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Collect the statements that the block executes."""
        statements: list[str] = []

        def note(_link: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
                statements.append(statement)

        event.listen(self.database.engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(self.database.engine, "before_cursor_execute", note)
