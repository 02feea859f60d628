"""The story's people and partners, told to `projects` in few words."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event

from clp_chassis.persistence.database import Database
from clp_contracts.feed import Change, ReadChanges
from clp_contracts.projects import (
    AskFacts,
    AskPeopleLike,
    AssignPartner,
    OneProject,
    PersonFacts,
    PutPartner,
    PutPerson,
    PutProject,
    Stored,
    WithdrawPartner,
)
from clp_projects.dependencies import Parts
from clp_projects.tables import OUTBOX
from clp_projects.use_cases import (
    assignments,
    autocomplete,
    directory,
    followers,
    people,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PORTAL = ("dub_portal_user",)
LINGUIST = ("dub_portal_user", "dialogue_list_author")

CAST = {
    "ivy": ("Ivy Lane", None, PORTAL),
    "ian": ("Ian Moss", None, PORTAL),
    "lin": ("Lin Okafor", None, LINGUIST),
    "nat": ("Nat Moreau", "north", PORTAL),
    "nia": ("Nia Roux", "north", PORTAL),
    "sam": ("Sam Duarte", "south", PORTAL),
    "sol": ("Sol Reyes", "south", PORTAL),
}


class Story:
    """What tests ask of `projects`, with the story's names filled in."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.paused: list[float] = []
        self.parts = Parts(
            database=database, clock=lambda: NOON, pause=self.paused.append
        )

    def begin(self) -> None:
        """Two partners, seven people, and Night Train with both partners on it."""
        self.partner("north", "North Dubbing")
        self.partner("south", "South Subtitles")
        for id, (name, partner, roles) in CAST.items():  # noqa: A001
            self.person(id, name, partner=partner, roles=roles)
        self.project("p1", "Night Train")
        self.assign("north")
        self.assign("south")

    def person(self, id: str, name: str, **more: Any) -> Stored:
        home = more.get("partner") or "studio"
        given = {"email": f"{id}@{home}.example", "roles": PORTAL} | more
        return people.put_person(PutPerson(id=id, name=name, **given), parts=self.parts)

    def partner(self, id: str, name: str) -> Stored:
        return people.put_partner(PutPartner(id=id, name=name), parts=self.parts)

    def project(self, id: str, title: str) -> Stored:
        return assignments.put_project(PutProject(id=id, title=title), parts=self.parts)

    def assign(
        self, partner: str, project: str = "p1", languages: Sequence[str] = ("fr",)
    ) -> Stored:
        ask = AssignPartner(
            project=project, partner=partner, languages=tuple(languages)
        )
        return assignments.assign_partner(ask, parts=self.parts)

    def withdraw(self, partner: str, project: str = "p1") -> Stored:
        ask = WithdrawPartner(project=project, partner=partner)
        return assignments.withdraw_partner(ask, parts=self.parts)

    def follow(self, actor: str, project: str = "p1") -> bool:
        ask = OneProject(project=project)
        return followers.follow(ask, actor=actor, parts=self.parts).following

    def unfollow(self, actor: str, project: str = "p1") -> bool:
        ask = OneProject(project=project)
        return followers.unfollow(ask, actor=actor, parts=self.parts).following

    def followed_by(self, actor: str) -> list[str]:
        mine = followers.my_projects(actor=actor, parts=self.parts)
        return [project.id for project in mine.projects]

    def followers(self, project: str = "p1") -> list[str]:
        found = directory.followers(OneProject(project=project), parts=self.parts)
        return [person.id for person in found.people]

    def facts_of(self, person: str) -> PersonFacts:
        found = directory.facts_about(AskFacts(people=(person,)), parts=self.parts)
        return found.people[0]

    def suggested(self, typed: str, **more: Any) -> list[str]:
        """The ids a type-ahead offers, best first; everybody's unless told else."""
        ask = AskPeopleLike(
            **{"typed": typed, "project": "p1", "everybody": True} | more
        )
        found = autocomplete.people_like(ask, parts=self.parts)
        return [person.id for person in found.people]

    def feed(self, after: int = 0) -> tuple[Change, ...]:
        """Committed changes, numbered as the relay would."""
        with self.database.writing(tell=False) as session:
            while OUTBOX.number(session):
                pass
        found: list[Change] = []
        while True:
            ask = ReadChanges(after=found[-1].position if found else after)
            more = directory.changes(ask, parts=self.parts).changes
            if not more:
                return tuple(found)
            found += more

    def news(self, after: int) -> list[tuple[str, str, str]]:
        """Changes after a position as (what, subject, project)."""
        return [(c.type.split(".")[2], c.subject, c.project) for c in self.feed(after)]

    def head(self) -> int:
        """The position of the newest change."""
        return self.feed()[-1].position

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements that the database is asked meanwhile."""
        asked: list[str] = []

        def note(_link: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
                asked.append(statement)

        event.listen(self.database.engine, "before_cursor_execute", note)
        try:
            yield asked
        finally:
            event.remove(self.database.engine, "before_cursor_execute", note)
