"""What the use cases of `search` work with."""

from dataclasses import dataclass

from clp_contracts.calling import Callers
from clp_search.engine import Engine
from clp_search.page_cursors import PageCursors
from clp_search.projection import MessagesProjection
from clp_search.rebuilding import Rebuilding


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The engine, what keeps it up to date, and callers for what others know."""

    engine: Engine
    projection: MessagesProjection
    callers: Callers
    cursors: PageCursors
    rebuilding: Rebuilding | None = None
