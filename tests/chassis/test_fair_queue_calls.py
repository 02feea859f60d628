"""Over both brokers: a person who calls without a pause delays nobody else."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import eventlet
import pytest
from eventlet.event import Event

from clp_chassis.bootstrap import DependenciesProvider, ProcessContext, container_config
from clp_chassis.clock import now
from clp_chassis.concurrency.fair_queue import (
    MAX_RUNNING_PER_CALLER,
    MAX_RUNNING_PER_GROUP,
)
from clp_chassis.concurrency.rate_limiter import MAX_DELAY_S, RateLimit
from clp_chassis.rpc import CallContext, rpc_method
from clp_chassis.runner import ContainerGroup
from clp_chassis.security.passports import (
    Issuer,
    Passport,
    TrustedKey,
    Verifier,
    new_key,
)
from clp_contracts import projects as contract
from clp_contracts.client import Clients, connect
from clp_contracts.errors import Refused
from clp_contracts.methods import PassportKind
from clp_contracts.serialization import Empty
from tests.support.waiting import until

KEY = new_key()
ISSUER = Issuer("k", KEY, now)
VERIFIER = Verifier(
    {"k": TrustedKey(KEY.public_key(), frozenset(PassportKind))},
    now,
    audience="projects",
)
# Requests of an earlier test may still be in the queue: its busy people are others.
_numbers = itertools.count(1)
LIMIT = RateLimit(burst=20, per_second=10)
ALLOWED = int(LIMIT.burst + MAX_DELAY_S * LIMIT.per_second)


class Gate:
    """Calls of busy people and of services run until the gate opens."""

    def __init__(self) -> None:
        self.busy = f"busy.{next(_numbers)}."
        self.running: list[str] = []
        self.opened = Event()

    def pass_through(self, caller: str) -> None:
        if caller.startswith(self.busy) or caller == "search":
            self.running.append(caller)
            self.opened.wait()


class Projects:
    name = "projects"
    deps = DependenciesProvider()
    call_info = CallContext(lambda _, person: person.partition("-")[0])

    @rpc_method(contract.MY_PROJECTS)
    def my_projects(self, _: Empty, passport: Passport) -> contract.MyProjects:
        self.deps.pass_through(passport.subject)
        return contract.MyProjects(projects=())

    @rpc_method(contract.FACTS, subjects=("search",))
    def facts(self, _: contract.GetFacts, passport: Passport) -> contract.Facts:
        self.deps.pass_through(passport.subject)
        return contract.Facts(projects=(), people=())


@pytest.fixture
def gate(broker_url: str) -> Iterator[Gate]:
    made = Gate()
    context = ProcessContext(
        broker_url, VERIFIER, ISSUER.for_service("projects"), rate_limit=LIMIT
    )
    group = ContainerGroup([(Projects, container_config(context, made))])
    group.start()
    yield made
    made.opened.ready() or made.opened.send()
    group.stop()


Connect = Callable[[str, PassportKind], Clients]


@pytest.fixture
def connected_as(broker_url: str) -> Iterator[Connect]:
    opened: list[Clients] = []

    def connected(subject: str, kind: PassportKind = PassportKind.PERSON) -> Clients:
        passport = ISSUER.source(subject, kind)
        opened.append(connect(broker_url, passport, timeout=10))
        return opened[-1]

    yield connected
    for one in opened:
        one.close()


def call_often(call: Callable[[], Any], times: int) -> list[str]:
    """Call in as many green threads; return the codes of refusals as they come."""
    codes: list[str] = []

    def once() -> None:
        try:
            call()
        except Refused as refused:
            codes.append(refused.code)

    for _ in range(times):
        eventlet.spawn(once)
    return codes


def test_a_person_who_calls_without_a_pause_delays_nobody_else(
    gate: Gate, connected_as: Any
) -> None:
    call_often(connected_as(gate.busy).projects.my_projects, 30)
    until(lambda: len(gate.running) == MAX_RUNNING_PER_CALLER)
    quiet = connected_as("quiet")
    with eventlet.Timeout(5):
        for _ in range(5):
            assert quiet.projects.my_projects().projects == ()
    assert len(gate.running) == MAX_RUNNING_PER_CALLER
    gate.opened.send()
    until(lambda: len(gate.running) == 30)


def test_t23_the_people_of_one_partner_leave_slots_to_others(
    gate: Gate, connected_as: Any
) -> None:
    for person in range(8):
        call_often(connected_as(f"{gate.busy}-{person}").projects.my_projects, 4)
    until(lambda: len(gate.running) == MAX_RUNNING_PER_GROUP, 60)
    with eventlet.Timeout(30):
        for _ in range(5):
            assert connected_as("quiet-1").projects.my_projects().projects == ()
    assert len(gate.running) == MAX_RUNNING_PER_GROUP
    gate.opened.send()
    until(lambda: len(gate.running) == 32, 60)


def test_a_person_beyond_the_rate_limit_is_refused_and_nobody_else_is(
    gate: Gate, connected_as: Any
) -> None:
    # On a busy machine the calls arrive over seconds, and some are allowed meanwhile.
    codes = call_often(connected_as(gate.busy).projects.my_projects, ALLOWED * 3)
    until(lambda: len(codes) >= 3)
    assert set(codes) == {"calls.too_many"}
    with eventlet.Timeout(5):
        assert connected_as("quiet").projects.my_projects().projects == ()


def test_a_service_has_no_limit_of_a_person(gate: Gate, connected_as: Any) -> None:
    call_often(
        connected_as("search", PassportKind.SERVICE).projects.facts,
        2 * MAX_RUNNING_PER_CALLER,
    )
    until(lambda: len(gate.running) == 2 * MAX_RUNNING_PER_CALLER)
