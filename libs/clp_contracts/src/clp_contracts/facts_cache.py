"""Cache leased facts of `projects`, without delaying the end of an access.

* Facts are cached for as long as they are leased: `projects` confirms the end of an
  access only when the lease has run out, so from the confirmation on nobody reads by
  cached facts (rules 5 and 7).
* Cached facts can only allow. Fetch current facts before refusing anybody, so that a
  new access is usable at once everywhere.
* An entry belongs to one person and one project, and is renewed in the background while
  it is used. What people of another partner do neither fills, renews nor removes it
  (rule 6).
* An event of `projects` invalidates the entries it concerns, and responses underway.

Never use cached facts for effects that cannot be undone, such as sending a mail.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from clp_contracts import events
from clp_contracts.client.projects import Projects
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.partner_groups import PartnerGroups
from clp_contracts.projects import Facts

log = logging.getLogger(__name__)

LEASE_S: Final = 2.0
# An entry that is used with less of its lease left is renewed in the background.
RENEWED_BEFORE: Final = 0.35
MAX_ENTRIES: Final = 20_000

# Events that change no fact about access.
IRRELEVANT: Final = frozenset(
    {events.PROJECT_FOLLOWED, events.PROJECT_UNFOLLOWED, events.SCHEDULE_ANNOUNCED}
)
# Events about one partner; their subject is the partner.
OF_A_PARTNER: Final = frozenset(
    {events.PARTNER_ASSIGNED, events.PARTNER_WITHDRAWN, events.PARTNER_CHANGED}
)
_Key = tuple[str | None, str | None]
Event = Mapping[str, Any]
Spawn = Callable[[Callable[[], object]], object]


@dataclass(slots=True)
class _Entry:
    """Cached facts; times are moments of the monotonic clock."""

    facts: Facts
    renewed_from: float
    expires_at: float
    is_renewing: bool = False


class _Fetched(NamedTuple):
    """A response, and the events that were received while it was on its way."""

    facts: Facts
    expires_at: float
    events: Sequence[Event]


class FactsCache:
    """Facts about one person and one project: from the cache, and current.

    ``spawn`` runs a function in the background; without it, nothing is renewed.
    """

    def __init__(
        self,
        projects: Projects,
        *,
        lease_s: float = LEASE_S,
        clock: Callable[[], float] = time.monotonic,
        spawn: Spawn | None = None,
    ) -> None:
        self._projects = projects
        self._lease_s = lease_s
        self._clock = clock
        self._spawn = spawn
        self._entries: dict[_Key, _Entry] = {}
        self._underway: list[list[Event]] = []
        # Entries that are renewed together, by person and project.
        self._due: dict[str | None, dict[str | None, _Entry]] = {}
        # By the facts that were fetched, for the fair queue.
        self.groups = PartnerGroups()

    def get(self, person: str | None, project: str | None) -> Iterator[Facts]:
        """Yield the cached facts, if there are any, then the current ones.

        Use the first facts that allow, and refuse by the last ones only. Without a
        person or a project the same request is sent, for facts without them.
        """
        if (cached := self._cached((person, project))) is not None:
            yield cached
        yield self.fetch(person, project)

    def cached(self, person: str, project: str | None) -> Facts | None:
        """Return the cached facts, if there are any."""
        return self._cached((person, project))

    def complete(self, person: str, project: str | None) -> Facts | None:
        """Return cached facts that show all that a person may read, if there are any.

        All that a partner's person may read of a project is lost and won together. To
        the studio, they may miss the channel of a partner that was just assigned.
        """
        facts = self.cached(person, project)
        is_of_partner = facts is not None and any(
            one.partner is not None for one in facts.people
        )
        return facts if is_of_partner else None

    def fetch(self, person: str | None, project: str | None) -> Facts:
        """Return the current facts under a lease, and cache them."""
        fetched = self._fetch(person, [] if project is None else [project])
        self._store((person, project), fetched.facts, fetched)
        return fetched.facts

    def fetch_each(self, person: str, projects: Sequence[str]) -> Mapping[str, Facts]:
        """Return the current facts for each project that exists, in one call."""
        fetched = self._fetch(person, projects)
        found = {
            project.id: replace(fetched.facts, projects=(project,))
            for project in fetched.facts.projects
        }
        for project, facts in found.items():
            self._store((person, project), facts, fetched)
        return found

    def _fetch(self, person: str | None, projects: Sequence[str]) -> "_Fetched":
        events: list[Event] = []
        self._underway.append(events)
        requested_at = self._clock()
        try:
            facts = self._projects.facts(
                project_ids=list(projects),
                people=[] if person is None else [person],
                lease_s=self._lease_s,
                narrowed=person is not None,
            )
        finally:
            self._underway = [one for one in self._underway if one is not events]
        self.groups.note(facts.people)
        return _Fetched(facts, requested_at + facts.lease_s, events)

    def invalidate(self, event: Event) -> None:
        """Remove what an event of `projects` may have changed."""
        if event.get("type") in IRRELEVANT:
            return
        if event.get("type") == events.PERSON_CHANGED:
            self.groups.forget(str(event.get("subject")))
        for received in self._underway:
            received.append(event)
        for key, entry in list(self._entries.items()):
            if _concerns(event, key, entry.facts):
                del self._entries[key]

    def _cached(self, key: _Key) -> Facts | None:
        entry, now = self._entries.get(key), self._clock()
        if entry is None or entry.expires_at <= now:
            return None
        if now > entry.renewed_from and not entry.is_renewing:
            self._renew_soon(key, entry)
        return entry.facts

    def _renew_soon(self, key: _Key, entry: _Entry) -> None:
        """Renew in the background, together with others of this person that are due."""
        if self._spawn is None:
            return
        entry.is_renewing = True
        person, project = key
        due = self._due.setdefault(person, {})
        due[project] = entry
        if len(due) == 1:
            self._spawn(lambda: self._renew_due(person))

    def _renew_due(self, person: str | None) -> None:
        due = self._due.pop(person, {})
        projects = [project for project in due if project is not None]
        try:
            if person is not None and len(projects) == len(due):
                self.fetch_each(person, projects)
            else:
                for project in due:
                    self.fetch(person, project)
        except (CallFailed, Refused) as error:
            for entry in due.values():
                entry.is_renewing = False
            log.warning("cached facts were not renewed: %s", type(error).__name__)

    def _store(self, key: _Key, facts: Facts, fetched: "_Fetched") -> None:
        # Facts that were invalidated meanwhile may be older than the event.
        if any(_concerns(event, key, facts) for event in fetched.events):
            return
        now = self._clock()
        early = RENEWED_BEFORE * facts.lease_s
        entry = _Entry(facts, fetched.expires_at - early, fetched.expires_at)
        if entry.expires_at <= now:
            return
        if len(self._entries) >= MAX_ENTRIES and key not in self._entries:
            # Nobody's live entry makes room for another one.
            live = {k: e for k, e in self._entries.items() if e.expires_at > now}
            self._entries = live
            if len(live) >= MAX_ENTRIES:
                return
        self._entries[key] = entry


def _concerns(event: Event, key: _Key, facts: Facts) -> bool:
    """Return whether an event may change the facts of an entry."""
    person, project = key
    kind, subject = event.get("type"), str(event.get("subject"))
    if kind in OF_A_PARTNER:
        about = kind == events.PARTNER_CHANGED or event.get("project") == project
        return about and any(one.partner in (None, subject) for one in facts.people)
    if kind == events.PERSON_CHANGED:
        return subject == person
    return event.get("project") == project
