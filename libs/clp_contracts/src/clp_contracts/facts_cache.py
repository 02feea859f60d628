"""Facts of `projects` that a service may remember for seconds, and how it may use them.

Three rules keep "at once" true (rules 5 and 7):

* A partner's people are never remembered. What they may read is asked each time, so
  from the moment a withdrawal has been answered nobody of that partner reads.
* What is remembered can only allow. Before anybody is refused, the facts are asked
  again, so whoever was let in a moment ago is let in everywhere.
* An event of `projects` drops what it touches, also an answer that is still on its way.
  Where the event is lost, a lifetime of seconds ends it; it counts from the question.

What cannot be put right later, such as a mail, is never decided by what is remembered.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from clp_contracts import events
from clp_contracts.client.projects import Projects
from clp_contracts.projects import Facts, PersonFacts, ProjectFacts

LIFETIME_S: Final = 2.0
MOST_KNOWN: Final = 10_000

# Events that change no fact about who may do what.
HARMLESS: Final = frozenset(
    {events.PROJECT_FOLLOWED, events.PROJECT_UNFOLLOWED, events.SCHEDULE_ANNOUNCED}
)


class KnownFacts:
    """Facts about one person and one project: as remembered, and as they are now."""

    def __init__(
        self,
        projects: Projects,
        *,
        lifetime_s: float = LIFETIME_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._projects = projects
        self._lifetime_s = lifetime_s
        self._clock = clock
        # By id, with the moment from which on it is forgotten.
        self._known_projects: dict[str, tuple[float, ProjectFacts]] = {}
        self._known_people: dict[str, tuple[float, PersonFacts]] = {}
        self._drops = 0

    def about(self, person: str | None, project: str | None) -> Iterator[Facts]:
        """First what is remembered, if it is, then what is true now.

        Whoever uses it takes the first facts that allow, and refuses by the last ones.
        Without a person or a project there is only the truth to ask for, with the
        same question.
        """
        remembered = self._remembered(person, project)
        if remembered is not None:
            yield remembered
        yield self.now(person, project)

    def now(self, person: str | None, project: str | None) -> Facts:
        """What is true now."""
        asked_at, drops = self._clock(), self._drops
        told = self._projects.facts(
            projects_=[] if project is None else [project],
            people=[] if person is None else [person],
        )
        # What was dropped meanwhile may be older than what dropped it.
        if drops == self._drops:
            self._remember(told, until=asked_at + self._lifetime_s)
        return told

    def drop(self, event: Mapping[str, Any]) -> None:
        """Forget what an event of `projects` may have changed."""
        if event.get("type") in HARMLESS:
            return
        self._drops += 1
        self._known_people.pop(str(event.get("subject")), None)
        self._known_projects.pop(str(event.get("project")), None)
        if event.get("type") == events.PARTNER_CHANGED:
            self._known_projects.clear()

    def _remember(self, told: Facts, *, until: float) -> None:
        for project in told.projects:
            _keep(self._known_projects, project.id, (until, project))
        for person in told.people:
            if person.partner is None:
                _keep(self._known_people, person.id, (until, person))

    def _remembered(self, person: str | None, project: str | None) -> Facts | None:
        people: tuple[PersonFacts, ...] = ()
        if person is not None:
            known = self._fresh(self._known_people, person)
            if known is None:
                return None
            people = (known,)
        about = None if project is None else self._fresh(self._known_projects, project)
        return None if about is None else Facts(projects=(about,), people=people)

    def _fresh(self, known: dict[str, tuple[float, Any]], id: str) -> Any:
        until, facts = known.get(id, (0.0, None))
        return facts if self._clock() < until else None


def _keep(
    known: dict[str, tuple[float, Any]], id: str, facts: tuple[float, Any]
) -> None:
    if len(known) >= MOST_KNOWN:
        known.clear()
    known[id] = facts
