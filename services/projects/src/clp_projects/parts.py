"""What the use cases of `projects` work with."""

from dataclasses import dataclass

from clp_chassis.clock import Clock
from clp_chassis.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """This service asks nobody else: its rows are the facts."""

    database: Database
    clock: Clock
