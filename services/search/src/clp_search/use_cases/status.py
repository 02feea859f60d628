"""Report how far the index is, to operators and tests."""

from typing import Final

from clp_contracts.errors import Refused
from clp_contracts.feed import Progress, ReaderProgress
from clp_contracts.messages import SERVICE as MESSAGES
from clp_contracts.search import SERVICE, Status
from clp_search.dependencies import Dependencies
from clp_search.engine import EngineUnavailable, IndexDamaged

READER: Final = SERVICE


def status(*, deps: Dependencies) -> Status:
    """Return how far the index lags behind the feed, and how much it holds."""
    try:
        size, position = deps.engine.size(), deps.engine.cursor()
    except (IndexDamaged, EngineUnavailable):
        raise Refused.because("service.unavailable") from None
    built = deps.rebuild.progress if deps.rebuild else None
    return Status(
        position=position,
        lag=deps.projection.lag,
        documents=size.documents,
        size=size.size_bytes,
        rebuilt_to=built.position if built else None,
    )


def progress(*, deps: Dependencies) -> Progress:
    """Return the cursor in the feed of messages; this service has no feed itself."""
    try:
        cursor = deps.engine.cursor()
    except (IndexDamaged, EngineUnavailable):
        raise Refused.because("service.unavailable") from None
    reader = ReaderProgress(reader=READER, source=MESSAGES, cursor=cursor)
    return Progress(head=0, pending=0, due=0, readers=(reader,))
