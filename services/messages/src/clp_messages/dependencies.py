"""Dependencies of the use cases."""

from dataclasses import dataclass

from clp_chassis.clock import Clock
from clp_chassis.persistence.database import Database
from clp_contracts.client import Clients
from clp_contracts.facts_cache import FactsCache
from clp_contracts.partner_groups import PartnerGroups
from clp_core.attachments import PUBLISHED_ATTACHMENTS, AttachmentPolicy
from clp_messages.clamd import Scanner
from clp_messages.robot_texts import DEFAULT_TEXTS, RobotTexts
from clp_messages.storage import FileStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """The service's database and files, and clients of the other services.

    ``facts`` caches facts of `projects` for seconds and may only be used to allow;
    ``clients`` call each time.
    """

    database: Database
    files: FileStore
    clients: Clients
    facts: FactsCache
    clock: Clock
    scanner: Scanner | None = None
    robot_texts: RobotTexts = DEFAULT_TEXTS
    attachments: AttachmentPolicy = PUBLISHED_ATTACHMENTS

    @property
    def groups(self) -> PartnerGroups:
        """Groups of people in the fair queue, by the facts in the cache."""
        return self.facts.groups
