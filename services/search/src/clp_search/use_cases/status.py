"""Tell operators and tests how far the index is."""

from typing import Final

from clp_contracts.errors import Refused
from clp_contracts.feed import Progress, ReaderProgress
from clp_contracts.messages import SERVICE as MESSAGES
from clp_contracts.search import SERVICE, Status
from clp_search.dependencies import Parts
from clp_search.engine import EngineAway, IndexDamaged

READER: Final = SERVICE


def status(*, parts: Parts) -> Status:
    """How far the index is behind the feed, and how much it holds."""
    try:
        size, position = parts.engine.size(), parts.engine.cursor()
    except (IndexDamaged, EngineAway):
        raise Refused.because("service.unavailable") from None
    built = parts.rebuilding.built if parts.rebuilding else None
    return Status(
        position=position,
        lag=parts.projection.lag,
        documents=size.documents,
        size_bytes=size.size_bytes,
        rebuilt_to=built.position if built else None,
    )


def progress(*, parts: Parts) -> Progress:
    """Up to where the feed of messages was read; this service has no feed itself."""
    try:
        cursor = parts.engine.cursor()
    except EngineAway:
        raise Refused.because("service.unavailable") from None
    reader = ReaderProgress(reader=READER, source=MESSAGES, cursor=cursor)
    return Progress(head=0, pending=0, due=0, readers=(reader,))
