"""What the use cases of `messages` work with."""

from dataclasses import dataclass

from clp_chassis.clock import Clock
from clp_chassis.database import Database
from clp_contracts.calling import Callers
from clp_core.attachments import PUBLISHED_ATTACHMENTS, AttachmentPolicy
from clp_messages.scanning import Scanner
from clp_messages.storage import FileStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The service's own database and files, and callers for what others know."""

    database: Database
    files: FileStore
    callers: Callers
    clock: Clock
    scanner: Scanner | None = None
    attachments: AttachmentPolicy = PUBLISHED_ATTACHMENTS
