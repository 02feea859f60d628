"""What the use cases of `search` work with."""

from dataclasses import dataclass

from clp_contracts.client import Callers
from clp_contracts.facts_cache import KnownFacts
from clp_search.engine import Engine
from clp_search.page_cursors import PageCursors
from clp_search.projection import MessagesProjection
from clp_search.rebuild import Rebuilding


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The engine, what keeps it up to date, and what others know.

    ``known`` remembers it for seconds, to let people in; ``callers`` ask each time.
    """

    engine: Engine
    projection: MessagesProjection
    callers: Callers
    known: KnownFacts
    cursors: PageCursors
    rebuilding: Rebuilding | None = None
