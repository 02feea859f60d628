"""The facts of a signed-in person, cached for two seconds.

Roles, partner and access are asked of `projects`, never read from a token. What is
remembered draws the frame of a page; each service checks access at each call itself.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from clp_contracts.client import Clients
from clp_contracts.projects import Me, MyProjects

TTL_S: Final = 2.0
MAX_ENTRIES: Final = 4096


class Identities:
    """A small cache of `Me`, and of the followed projects, per person."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._entries: OrderedDict[str, tuple[float, Me]] = OrderedDict()
        self._projects: dict[str, tuple[float, MyProjects]] = {}
        self._changes = 0

    def get(self, person: str, clients: Clients) -> Me:
        """Return who a person is; a call when it was not asked just now."""
        held = self.cached(person)
        return self._keep(clients.projects.me()) if held is None else held

    def get_with_projects(
        self, person: str, clients: Clients
    ) -> tuple[Me, MyProjects | None]:
        """Return who a person is, with the followed projects if that took a call."""
        held = self.cached(person)
        if held is not None:
            return held, None
        return self._fetch(person, clients)

    def get_for_stream(self, person: str, clients: Clients) -> tuple[Me, MyProjects]:
        """Return who a person is and follows; no call when both were asked just now.

        A browser that resumes its stream at once costs nothing.
        """
        me, projects = self.cached(person), self._projects.get(person)
        if me is not None and projects is not None and self._is_new(projects[0]):
            return me, projects[1]
        return self._fetch(person, clients)

    def _fetch(self, person: str, clients: Clients) -> tuple[Me, MyProjects]:
        changes = self._changes
        followed = clients.projects.my_projects()
        # A process of an earlier version does not say who the person is.
        me = self._keep(followed.me or clients.projects.me())
        if changes == self._changes:
            if len(self._projects) >= MAX_ENTRIES:
                self._projects.clear()
            self._projects[person] = (self._monotonic(), followed)
        return me, followed

    def project_changed(self) -> None:
        """Ask anew who follows what, also where that is being asked right now."""
        self._changes += 1
        self._projects.clear()

    def cached(self, person: str) -> Me | None:
        """Return what was said of a person within the last two seconds."""
        held = self._entries.get(person)
        return held[1] if held is not None and self._is_new(held[0]) else None

    def _is_new(self, at: float) -> bool:
        return self._monotonic() - at < TTL_S

    def _keep(self, me: Me) -> Me:
        self._entries[me.id] = (self._monotonic(), me)
        self._entries.move_to_end(me.id)
        while len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)
        return me

    def invalidate(self, person: str) -> None:
        """Ask again at the next request."""
        self._entries.pop(person, None)
