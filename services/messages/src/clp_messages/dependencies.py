"""What the use cases of `messages` work with."""

from dataclasses import dataclass

from clp_chassis.clock import Clock
from clp_chassis.persistence.database import Database
from clp_contracts.client import Callers
from clp_contracts.facts_cache import KnownFacts
from clp_core.attachments import PUBLISHED_ATTACHMENTS, AttachmentPolicy
from clp_messages.clamd import Scanner
from clp_messages.storage import FileStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The service's own database and files, and what others know.

    ``known`` remembers it for seconds, to let people in; ``callers`` ask each time.
    """

    database: Database
    files: FileStore
    callers: Callers
    known: KnownFacts
    clock: Clock
    scanner: Scanner | None = None
    attachments: AttachmentPolicy = PUBLISHED_ATTACHMENTS
