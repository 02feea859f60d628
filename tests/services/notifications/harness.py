"""The two process types on one database, run by hand: route, then deliver."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from clp_chassis.events.projections import DatabaseProjection
from clp_chassis.persistence.database import Database
from clp_chassis.security.passports import Passport
from clp_contracts import notifications as contract
from clp_contracts.methods import PassportKind
from clp_core.routing import PUBLISHED_ROUTING, RoutingPolicy
from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.dependencies import Desk, Pacing
from clp_notifications.delivery.relay_throttle import Lane
from clp_notifications.delivery.smtp_replies import ACCEPTED, STALE, Answer, MayLeave
from clp_notifications.dependencies import MailPolicy, Parts
from clp_notifications.mail.composer import Mailer, ReadyMail
from clp_notifications.mail.house import House
from clp_notifications.mail.rendering import Renderer
from clp_notifications.mail.tokens import Seals
from clp_notifications.routing import explain, progress, recipients
from clp_notifications.tables import CURSORS
from tests.services.notifications.sample_world import World

HOUSE = House(
    base_url="https://clp.example",
    mail_domain="clp.example",
    bounce_domain="bounce.clp.example",
    sender_name="CLP Communications",
    studio_name="the studio",
)
SEALS = Seals("a secret of tests")
MAILER = Mailer(HOUSE, SEALS, Renderer(HOUSE))


@dataclass
class Tray:
    """A transport that keeps what it is handed, and answers as it is told to."""

    mails: list[ReadyMail] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    before: Callable[[ReadyMail], None] = lambda _mail: None

    def hand_over(self, mail: ReadyMail, may_leave: MayLeave) -> Answer:
        self.before(mail)
        if not may_leave():
            return STALE
        self.mails.append(mail)
        return self.answers.pop(0) if self.answers else ACCEPTED

    def close(self) -> None:
        pass

    @property
    def recipients(self) -> list[str]:
        return [str(mail.recipient) for mail in self.mails]

    def to(self, address: str) -> list[ReadyMail]:
        return [mail for mail in self.mails if str(mail.recipient) == address]


class Ticks:
    """A stopwatch that moves when told to."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


class Works:
    """Routing and delivery, with their world."""

    def __init__(self, database: Database, window_s: float = 0) -> None:
        self.world = World()
        self.tray = Tray()
        self.database = database
        self.parts = Parts(
            database=database,
            callers=self.world.callers,
            clock=self.world.clock,
            seals=SEALS,
            routing=PUBLISHED_ROUTING,
            mail=MailPolicy(window=timedelta(seconds=window_s)),
        )
        self.slept: list[float] = []
        self.ticks = Ticks()
        self.desk = self.new_desk()

    def new_desk(self) -> Desk:
        """The desk of one more worker process."""
        return Desk(
            database=self.database,
            callers=self.world.callers,
            clock=self.world.clock,
            mailer=MAILER,
            transport=self.tray,
            lane=Lane(),
            sleep=self.sleep,
            ticks=self.ticks,
            pacing=Pacing(),
        )

    def sleep(self, seconds: float) -> None:
        """Time passes for everybody; who only gives way has not slept."""
        if seconds:
            self.slept.append(seconds)
        self.ticks.at += seconds
        self.world.clock.forward(seconds=seconds)

    def decide(self, policy: RoutingPolicy) -> None:
        self.parts = replace(self.parts, routing=policy)

    def window(self, seconds: float) -> None:
        mail = replace(self.parts.mail, window=timedelta(seconds=seconds))
        self.parts = replace(self.parts, mail=mail)

    @property
    def projection(self) -> DatabaseProjection:
        return DatabaseProjection(
            progress.READER,
            (self.database, CURSORS, self.world.clock),
            prepare=partial(recipients.prepare, parts=self.parts),
            write=partial(recipients.write, parts=self.parts),
        )

    def route(self) -> None:
        """Read the feed to its end."""
        changes = tuple(self.world.feed[self.projection.cursor() :])
        if changes:
            self.projection.apply(changes)

    def deliver(self) -> int:
        """Deliver what is due now; says how many mails were taken."""
        taken = 0
        while claims := self.desk.claim():
            deliver(self.desk, claims)
            taken += len(claims)
        return taken

    def deliver_once(self) -> None:
        """Deliver what is due at this moment, and nothing that comes back later."""
        deliver(self.desk, self.desk.claim())

    def run(self) -> None:
        self.route()
        self.deliver()

    def explained(self, message: str, person: str) -> contract.PersonExplained:
        """What a support person is told about one person."""
        ask = contract.AskExplain(message=message, person=person)
        found = explain.explain(ask, actor=passport("support"), parts=self.parts)
        (one,) = found.people
        return one

    def states(self, message: str) -> dict[str, tuple[str, str]]:
        """State and last reason of everybody told of a message."""
        ask = contract.AskExplain(message=message)
        found = explain.explain(ask, actor=passport("support"), parts=self.parts)
        return {
            one.person: (str(one.state), one.steps[-1].reason)
            for one in found.people
            if one.told
        }


def passport(
    subject: str, kind: PassportKind = PassportKind.SERVICE, *, at: World | None = None
) -> Passport:
    now = (at or World()).clock()
    return Passport(subject, kind, now + timedelta(minutes=2))


def person_passport(subject: str) -> Passport:
    return passport(subject, PassportKind.PERSON)
