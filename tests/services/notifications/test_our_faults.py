"""A fault of ours is never a fault of the mail: it waits, and costs no other (rule 41)."""

import errno
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text, update
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from clp_chassis.persistence.database import Database
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.mail_addresses import parse_mail_address
from clp_contracts.notifications import SubmitTicket
from clp_notifications.delivery.claims import Claim, DeliveryOutcome
from clp_notifications.delivery.outcome_writer import OutcomeWriter
from clp_notifications.delivery.outcomes import DELAYS, MAX_AGE, SERVICES_RETRY
from clp_notifications.delivery.smtp_replies import SmtpStage, outcome_of_reply
from clp_notifications.delivery.tickets import send_tickets
from clp_notifications.inbound.classifier import MailClass
from clp_notifications.inbound.incoming import HANDLERS, handle_waiting
from clp_notifications.inbound.maildir import InboundMaildir, deliver_to_maildir
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.routing import tickets
from clp_notifications.tables import MAILS, NOTIFICATIONS
from clp_notifications.unsubscribe_tokens import PersonAndProject, UnsubscribeTokens
from tests.services.notifications.harness import DeliveryHarness, inbound_in
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST

# fmt: off
# how a database, its disk, or a service that has lost its own, fails for a while
ERRORS = [
    OperationalError("select 1", {}, Exception("the connection is lost")),
    InterfaceError("select 1", {}, Exception("the connection is closed")),
    InternalError("update", {}, Exception("a standby server only reads")),
    PoolTimeoutError("no connection of the pool is free"),
    OSError(errno.ENOSPC, "no space left on the device"),
    CallFailed("projects.facts"),
    Refused("service.unavailable"),
    Refused("service.failed", '{"incident": "x"}'),
]
# fmt: on
REFUSED_LOGIN = outcome_of_reply(535, b"5.7.8 wrong password", SmtpStage.AUTH)
BUSY = outcome_of_reply(450, b"4.2.0 try later")
NO_SUCH_PERSON = outcome_of_reply(550, b"5.1.1 no such person")
HELP = "help@studio.example"

errors = pytest.mark.parametrize("error", ERRORS, ids=lambda one: type(one).__name__)
# What fails before the database is asked is the same on each of them.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def attempts(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.sum(MAILS.c.attempts))) or 0


def failing_with(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


class Outage:
    """A database that goes away at a given moment, until a worker has slept."""

    def __init__(self, harness: DeliveryHarness) -> None:
        self._engine = harness.database.engine
        self._sleep = harness.sleep
        self._path = Path(self._engine.url.database or "")
        self._hidden = self._path.with_name("hidden")
        self.begun = 0
        harness.delivery = replace(harness.delivery, sleep=self._sleep_until_back)

    def begin(self) -> None:
        self.begun += 1
        if self._engine.dialect.name == "sqlite":
            self._engine.dispose()
            self._path.rename(self._hidden)
            # A folder of that name is no database.
            self._path.mkdir()
            return
        others = text(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        admin = create_engine(self._engine.url)
        with admin.connect() as connection:
            connection.execute(others)
        admin.dispose()

    def _sleep_until_back(self, seconds: float) -> None:
        if seconds and self._hidden.exists():
            self._path.rmdir()
            self._hidden.rename(self._path)
        self._sleep(seconds)


class TokensWithFault(UnsubscribeTokens):
    """Fails for one person, whoever else is asked for."""

    def of(self, pairs: Iterable[PersonAndProject]) -> Mapping[PersonAndProject, str]:
        wanted = set(pairs)
        if "nat" in {person for person, _ in wanted}:
            raise KeyError("nat")
        return super().of(wanted)


def test_a_database_that_is_away_while_mails_are_rechecked_costs_none(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST)
    harness.route()
    outage = Outage(harness)
    for begun in range(1, 6):
        world.after_each_call = outage.begin
        harness.deliver_once()
        assert outage.begun == begun
        world.after_each_call = lambda: None
        assert harness.states(message) == dict.fromkeys(
            ("nat", "sam"), ("due", "services_unavailable")
        )
        world.clock.forward(seconds=SERVICES_RETRY.total_seconds())
    assert attempts(harness.database) == 0
    assert harness.deliver() == 2
    assert harness.transport.recipients.count("nat@north.example") == 1


@errors
@on_sqlite
def test_whatever_is_away_while_mails_are_rechecked_costs_none(
    harness: DeliveryHarness, world: World, error: Exception
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    for _ in range(4):
        world.at_each_call = failing_with(error)
        harness.deliver_once()
        world.at_each_call = lambda: None
        assert harness.states(message) == {"nat": ("due", "services_unavailable")}
        world.clock.forward(days=1)
    assert attempts(harness.database) == 0
    harness.deliver_once()
    assert harness.states(message) == {"nat": ("sent", "accepted")}


def test_a_database_that_is_away_after_a_refusal_costs_no_attempt(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    outage = Outage(harness)
    harness.transport.before = lambda _mail: outage.begin()
    harness.transport.outcomes = [NO_SUCH_PERSON] * 2
    harness.deliver_once()
    assert harness.states(message) == {"nat": ("due", "services_unavailable")}
    assert attempts(harness.database) == 0
    harness.transport.before = lambda _mail: None
    world.clock.forward(seconds=SERVICES_RETRY.total_seconds())
    harness.deliver_once()
    assert harness.states(message) == {"nat": ("dead", "address_unknown")}


@on_sqlite
def test_a_mail_that_cannot_be_rechecked_holds_up_no_other(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "nia", "sam")
    message = world.post("ivy", BROADCAST)
    harness.route()
    tokens = TokensWithFault(harness.database)
    harness.delivery = replace(harness.delivery, unsubscribe_tokens=tokens)
    harness.deliver_once()
    assert harness.states(message) == {
        "nat": ("due", "fault"),
        "nia": ("sent", "accepted"),
        "sam": ("sent", "accepted"),
    }


@on_sqlite
def test_a_recheck_that_fails_while_a_mail_is_sent_is_no_fault_of_that_mail(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST)
    harness.route()
    calls: list[str] = []

    def fail_at_the_second() -> None:
        calls.append("call")
        if len(calls) == 2:
            raise KeyError("a fault of the program")

    def outlast_the_lease(_mail: OutgoingMail) -> None:
        if len(calls) == 1:
            harness.monotonic.at += harness.delivery.limits.recheck_lease_s

    world.at_each_call = fail_at_the_second
    harness.transport.before = outlast_the_lease
    harness.deliver_once()
    assert len(calls) == 3
    assert harness.states(message) == dict.fromkeys(
        ("nat", "sam"), ("sent", "accepted")
    )


@on_sqlite
def test_a_mail_that_only_a_newer_program_understands_holds_up_no_other(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST)
    harness.route()
    newer = (
        update(NOTIFICATIONS)
        .where(NOTIFICATIONS.c.person == "nat")
        .values(trigger="of_tomorrow")
    )
    with harness.database.writing() as session:
        session.execute(newer)
    harness.deliver_once()
    assert harness.transport.recipients == ["sam@south.example"]
    with harness.database.reading() as session:
        states = select(NOTIFICATIONS.c.state).where(
            NOTIFICATIONS.c.message == message, NOTIFICATIONS.c.person == "nat"
        )
        assert session.scalars(states).all() == ["claimed"]


@on_sqlite
def test_an_outcome_that_cannot_be_written_holds_up_no_other(
    harness: DeliveryHarness, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST)
    harness.route()
    settle = OutcomeWriter._settle

    def fail_for_nat(
        writer: OutcomeWriter, outcomes: list[tuple[Claim, DeliveryOutcome]]
    ) -> None:
        if "nat" in {claim.person for claim, _ in outcomes}:
            raise KeyError("a fault of the program")
        settle(writer, outcomes)

    monkeypatch.setattr(OutcomeWriter, "_settle", fail_for_nat)
    harness.deliver_once()
    assert len(harness.transport.mails) == 2
    assert harness.states(message) == {
        "nat": ("claimed", "claimed"),
        "sam": ("sent", "accepted"),
    }


@on_sqlite
def test_days_in_which_nothing_could_be_sent_make_no_mail_old(
    harness: DeliveryHarness, world: World
) -> None:
    """One attempt on Friday, a wrong password all weekend, one attempt on Monday."""
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    harness.transport.outcomes = [BUSY, REFUSED_LOGIN, BUSY]
    harness.deliver_once()
    world.clock.forward(minutes=1)
    harness.deliver_once()
    assert harness.states(message) == {"nat": ("due", "relay_refused")}
    world.clock.forward(seconds=MAX_AGE.total_seconds())
    harness.deliver_once()
    assert harness.states(message) == {"nat": ("due", "mailbox_busy")}
    assert attempts(harness.database) == 2
    harness.transport.outcomes = [BUSY] * len(DELAYS)
    for _ in DELAYS:
        world.clock.forward(days=1)
        harness.deliver_once()
    assert harness.states(message) == {"nat": ("dead", "expired")}


@errors
@on_sqlite
def test_whatever_is_away_delays_a_ticket_by_seconds(
    harness: DeliveryHarness, world: World, error: Exception
) -> None:
    harness.deps = replace(harness.deps, help_address=HELP)
    harness.delivery = replace(harness.delivery, help_address=parse_mail_address(HELP))
    request = SubmitTicket(key="k1", summary="No sound")
    tickets.submit_ticket(request, actor="nat", deps=harness.deps)
    world.at_each_call = failing_with(error)
    for _ in range(20):
        assert send_tickets(harness.delivery) == 0
        world.clock.forward(seconds=SERVICES_RETRY.total_seconds())
    world.at_each_call = lambda: None
    assert send_tickets(harness.delivery) == 1


@errors
@on_sqlite
def test_whatever_is_away_makes_no_incoming_mail_a_dead_letter(
    harness: DeliveryHarness, tmp_path: Path, error: Exception
) -> None:
    folder = inbound_in(harness, tmp_path / "incoming")
    deliver_to_maildir(b"Subject: hello\r\n\r\nhello\r\n", str(folder))

    def fail(*_: object) -> str:
        raise error

    assert handle_waiting(harness.deps, {**HANDLERS, MailClass.OTHER: fail}) == 0
    maildir = InboundMaildir(str(folder))
    assert (len(maildir.waiting()), len(list(maildir.dead()))) == (1, 0)
    assert handle_waiting(harness.deps) == 1
