"""The dependencies of the use cases of `projects`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from clp_chassis.clock import Clock
from clp_chassis.persistence.database import Database
from clp_contracts.partner_groups import PartnerGroups


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """The dependencies; this service calls no other one."""

    database: Database
    clock: Clock
    groups: PartnerGroups = field(default_factory=PartnerGroups)
    # Sleeps for seconds without blocking other green threads.
    sleep: Callable[[float], object] = time.sleep
