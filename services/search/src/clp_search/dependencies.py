"""Dependencies of the use cases of `search`."""

from dataclasses import dataclass

from clp_contracts.client import Clients
from clp_contracts.facts_cache import FactsCache
from clp_contracts.partner_groups import PartnerGroups
from clp_search.engine import Engine
from clp_search.page_cursors import PageCursors
from clp_search.projection import MessagesProjection
from clp_search.rebuild import IndexRebuild
from clp_search.search_slots import SearchSlots


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """The engine, the projection that feeds it, and the clients of other services.

    ``facts`` caches facts for seconds and serves access checks; ``clients`` always
    call. ``search_slots`` lets few parts of searches run at a time, by partner.
    """

    engine: Engine
    projection: MessagesProjection
    clients: Clients
    facts: FactsCache
    cursors: PageCursors
    search_slots: SearchSlots
    rebuild: IndexRebuild | None = None

    @property
    def groups(self) -> PartnerGroups:
        """Groups of people in the fair queue, by the facts in the cache."""
        return self.facts.groups
