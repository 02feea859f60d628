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
    """A small cache of `Me` per person."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._entries: OrderedDict[str, tuple[float, Me]] = OrderedDict()

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
        followed = clients.projects.my_projects()
        # A process of an earlier version does not say who the person is.
        me = followed.me or clients.projects.me()
        return self._keep(me), followed

    def cached(self, person: str) -> Me | None:
        """Return what was said of a person within the last two seconds."""
        held = self._entries.get(person)
        if held is None or self._monotonic() - held[0] >= TTL_S:
            return None
        return held[1]

    def _keep(self, me: Me) -> Me:
        self._entries[me.id] = (self._monotonic(), me)
        self._entries.move_to_end(me.id)
        while len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)
        return me

    def invalidate(self, person: str) -> None:
        """Ask again at the next request."""
        self._entries.pop(person, None)
