"""The dependencies of the use cases of the routing process."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clp_chassis.clock import Clock
from clp_chassis.persistence.database import Database
from clp_contracts.client import Clients
from clp_contracts.partner_groups import PartnerGroups
from clp_contracts.projects import Facts
from clp_core.routing import PUBLISHED_ROUTING, RoutingPolicy
from clp_notifications.mail.tokens import MailTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPolicy:
    """The windows and limits by which mails are due (rule 40).

    A person gets at most ``max_mails_per_hour`` mails about a project, and
    ``max_mention_mails_per_hour`` mention mails besides; more of either go into a
    digest an hour later. Without a window mails are due at once. Daily digests are due
    at ``digest_hour`` in the reader's time zone, or in ``time_zone`` without one.
    """

    window: timedelta = timedelta(seconds=60)
    mention_window: timedelta = timedelta(seconds=10)
    digest_hour: int = 7
    time_zone: str = "UTC"
    max_mails_per_hour: int = 12
    max_mention_mails_per_hour: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounces:
    """The domain and the Maildir of bounces; without a folder they are not read."""

    domain: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Clients that read facts, and the database that stores effects."""

    database: Database
    clients: Clients
    clock: Clock
    groups: PartnerGroups = field(default_factory=PartnerGroups)
    tokens: MailTokens
    routing: RoutingPolicy = PUBLISHED_ROUTING
    mail: MailPolicy
    bounces: Bounces = Bounces()
    studio_name: str = "the studio"
    help_address: str = ""
    # When this process began: a heartbeat may be missing since then.
    started_at: datetime | None = None

    def facts_for(self, actor: str, *projects: str) -> Facts:
        """Read current facts about an actor and projects, for an access check."""
        facts = self.clients.projects.facts(
            project_ids=projects, people=(actor,), narrowed=True
        )
        self.groups.note(facts.people)
        return facts
