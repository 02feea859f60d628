"""What the use cases of `projects` work with."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from clp_chassis.clock import Clock
from clp_chassis.persistence.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """This service asks nobody else: its rows are the facts."""

    database: Database
    clock: Clock
    # Waits for some seconds while others work.
    pause: Callable[[float], object] = time.sleep
