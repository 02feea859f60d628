"""The facts of a signed-in person, cached for two seconds.

Roles, partner and access are asked of `projects`, never read from a token. What is
remembered draws the frame of a page; each service checks access at each call itself.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from clp_contracts.client import Clients
from clp_contracts.projects import Me

TTL_S: Final = 2.0
MAX_ENTRIES: Final = 4096


class Identities:
    """A small cache of `projects.me` per person."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._entries: OrderedDict[str, tuple[float, Me]] = OrderedDict()

    def get(self, person: str, clients: Clients) -> Me:
        """Return who a person is; a call when it was not asked just now."""
        held = self._entries.get(person)
        if held is not None and self._monotonic() - held[0] < TTL_S:
            return held[1]
        me = clients.projects.me()
        self._entries[person] = (self._monotonic(), me)
        self._entries.move_to_end(person)
        while len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)
        return me

    def invalidate(self, person: str) -> None:
        """Ask again at the next request."""
        self._entries.pop(person, None)
