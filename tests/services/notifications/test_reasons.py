"""One scenario for each reason of a transition."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from clp_contracts.notifications import Redrive
from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.claims import claim_due, sweep_expired
from clp_notifications.delivery.outcomes import MAX_AGE
from clp_notifications.delivery.smtp_replies import (
    NO_SMTPUTF8,
    RELAY_UNAVAILABLE,
    outcome_of_reply,
)
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.routing.failed_notifications import redrive
from clp_notifications.states import MailMode
from clp_notifications.transitions import suppress
from tests.services.notifications.bounce_reports import complaint
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.test_bounces import dsn, take
from tests.support.sample_world import BROADCAST

Story = Callable[[DeliveryHarness, str], None]
BUSY = outcome_of_reply(450, b"4.2.0 try later")


def mailed(harness: DeliveryHarness, _message: str) -> None:
    harness.deliver()


def with_outcomes(code: int, text: bytes) -> Story:
    def scenario(harness: DeliveryHarness, _message: str) -> None:
        harness.transport.outcomes = [outcome_of_reply(code, text)]
        harness.deliver()

    return scenario


def changed(**facts: object) -> Story:
    def scenario(harness: DeliveryHarness, _message: str) -> None:
        harness.world.change_person("nat", **facts)
        harness.deliver()

    return scenario


def claimed(harness: DeliveryHarness, _message: str) -> None:
    claim_due(harness.delivery)


def abandoned(harness: DeliveryHarness, _message: str) -> None:
    claim_due(harness.delivery)
    harness.world.clock.forward(
        seconds=harness.delivery.limits.lease.total_seconds() + 1
    )
    sweep_expired(harness.delivery)


def released(harness: DeliveryHarness, _message: str) -> None:
    deliver(harness.delivery, claim_due(harness.delivery), lambda: True)


def came_back(status: str) -> Story:
    def scenario(harness: DeliveryHarness, _message: str) -> None:
        harness.deliver()
        (mail,) = harness.transport.mails
        take(harness, dsn(mail.sender, status=status))

    return scenario


def complained(harness: DeliveryHarness, _message: str) -> None:
    harness.deliver()
    (mail,) = harness.transport.mails
    take(harness, complaint(mail.sender))


def sent_again(harness: DeliveryHarness, message: str) -> None:
    with_outcomes(550, b"5.6.0 no")(harness, message)
    redrive(Redrive(), deps=harness.deps)


def tried_without_services(harness: DeliveryHarness, _message: str) -> None:
    harness.world.is_down = True
    harness.deliver()
    harness.world.is_down = False


def relay_unavailable(harness: DeliveryHarness, _message: str) -> None:
    harness.transport.outcomes = [RELAY_UNAVAILABLE]
    harness.deliver()


def relay_without_smtputf8(harness: DeliveryHarness, _message: str) -> None:
    harness.transport.outcomes = [NO_SMTPUTF8]
    harness.deliver()


def failed(harness: DeliveryHarness, _message: str) -> None:
    def fail(_mail: OutgoingMail) -> None:
        raise RuntimeError("a fault of the program")

    harness.transport.before = fail
    harness.deliver()


def deleted(harness: DeliveryHarness, message: str) -> None:
    harness.world.delete(message)
    harness.deliver()


def mention_removed(harness: DeliveryHarness, _message: str) -> None:
    mentions = harness.world.post("ivy", BROADCAST, mentions=["nat"])
    harness.route()
    harness.world.edit(mentions, mentions=[])
    harness.deliver()


def mentioned_again(harness: DeliveryHarness, message: str) -> None:
    mention_removed(harness, message)
    mentions = list(harness.world.messages)[-1]
    harness.world.edit(mentions, mentions=["nat"])
    harness.route()


def unfollowed(harness: DeliveryHarness, _message: str) -> None:
    harness.world.unfollow("nat")
    harness.deliver()


def read(harness: DeliveryHarness, _message: str) -> None:
    harness.world.read("nat", BROADCAST)
    harness.deliver()


def turned_off(harness: DeliveryHarness, _message: str) -> None:
    harness.set_mode("nat", MailMode.OFF)
    harness.deliver()


def mentioned_no_more(harness: DeliveryHarness, _message: str) -> None:
    message = harness.world.post("ivy", BROADCAST, mentions=["nat"])
    harness.route()
    harness.world.edit(message, mentions=[])
    harness.route()


def suppressed_address(harness: DeliveryHarness, _message: str) -> None:
    with harness.database.writing() as session:
        suppress(
            session,
            "nat@north.example",
            mail="m",
            reason=TransitionReason.ADDRESS_UNKNOWN,
            at=harness.world.clock(),
        )
    harness.deliver()


def tried_for_three_days(harness: DeliveryHarness, _message: str) -> None:
    end = harness.world.clock() + MAX_AGE + timedelta(hours=1)
    while harness.world.clock() < end:
        harness.transport.outcomes = [BUSY]
        harness.deliver()
        harness.world.clock.forward(hours=2)


# fmt: off
STORIES: dict[TransitionReason, Story] = {
    TransitionReason.ROUTED:             lambda harness, _message: None,
    TransitionReason.CLAIMED:            claimed,
    TransitionReason.ACCEPTED:           mailed,
    TransitionReason.REDRIVEN:           sent_again,
    TransitionReason.MENTIONED:          mentioned_again,
    TransitionReason.REROUTED:           mentioned_no_more,
    TransitionReason.LEASE_EXPIRED:      abandoned,
    TransitionReason.RELEASED:         released,
    TransitionReason.SERVICES_UNAVAILABLE:      tried_without_services,
    TransitionReason.RELAY_UNAVAILABLE:         relay_unavailable,
    TransitionReason.RELAY_BUSY:         with_outcomes(454, b"4.7.0 throttled"),
    TransitionReason.RELAY_REFUSED:      with_outcomes(535, b"5.7.8 wrong password"),
    TransitionReason.MAILBOX_BUSY:       with_outcomes(452, b"4.2.2 full"),
    TransitionReason.FAULT:              failed,
    TransitionReason.NO_ACCESS:          changed(active=False),
    TransitionReason.DELETED:            deleted,
    TransitionReason.MENTION_REMOVED:    mention_removed,
    TransitionReason.UNFOLLOWED:         unfollowed,
    TransitionReason.READ:               read,
    TransitionReason.MAIL_OFF:           turned_off,
    TransitionReason.ADDRESS_MALFORMED:  changed(email="nat@north.example>"),
    TransitionReason.UNDELIVERABLE:      changed(email="nat@nowhere.invalid"),
    TransitionReason.ADDRESS_SUPPRESSED: suppressed_address,
    TransitionReason.NO_SMTPUTF8:        relay_without_smtputf8,
    TransitionReason.ADDRESS_UNKNOWN:    with_outcomes(550, b"5.1.1 no such mailbox"),
    TransitionReason.REFUSED:            with_outcomes(554, b"5.6.0 no"),
    TransitionReason.TOO_BIG:            with_outcomes(552, b"5.3.4 too big"),
    TransitionReason.POLICY:             with_outcomes(550, b"5.7.1 not from you"),
    TransitionReason.BOUNCED:            came_back("5.1.1"),
    TransitionReason.MAIL_BOUNCED:       came_back("5.6.0"),
    TransitionReason.COMPLAINED:         complained,
    TransitionReason.BOUNCED_FOR_NOW:    came_back("4.2.2"),
    TransitionReason.EXPIRED:           tried_for_three_days,
}
# fmt: on


@pytest.mark.parametrize("because", STORIES)
def test_each_reason_is_reached(
    harness: DeliveryHarness, because: TransitionReason
) -> None:
    harness.world.follow("nat")
    first = harness.world.post("ivy", BROADCAST)
    harness.route()
    STORIES[because](harness, first)
    last = list(harness.world.messages)[-1]
    found = harness.explained(last, "nat")
    assert found.transitions[-1].reason == because
    assert found.sentence.endswith(found.transitions[-1].sentence)


def test_every_reason_has_a_scenario() -> None:
    assert STORIES.keys() == set(TransitionReason)
