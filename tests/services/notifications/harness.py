"""The two process types on one database, run step by step: route, then deliver."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from clp_chassis.events.projections import DatabaseProjection
from clp_chassis.persistence.database import Database
from clp_chassis.security.passports import Passport
from clp_contracts import notifications as contract
from clp_contracts.message_feed import MessageFeed
from clp_contracts.methods import PassportKind
from clp_core.routing import PUBLISHED_ROUTING, RoutingPolicy
from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.claims import claim_due
from clp_notifications.delivery.dependencies import BatchLimits, DeliveryDependencies
from clp_notifications.delivery.relay_throttle import RelayThrottle
from clp_notifications.delivery.smtp_replies import (
    ACCEPTED,
    STALE,
    MaySend,
    SmtpOutcome,
)
from clp_notifications.dependencies import Bounces, Dependencies, MailPolicy
from clp_notifications.inbound.incoming import handle_waiting
from clp_notifications.mail.composer import Composer, OutgoingMail
from clp_notifications.mail.content import SenderIdentity
from clp_notifications.mail.rendering import Renderer
from clp_notifications.mail.tokens import MailTokens
from clp_notifications.routing import explain, progress, recipients
from clp_notifications.states import MailMode
from clp_notifications.tables import CURSORS
from clp_notifications.transitions import set_mode
from clp_notifications.unsubscribe_tokens import UnsubscribeTokens
from tests.services.notifications.sample_world import World

IDENTITY = SenderIdentity(
    base_url="https://clp.example",
    mail_domain="clp.example",
    bounce_domain="bounce.clp.example",
    sender_name="CLP Communications",
    studio_name="the studio",
)
TOKENS = MailTokens("a secret of tests")
COMPOSER = Composer(IDENTITY, TOKENS, Renderer(IDENTITY))


@dataclass
class MemoryTransport:
    """A transport that keeps mails in memory and returns scripted results."""

    mails: list[OutgoingMail] = field(default_factory=list)
    outcomes: list[SmtpOutcome] = field(default_factory=list)
    before: Callable[[OutgoingMail], None] = lambda _mail: None

    def send(self, mail: OutgoingMail, may_send: MaySend) -> SmtpOutcome:
        self.before(mail)
        if not may_send():
            return STALE
        self.mails.append(mail)
        return self.outcomes.pop(0) if self.outcomes else ACCEPTED

    def close(self) -> None:
        pass

    @property
    def recipients(self) -> list[str]:
        return [str(mail.recipient) for mail in self.mails]

    def to(self, address: str) -> list[OutgoingMail]:
        return [mail for mail in self.mails if str(mail.recipient) == address]


class FakeMonotonic:
    """A monotonic clock that a test advances."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


class DeliveryHarness:
    """Routing and delivery, with their world."""

    def __init__(self, database: Database, window_s: float = 0) -> None:
        self.world = World()
        self.transport = MemoryTransport()
        self.database = database
        self.deps = Dependencies(
            database=database,
            clients=self.world.clients,
            clock=self.world.clock,
            tokens=TOKENS,
            routing=PUBLISHED_ROUTING,
            mail=MailPolicy(window=timedelta(seconds=window_s)),
            bounces=Bounces(domain=IDENTITY.bounce_domain),
        )
        self.slept: list[float] = []
        self.monotonic = FakeMonotonic()
        self.delivery = self.new_delivery()

    def new_delivery(self) -> DeliveryDependencies:
        """The dependencies of one more worker process."""
        return DeliveryDependencies(
            database=self.database,
            unsubscribe_tokens=UnsubscribeTokens(self.database),
            clients=self.world.clients,
            clock=self.world.clock,
            composer=COMPOSER,
            transport=self.transport,
            throttle=RelayThrottle(),
            sleep=self.sleep,
            monotonic=self.monotonic,
            limits=BatchLimits(),
        )

    def sleep(self, seconds: float) -> None:
        """Advance both clocks; a sleep of 0 only yields."""
        if seconds:
            self.slept.append(seconds)
        self.monotonic.at += seconds
        self.world.clock.forward(seconds=seconds)

    def set_mode(self, person: str, mode: MailMode, *, project: str = "p1") -> None:
        """Store a person's mail mode of a project, or of all with an empty one."""
        with self.database.writing() as session:
            set_mode(
                session,
                person=person,
                project=project,
                mode=mode,
                at=self.world.clock(),
            )

    def decide(self, policy: RoutingPolicy) -> None:
        self.deps = replace(self.deps, routing=policy)

    def window(self, seconds: float) -> None:
        mail = replace(self.deps.mail, window=timedelta(seconds=seconds))
        self.deps = replace(self.deps, mail=mail)

    @property
    def projection(self) -> DatabaseProjection:
        return DatabaseProjection(
            progress.READER,
            database=self.database,
            cursors=CURSORS,
            clock=self.world.clock,
            prepare=partial(
                recipients.prepare,
                feed=MessageFeed(self.world.clients.messages),
                deps=self.deps,
            ),
            write=partial(recipients.write, deps=self.deps),
        )

    def route(self) -> None:
        """Read the feed to its end."""
        changes = tuple(self.world.feed[self.projection.cursor() :])
        if changes:
            self.projection.apply(changes)

    def deliver(self) -> int:
        """Deliver what is due now; return how many mails were claimed."""
        taken = 0
        while claims := claim_due(self.delivery):
            deliver(self.delivery, claims)
            taken += len(claims)
        return taken

    def deliver_once(self) -> None:
        """Deliver what is due now, and nothing that becomes due again."""
        deliver(self.delivery, claim_due(self.delivery))

    def read_incoming(self) -> int:
        """Handle the waiting incoming mails."""
        return handle_waiting(self.deps)

    def run(self) -> None:
        self.route()
        self.deliver()

    def explained(self, message: str, person: str) -> contract.PersonExplained:
        """The explanation for one person, as support sees it."""
        request = contract.GetExplanation(message=message, person=person)
        found = explain.explain(request, actor=passport("support"), deps=self.deps)
        (one,) = found.people
        return one

    def states(self, message: str) -> dict[str, tuple[str, str]]:
        """State and last reason of each person told of a message."""
        request = contract.GetExplanation(message=message)
        found = explain.explain(request, actor=passport("support"), deps=self.deps)
        return {
            one.person: (str(one.state), one.transitions[-1].reason)
            for one in found.people
            if one.told
        }


def inbound_in(harness: DeliveryHarness, folder: Path) -> Path:
    """Let the harness read incoming mail from a folder."""
    harness.deps = replace(
        harness.deps,
        bounces=Bounces(domain=IDENTITY.bounce_domain, folder=str(folder)),
    )
    return folder


def passport(
    subject: str, kind: PassportKind = PassportKind.SERVICE, *, at: World | None = None
) -> Passport:
    now = (at or World()).clock()
    return Passport(subject, kind, now + timedelta(minutes=2))


def person_passport(subject: str) -> Passport:
    return passport(subject, PassportKind.PERSON)
