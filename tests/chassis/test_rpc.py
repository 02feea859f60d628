"""A served method: refused by value, never a stack trace, over both brokers."""

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData

from clp_chassis.bootstrap import Parts, Surroundings, configured
from clp_chassis.clock import now
from clp_chassis.events.feed_reader import FeedReader, Reading
from clp_chassis.events.outbox import Outbox
from clp_chassis.events.outbox_relay import Relay, RelayDesk
from clp_chassis.events.projections import Cursors, DatabaseProjection
from clp_chassis.messaging import on_events_everywhere
from clp_chassis.persistence.database import Database
from clp_chassis.rpc import CallContext, serves
from clp_chassis.runner import ContainerGroup
from clp_chassis.security.passports import (
    Issuer,
    Passport,
    TrustedKey,
    Verifier,
    new_key,
)
from clp_contracts import feed
from clp_contracts import projects as contract
from clp_contracts.client import Callers, connect
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.events import OF_PROJECTS, PARTNER_CHANGED
from clp_contracts.methods import PassportKind
from tests.waiting import until

METADATA = MetaData()
OUTBOX = Outbox(METADATA)
CURSORS = Cursors(METADATA)
KEY = new_key()
ISSUER = Issuer("k", KEY, now)
VERIFIER = Verifier({"k": TrustedKey(KEY.public_key(), frozenset(PassportKind))}, now)


class Desk:
    """What the two services below work with."""

    def __init__(self, folder: Path, callers: Callers) -> None:
        self.database = Database(f"sqlite:///{folder / 'source.db'}")
        self.target = Database(f"sqlite:///{folder / 'reader.db'}")
        for database in (self.database, self.target):
            METADATA.create_all(database.engine)
        self.callers = callers
        self.applied: list[str] = []
        self.poison: set[str] = set()

    def apply(self, _session: Any, changes: tuple[feed.Change, ...], _: Any) -> None:
        for change in changes:
            if change.subject in self.poison:
                raise ValueError("this one never works")
        self.applied += [change.subject for change in changes]

    def reading(self, _container: Any) -> Reading:
        return Reading(
            reader="reader",
            source="projects",
            fetch=lambda after: self.callers.projects.changes(after=after),
            projection=DatabaseProjection(
                "reader",
                (self.target, CURSORS, now),
                prepare=lambda changes: None,
                write=self.apply,
            ),
            every_s=0.2,
        )


def relay_desk(container: Any) -> RelayDesk:
    desk: Desk = container.config["clp_parts"]
    return RelayDesk("projects", desk.database, OUTBOX, now)


def reading_of(container: Any) -> Reading:
    reading: Reading = container.config["clp_parts"].reading(container)
    return reading


class Source:
    name = "projects"
    parts = Parts()
    call_facts = CallContext()
    relay = Relay(relay_desk)

    @serves(contract.PUT_PARTNER)
    def put_partner(
        self, ask: contract.PutPartner, passport: Passport
    ) -> contract.Stored:
        if ask.id == "bug":
            raise RuntimeError("nobody foresaw this")
        with self.parts.database.writing() as session:
            OUTBOX.append(session, (PARTNER_CHANGED, ask.id, ""), at=now())
        return contract.Stored(id=ask.id, changed=True)

    @serves(contract.CHANGES)
    def changes(self, ask: feed.ReadChanges, passport: Passport) -> feed.Changes:
        with self.parts.database.reading() as session:
            return OUTBOX.after(session, ask)


class Reader:
    name = "reader"
    reader = FeedReader(reading_of)

    @on_events_everywhere("projects", *OF_PROJECTS)
    def on_change(self, _body: Any) -> None:
        self.reader.wake()


@pytest.fixture
def desk(tmp_path: Path, broker_url: str) -> Iterator[Desk]:
    callers = connect(broker_url, ISSUER.for_service("reader"), timeout=5)
    yield Desk(tmp_path, callers)
    callers.close()


@pytest.fixture
def running(broker_url: str, desk: Desk) -> Iterator[ContainerGroup]:
    surroundings = Surroundings(broker_url, VERIFIER, ISSUER.for_service("x"))
    config = configured(surroundings, desk)
    group = ContainerGroup([(Reader, config), (Source, config)])
    group.start()
    yield group
    group.stop()


@pytest.fixture
def directory(broker_url: str, running: ContainerGroup) -> Iterator[Callers]:
    callers = connect(broker_url, ISSUER.for_service("directory"), timeout=5)
    yield callers
    callers.close()


def put(callers: Callers, name: str) -> None:
    callers.projects.put_partner(id=name, name=name)


def test_a_committed_change_reaches_the_reader(directory: Callers, desk: Desk) -> None:
    for name in ("a", "b", "c"):
        put(directory, name)
    until(lambda: desk.applied == ["a", "b", "c"])


def test_a_change_that_never_works_is_set_aside_and_the_rest_go_on(
    directory: Callers, desk: Desk
) -> None:
    desk.poison.add("b")
    for name in ("a", "b", "c"):
        put(directory, name)
    until(lambda: desk.applied == ["a", "c"], seconds=20)
    with desk.target.reading() as session:
        (dead,) = session.execute(CURSORS.dead_letters.select()).all()
    assert (dead.subject, dead.error) == ("b", "ValueError"), "named and not quoted"


def test_a_bug_is_an_incident_and_no_stack_trace(directory: Callers) -> None:
    with pytest.raises(Refused) as refused:
        put(directory, "bug")
    assert refused.value.code == "service.failed"
    assert list(refused.value.detail) == ["incident"]


MALFORMED: list[tuple[str, Callable[[Any], Any], str]] = [
    ("a number for an id", lambda c: c.put_partner(id=3, name="x"), "ask.malformed"),
]


@pytest.mark.parametrize(
    ("call", "code"), [pytest.param(*row[1:], id=row[0]) for row in MALFORMED]
)
def test_a_malformed_call_is_refused(
    directory: Callers, call: Callable[[Any], Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        call(directory.projects)
    assert refused.value.code == code


@pytest.mark.parametrize("token", ["", "not a passport"])
def test_without_a_good_passport_nothing_is_done(
    broker_url: str, desk: Desk, running: ContainerGroup, token: str
) -> None:
    with (
        connect(broker_url, token, timeout=5) as stranger,
        pytest.raises(Refused, match="passport"),
    ):
        put(stranger, "a")
    with desk.database.reading() as session:
        assert OUTBOX.pending(session) == 0


def test_who_is_refused_is_in_the_log_and_what_was_asked_is_not(
    broker_url: str, directory: Callers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with (
        connect(broker_url, "planted", timeout=5) as stranger,
        pytest.raises(Refused),
    ):
        put(stranger, "planted")
    with pytest.raises(Refused):
        directory.projects.put_partner(id=3, name="planted")  # type: ignore[arg-type]

    told = [(r.levelname, r.getMessage()) for r in caplog.records if "refused" in r.msg]
    assert told == [
        ("WARNING", "projects.put_partner refused: passport.refused"),
        ("INFO", "projects.put_partner refused: ask.malformed"),
    ]
    assert "planted" not in caplog.text


def test_a_service_that_does_not_run_is_a_failed_call(directory: Callers) -> None:
    with pytest.raises(CallFailed, match="no such service"):
        directory.search.status()


def test_an_unknown_method_is_a_failed_call(directory: Callers) -> None:
    with pytest.raises(CallFailed, match="MethodNotFound"):
        directory.projects.my_projects()


def test_callers_may_be_shared_by_threads(directory: Callers, desk: Desk) -> None:
    threads = [
        threading.Thread(target=put, args=(directory, f"n{n}")) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(desk.applied) == 20)
    assert set(desk.applied) == {f"n{n}" for n in range(20)}
