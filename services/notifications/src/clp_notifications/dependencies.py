"""What the use cases of the routing process work with."""

from dataclasses import dataclass
from datetime import timedelta

from clp_chassis.clock import Clock
from clp_chassis.persistence.database import Database
from clp_contracts.client import Callers
from clp_core.routing import PUBLISHED_ROUTING, RoutingPolicy
from clp_notifications.mail.tokens import Seals


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPolicy:
    """When mails leave (rule 40).

    A person gets at most ``most_an_hour`` mails about a project, mentions apart; what
    is over that waits for a digest. Without a window nothing is held back.
    """

    window: timedelta = timedelta(seconds=60)
    daily_hour_utc: int = 7
    most_an_hour: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounces:
    """Where mails come back to; without a folder nobody looks."""

    domain: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Facts come by callers, effects go to the database."""

    database: Database
    callers: Callers
    clock: Clock
    seals: Seals
    routing: RoutingPolicy = PUBLISHED_ROUTING
    mail: MailPolicy
    bounces: Bounces = Bounces()
