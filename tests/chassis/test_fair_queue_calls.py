"""Over both brokers: a person who never stops calling keeps nobody else waiting."""

from collections.abc import Callable, Iterator
from typing import Any

import eventlet
import pytest
from eventlet.event import Event

from clp_chassis.bootstrap import Parts, Surroundings, configured
from clp_chassis.clock import now
from clp_chassis.concurrency.fair_queue import MOST_WAITING, OF_ONE
from clp_chassis.rpc import CallContext, serves
from clp_chassis.runner import ContainerGroup
from clp_chassis.security.passports import (
    Issuer,
    Passport,
    TrustedKey,
    Verifier,
    new_key,
)
from clp_contracts import projects as contract
from clp_contracts.client import Callers, connect
from clp_contracts.errors import Refused
from clp_contracts.methods import PassportKind
from clp_contracts.serialization import Nothing
from tests.waiting import until

KEY = new_key()
ISSUER = Issuer("k", KEY, now)
VERIFIER = Verifier({"k": TrustedKey(KEY.public_key(), frozenset(PassportKind))}, now)
BUSY = "busy"


class Desk:
    """Calls of the busy one and of services end when they are told to."""

    def __init__(self) -> None:
        self.under_way: list[str] = []
        self.opened = Event()

    def answer(self, who: str) -> None:
        if who in (BUSY, "search"):
            self.under_way.append(who)
            self.opened.wait()


class Projects:
    name = "projects"
    parts = Parts()
    call_facts = CallContext()

    @serves(contract.MY_PROJECTS)
    def my_projects(self, _: Nothing, passport: Passport) -> contract.MyProjects:
        self.parts.answer(passport.subject)
        return contract.MyProjects(projects=())

    @serves(contract.FACTS)
    def facts(self, _: contract.AskFacts, passport: Passport) -> contract.Facts:
        self.parts.answer(passport.subject)
        return contract.Facts(projects=(), people=())


@pytest.fixture
def desk(broker_url: str) -> Iterator[Desk]:
    made = Desk()
    surroundings = Surroundings(broker_url, VERIFIER, ISSUER.for_service("projects"))
    group = ContainerGroup([(Projects, configured(surroundings, made))])
    group.start()
    yield made
    made.opened.ready() or made.opened.send()
    group.stop()


Connect = Callable[[str, PassportKind], Callers]


@pytest.fixture
def caller(broker_url: str) -> Iterator[Connect]:
    opened: list[Callers] = []

    def connected(who: str, kind: PassportKind = PassportKind.PERSON) -> Callers:
        passport = ISSUER.issue(who, kind)
        opened.append(connect(broker_url, passport, timeout=10))
        return opened[-1]

    yield connected
    for one in opened:
        one.close()


def ask_often(ask: Callable[[], Any], times: int) -> list[str]:
    """Ask in as many green threads; gives the codes of refusals as they come."""
    codes: list[str] = []

    def once() -> None:
        try:
            ask()
        except Refused as refused:
            codes.append(refused.code)

    for _ in range(times):
        eventlet.spawn(once)
    return codes


def test_a_person_who_calls_without_a_pause_keeps_nobody_waiting(
    desk: Desk, caller: Any
) -> None:
    ask_often(caller(BUSY).projects.my_projects, 30)
    until(lambda: len(desk.under_way) == OF_ONE)
    quiet = caller("quiet")
    with eventlet.Timeout(5):
        for _ in range(5):
            assert quiet.projects.my_projects().projects == ()
    assert len(desk.under_way) == OF_ONE
    desk.opened.send()
    until(lambda: len(desk.under_way) == 30)


def test_who_has_too_many_calls_waiting_is_told_so_and_nobody_else_is(
    desk: Desk, caller: Any
) -> None:
    codes = ask_often(caller(BUSY).projects.my_projects, OF_ONE + MOST_WAITING + 3)
    until(lambda: len(codes) == 3)
    assert set(codes) == {"calls.too_many"}
    with eventlet.Timeout(5):
        assert caller("quiet").projects.my_projects().projects == ()


def test_a_service_works_for_everybody_and_waits_for_no_turn(
    desk: Desk, caller: Any
) -> None:
    ask_often(caller("search", PassportKind.SERVICE).projects.facts, 2 * OF_ONE)
    until(lambda: len(desk.under_way) == 2 * OF_ONE)
