"""RPC methods over both brokers: refusals by code, never a stack trace."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData

from clp_chassis.bootstrap import DependenciesProvider, ProcessContext, container_config
from clp_chassis.clock import now
from clp_chassis.events.feed_reader import FeedReader, FeedSubscription
from clp_chassis.events.outbox import Outbox
from clp_chassis.events.outbox_relay import OutboxRelay, RelayConfig
from clp_chassis.events.projections import Cursors, DatabaseProjection
from clp_chassis.messaging import on_broadcast_events
from clp_chassis.persistence.database import Database
from clp_chassis.rpc import CallContext, rpc_method
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
from clp_contracts.client import Clients, connect
from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.events import OF_PROJECTS, PARTNER_CHANGED
from clp_contracts.methods import PassportKind
from tests.support.waiting import until

METADATA = MetaData()
OUTBOX = Outbox(METADATA)
CURSORS = Cursors(METADATA)
KEY = new_key()
ISSUER = Issuer("k", KEY, now)
VERIFIER = Verifier(
    {"k": TrustedKey(KEY.public_key(), frozenset(PassportKind))},
    now,
    audience="projects",
)


class World:
    """The dependencies of the two services below."""

    def __init__(self, folder: Path, clients: Clients) -> None:
        self.database = Database(f"sqlite:///{folder / 'source.db'}")
        self.target = Database(f"sqlite:///{folder / 'reader.db'}")
        for database in (self.database, self.target):
            METADATA.create_all(database.engine)
        self.clients = clients
        self.applied: list[str] = []
        self.broken: set[str] = set()

    def apply(self, _session: Any, changes: tuple[feed.Change, ...], _: Any) -> None:
        for change in changes:
            if change.subject in self.broken:
                raise ValueError("this one never works")
        self.applied += [change.subject for change in changes]

    def reading(self, _container: Any) -> FeedSubscription:
        return FeedSubscription(
            reader="reader",
            source="projects",
            fetch=lambda after: self.clients.projects.changes(after=after),
            projection=DatabaseProjection(
                "reader",
                database=self.target,
                cursors=CURSORS,
                clock=now,
                prepare=lambda changes: None,
                write=self.apply,
            ),
            interval_s=0.2,
        )


def relay_config(container: Any) -> RelayConfig:
    world: World = container.config["clp_dependencies"]
    return RelayConfig("projects", world.database, OUTBOX, now)


def reading_of(container: Any) -> FeedSubscription:
    reading: FeedSubscription = container.config["clp_dependencies"].reading(container)
    return reading


class Source:
    name = "projects"
    deps = DependenciesProvider()
    call_info = CallContext()
    relay = OutboxRelay(relay_config)

    @rpc_method(contract.PUT_PARTNER, subjects=("directory",))
    def put_partner(
        self, request: contract.PutPartner, passport: Passport
    ) -> contract.Stored:
        if request.id == "bug":
            raise RuntimeError("nobody foresaw this")
        with self.deps.database.writing() as session:
            OUTBOX.append(
                session,
                event_type=PARTNER_CHANGED,
                subject=request.id,
                project="",
                at=now(),
            )
        return contract.Stored(id=request.id, changed=True)

    @rpc_method(contract.CHANGES, subjects=("reader",))
    def changes(self, request: feed.ReadChanges, passport: Passport) -> feed.Changes:
        with self.deps.database.reading() as session:
            return OUTBOX.after(session, request)


class Reader:
    name = "reader"
    reader = FeedReader(reading_of)

    @on_broadcast_events("projects", *OF_PROJECTS)
    def on_change(self, _body: Any) -> None:
        self.reader.wake()


@pytest.fixture
def world(tmp_path: Path, broker_url: str) -> Iterator[World]:
    with connect(broker_url, ISSUER.for_service("reader"), timeout=5) as clients:
        made = World(tmp_path, clients)
        yield made
        made.database.close()
        made.target.close()


@pytest.fixture
def running(broker_url: str, world: World) -> Iterator[ContainerGroup]:
    context = ProcessContext(broker_url, VERIFIER, ISSUER.for_service("x"))
    config = container_config(context, world)
    group = ContainerGroup([(Reader, config), (Source, config)])
    group.start()
    yield group
    group.stop()


@pytest.fixture
def directory(broker_url: str, running: ContainerGroup) -> Iterator[Clients]:
    with connect(broker_url, ISSUER.for_service("directory"), timeout=5) as clients:
        yield clients


def put(clients: Clients, name: str) -> None:
    clients.projects.put_partner(id=name, name=name)


def test_a_committed_change_reaches_the_reader(
    directory: Clients, world: World
) -> None:
    for name in ("a", "b", "c"):
        put(directory, name)
    until(lambda: world.applied == ["a", "b", "c"])


def test_a_change_that_always_fails_becomes_a_dead_letter_and_the_rest_go_on(
    directory: Clients, world: World
) -> None:
    world.broken.add("b")
    for name in ("a", "b", "c"):
        put(directory, name)
    until(lambda: world.applied == ["a", "c"], seconds=20)
    with world.target.reading() as session:
        (dead,) = session.execute(CURSORS.dead_letters.select()).all()
    assert (dead.subject, dead.error) == ("b", "ValueError"), "named and not quoted"


def test_a_bug_is_an_incident_and_no_stack_trace(directory: Clients) -> None:
    with pytest.raises(Refused) as refused:
        put(directory, "bug")
    assert refused.value.code == "service.failed"
    assert list(refused.value.detail) == ["incident"]


MALFORMED: list[tuple[str, Callable[[Any], Any], str]] = [
    (
        "a number for an id",
        lambda c: c.put_partner(id=3, name="x"),
        "request.malformed",
    ),
]


@pytest.mark.parametrize(
    ("call", "code"), [pytest.param(*row[1:], id=row[0]) for row in MALFORMED]
)
def test_a_malformed_call_is_refused(
    directory: Clients, call: Callable[[Any], Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        call(directory.projects)
    assert refused.value.code == code


# Named as parameters of functions on the way of a call.
@pytest.mark.parametrize("argument", ["service", "self", "request", "extra"])
def test_an_argument_of_any_name_is_refused_by_a_code(
    broker_url: str, running: ContainerGroup, argument: str
) -> None:
    token = ISSUER.for_service("directory")("projects")
    pool = RpcConnectionPool(broker_url, 5)
    with closing(pool), pytest.raises(Refused) as refused:
        pool.call(
            "projects",
            "put_partner",
            {"id": "a", "name": "A", argument: "x"},
            context={"auth_token": token},
        )
    assert refused.value.code == "request.malformed"
    assert list(refused.value.detail["fields"]) == [argument]


@pytest.mark.parametrize("token", ["", "not a passport"])
def test_without_a_good_passport_nothing_is_done(
    broker_url: str, world: World, running: ContainerGroup, token: str
) -> None:
    with (
        connect(broker_url, token, timeout=5) as stranger,
        pytest.raises(Refused, match="passport"),
    ):
        put(stranger, "a")
    with world.database.reading() as session:
        assert OUTBOX.pending(session) == 0


def test_the_log_names_the_refusal_and_not_the_request(
    broker_url: str, running: ContainerGroup, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with (
        connect(broker_url, "planted", timeout=5) as stranger,
        pytest.raises(Refused),
    ):
        put(stranger, "planted")
    # The typed client would refuse this value before it is sent.
    context = {"auth_token": ISSUER.for_service("directory")("projects")}
    pool = RpcConnectionPool(broker_url, timeout=5)
    with closing(pool), pytest.raises(Refused):
        pool.call(
            "projects", "put_partner", {"id": 3, "name": "planted"}, context=context
        )

    logged = [
        (r.levelname, r.getMessage()) for r in caplog.records if "refused" in r.msg
    ]
    assert logged == [
        ("WARNING", "projects.put_partner refused: passport.refused"),
        ("INFO", "projects.put_partner refused: request.malformed"),
    ]
    assert "planted" not in caplog.text


def test_a_service_that_does_not_run_is_a_failed_call(directory: Clients) -> None:
    with pytest.raises(CallFailed, match="no such service"):
        directory.search.status()


def test_an_unknown_method_is_refused_by_its_name(directory: Clients) -> None:
    with pytest.raises(Refused) as caught:
        directory.projects.my_projects()
    assert caught.value.code == "method.missing"
    assert caught.value.detail == {"method": "projects.my_projects"}


def test_clients_may_be_shared_by_threads(directory: Clients, world: World) -> None:
    threads = [
        threading.Thread(target=put, args=(directory, f"n{n}")) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(world.applied) == 20)
    assert set(world.applied) == {f"n{n}" for n in range(20)}


def test_t25_a_service_calls_only_the_methods_that_name_it(
    broker_url: str, world: World, running: ContainerGroup
) -> None:
    """Whoever reaches the queue by a way that no permission covers is refused."""
    reader = ISSUER.for_service("reader")
    with connect(broker_url, reader, timeout=5) as clients:
        clients.projects.changes()
        with pytest.raises(Refused) as refused:
            clients.projects.put_partner(id="p", name="P")
    assert refused.value.code == "passport.wrong_kind"
    assert refused.value.detail == {"kinds": ["service"], "services": ["directory"]}
    with world.database.reading() as session:
        assert OUTBOX.pending(session) == 0


@pytest.mark.parametrize(
    ("method", "subjects"),
    [(contract.CHANGES, ()), (contract.FOLLOW, ("reader",))],
    ids=["services, none named", "no services, some named"],
)
def test_a_method_names_the_services_that_may_call_it(
    method: Any, subjects: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match=method.name):
        rpc_method(method, subjects=subjects)
