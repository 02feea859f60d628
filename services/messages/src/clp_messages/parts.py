"""What the use cases of `messages` work with."""

from dataclasses import dataclass

from clp_chassis.clock import Clock
from clp_chassis.database import Database
from clp_contracts.calling import Callers
from clp_contracts.known_facts import KnownFacts
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
