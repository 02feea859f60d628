"""Cache facts of `projects` for seconds, without delaying the end of an access.

Three rules keep rules 5 and 7 immediate:

* Facts about people of partners are never cached: after the withdrawal of a partner was
  confirmed, none of its people can read.
* Cached facts can only allow. Fetch current facts before refusing anybody, so that a
  new access is usable at once everywhere.
* An event of `projects` invalidates the entries it concerns, and any response still on
  its way. If the event is lost, the TTL of seconds, counted from the request, ends it.

Never use cached facts for effects that cannot be undone, such as sending a mail.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cachetools import TLRUCache

from clp_contracts import events
from clp_contracts.client.projects import Projects
from clp_contracts.projects import Facts, PersonFacts, ProjectFacts

TTL_S: Final = 2.0
MAX_ENTRIES: Final = 10_000

# Events that change no fact about access.
IRRELEVANT: Final = frozenset(
    {events.PROJECT_FOLLOWED, events.PROJECT_UNFOLLOWED, events.SCHEDULE_ANNOUNCED}
)
# When an entry expires, and its facts.
_Entry = tuple[float, Any]


class FactsCache:
    """Facts about one person and one project: from the cache, and current."""

    def __init__(
        self,
        projects: Projects,
        *,
        ttl_s: float = TTL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._projects = projects
        self._ttl_s = ttl_s
        self._clock = clock
        self._cached_projects = _new_cache(clock)
        self._cached_people = _new_cache(clock)
        self._invalidations = 0

    def get(self, person: str | None, project: str | None) -> Iterator[Facts]:
        """Yield the cached facts, if there are any, then the current ones.

        Use the first facts that allow, and refuse by the last ones only. Without a
        person or a project the same request is sent, for facts without them.
        """
        cached = self._cached(person, project)
        if cached is not None:
            yield cached
        yield self.fetch(person, project)

    def fetch(self, person: str | None, project: str | None) -> Facts:
        """Return the current facts, and cache what may be cached."""
        requested_at, invalidations = self._clock(), self._invalidations
        facts = self._projects.facts(
            project_ids=[] if project is None else [project],
            people=[] if person is None else [person],
            narrowed=person is not None,
        )
        # Facts that were invalidated meanwhile may be older than the event.
        if invalidations == self._invalidations:
            is_whole = person is None or any(
                one.partner is None for one in facts.people
            )
            self._store(facts, expires_at=requested_at + self._ttl_s, is_whole=is_whole)
        return facts

    def invalidate(self, event: Mapping[str, Any]) -> None:
        """Remove what an event of `projects` may have changed."""
        if event.get("type") in IRRELEVANT:
            return
        self._invalidations += 1
        self._cached_people.pop(str(event.get("subject")), None)
        self._cached_projects.pop(str(event.get("project")), None)
        if event.get("type") == events.PARTNER_CHANGED:
            self._cached_projects.clear()

    def _store(self, facts: Facts, *, expires_at: float, is_whole: bool) -> None:
        """Cache facts; projects that show one partner only are not for others."""
        for project in facts.projects if is_whole else ():
            self._cached_projects[project.id] = (expires_at, project)
        for person in facts.people:
            if person.partner is None:
                self._cached_people[person.id] = (expires_at, person)

    def _cached(self, person: str | None, project: str | None) -> Facts | None:
        people: tuple[PersonFacts, ...] = ()
        if person is not None:
            entry = self._cached_people.get(person)
            if entry is None:
                return None
            people = (entry[1],)
        entry = None if project is None else self._cached_projects.get(project)
        if entry is None:
            return None
        projects: tuple[ProjectFacts, ...] = (entry[1],)
        return Facts(projects=projects, people=people)


def _new_cache(clock: Callable[[], float]) -> TLRUCache[str, _Entry]:
    """Return a cache whose entries carry the moment at which they expire."""
    return TLRUCache(MAX_ENTRIES, ttu=lambda _id, entry, _now: entry[0], timer=clock)
