"""A recheck is valid for its lease; then it is renewed."""

import threading

import pytest

from clp_contracts.errors import Refused
from clp_notifications.delivery.claims import Claim, claim_due
from clp_notifications.delivery.eligibility import EligibilityChecker
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.states import MailMode
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST


def twenty_are_due(harness: DeliveryHarness, world: World) -> None:
    world.follow("nat", "nia", "sam", "sol")
    for _ in range(5):
        world.post("ivy", BROADCAST)
    harness.route()


@pytest.mark.parametrize("seconds", [0.15, 0.3, 1.0])
def test_slow_services_delay_a_mail_and_do_not_stop_it(
    harness: DeliveryHarness, world: World, seconds: float
) -> None:
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST)
    harness.route()
    world.at_each_call = lambda: harness.sleep(seconds)

    assert harness.deliver() == 2
    assert harness.states(message) == dict.fromkeys(
        ("nat", "sam"), ("sent", "accepted")
    )


def test_a_recheck_is_valid_until_its_lease_ends(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    calls_seen: list[str] = []

    def answered_late() -> None:
        """The response is on its way when access ends, and late when it arrives."""
        calls_seen.append("call")
        if len(calls_seen) == 1:
            world.withdraw("north")
            harness.sleep(harness.delivery.limits.recheck_lease_s)

    world.after_each_call = answered_late
    harness.deliver()

    assert harness.transport.mails == []
    assert harness.states(message) == {"nat": ("suppressed", "no_access")}


def test_slow_services_get_one_more_recheck_and_not_one_per_mail(
    harness: DeliveryHarness, world: World
) -> None:
    twenty_are_due(harness, world)
    calls: list[float] = []

    def slow() -> None:
        calls.append(0.6)
        harness.sleep(0.6)

    world.at_each_call = slow
    assert harness.deliver() == 20
    assert len(harness.transport.mails) == 20
    # The first response is late; the second is valid for all.
    assert len(calls) == 2


def test_a_refused_recheck_delays_mails_and_costs_none(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    calls: list[str] = []

    def refused_when_slow() -> None:
        calls.append("call")
        harness.sleep(0.6)
        if len(calls) > 1:
            raise Refused("calls.too_many")

    world.at_each_call = refused_when_slow
    harness.deliver_once()
    assert harness.transport.mails == []
    # The first recheck, one renewal, and one for the requeued mail.
    assert len(calls) == 3
    world.at_each_call = lambda: None
    world.clock.forward(seconds=3)
    harness.deliver()
    assert harness.states(message) == {"nat": ("sent", "accepted")}


def test_mails_that_outlast_a_lease_are_rechecked_and_not_composed_again(
    harness: DeliveryHarness, world: World
) -> None:
    twenty_are_due(harness, world)
    composed: list[str] = []
    calls: list[int] = []
    world.at_each_call = lambda: calls.append(len(composed))

    def slowly(mail: OutgoingMail) -> None:
        composed.append(mail.id)
        harness.sleep(harness.delivery.limits.recheck_lease_s * 0.6)

    harness.transport.before = slowly
    assert harness.deliver() == 20
    assert len(harness.transport.mails) == len(composed) == 20
    # Once for all of them, and again after every second mail.
    assert calls == [*range(0, 21, 2)]


def test_services_that_fail_while_sending_are_not_called_per_mail(
    harness: DeliveryHarness, world: World
) -> None:
    twenty_are_due(harness, world)
    calls: list[int] = []
    world.at_each_call = lambda: calls.append(len(harness.transport.mails))

    def away_after_three(_mail: OutgoingMail) -> None:
        if len(harness.transport.mails) == 3:
            world.is_down = True
            harness.monotonic.at += harness.delivery.limits.recheck_lease_s

    harness.transport.before = away_after_three
    harness.deliver_once()
    assert len(harness.transport.mails) == 3
    # One for all of them, one renewal for the rest, and one after the requeue.
    assert calls == [0, 3, 3]

    world.is_down = False
    harness.transport.before = lambda _mail: None
    world.clock.forward(seconds=3)
    harness.deliver()
    assert len(harness.transport.mails) == 20


def test_a_mail_that_changes_while_it_waits_is_composed_again(
    harness: DeliveryHarness, world: World
) -> None:
    harness.window(60)
    world.follow("nat")
    gone, kept = (world.post("ivy", BROADCAST, text) for text in ("gone", "kept"))
    harness.route()
    world.delete(gone)
    world.clock.forward(seconds=60)
    tries: list[bytes] = []

    def edited_meanwhile(mail: OutgoingMail) -> None:
        tries.append(mail.data)
        if len(tries) == 1:
            world.edit(kept, mentions=(), text="kept, and edited")
            harness.monotonic.at += harness.delivery.limits.recheck_lease_s

    harness.transport.before = edited_meanwhile
    harness.deliver()
    assert [b"edited" in data for data in tries] == [False, True]
    assert [mail.data for mail in harness.transport.mails] == tries[1:]
    assert harness.states(gone) == {"nat": ("suppressed", "deleted")}
    assert harness.states(kept) == {"nat": ("sent", "accepted")}


def test_turning_mail_off_while_mails_are_sent_stops_the_rest(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    messages = [world.post("ivy", BROADCAST) for _ in range(3)]
    harness.route()

    def turned_off(_mail: OutgoingMail) -> None:
        if not harness.transport.mails:
            harness.set_mode("nat", MailMode.OFF)
        harness.monotonic.at += harness.delivery.limits.recheck_lease_s

    harness.transport.before = turned_off
    harness.deliver()
    assert harness.transport.mails == []
    assert {harness.states(one)["nat"] for one in messages} == {
        ("suppressed", "mail_off")
    }


def test_connections_that_see_an_expired_lease_renew_it_with_one_call(
    harness: DeliveryHarness, world: World
) -> None:
    twenty_are_due(harness, world)
    claims = claim_due(harness.delivery)
    checker = EligibilityChecker(harness.delivery)
    results = checker.check(claims)
    harness.monotonic.at += harness.delivery.limits.recheck_lease_s
    calls: list[str] = []
    world.at_each_call = lambda: calls.append("call")
    start = threading.Barrier(4)
    current: list[bool] = []

    def connection(claim: Claim) -> None:
        start.wait()
        current.append(checker.is_current(claim, results[claim.mail]))

    threads = [threading.Thread(target=connection, args=(one,)) for one in claims[:4]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert current == [True] * 4
    assert calls == ["call"]
