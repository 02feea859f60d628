"""One story for each reason that a step of a notification can carry."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from clp_contracts.notifications import Redrive
from clp_notifications.delivery.backoff import GIVEN_UP_AFTER
from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.smtp_replies import NO_SMTPUTF8, RELAY_AWAY, answer_of
from clp_notifications.inbound.bounces import take_bounce
from clp_notifications.mail.composer import ReadyMail
from clp_notifications.routing.failed_notifications import redrive
from clp_notifications.states import Because, MailMode
from clp_notifications.transitions import set_mode, suppress
from tests.services.notifications.harness import HOUSE, Works
from tests.services.notifications.sample_world import BROADCAST
from tests.services.notifications.test_bounces import dsn

Story = Callable[[Works, str], None]
BUSY = answer_of(450, b"4.2.0 try later")


def mailed(works: Works, _message: str) -> None:
    works.deliver()


def answered(code: int, text: bytes) -> Story:
    def story(works: Works, _message: str) -> None:
        works.tray.answers = [answer_of(code, text)]
        works.deliver()

    return story


def changed(**facts: object) -> Story:
    def story(works: Works, _message: str) -> None:
        works.world.change_person("nat", **facts)
        works.deliver()

    return story


def claimed(works: Works, _message: str) -> None:
    works.desk.claim()


def abandoned(works: Works, _message: str) -> None:
    works.desk.claim()
    works.world.clock.forward(seconds=works.desk.pacing.lease.total_seconds() + 1)
    works.desk.sweep()


def given_back(works: Works, _message: str) -> None:
    deliver(works.desk, works.desk.claim(), lambda: True)


def came_back(status: str) -> Story:
    def story(works: Works, _message: str) -> None:
        works.deliver()
        (mail,) = works.tray.mails
        raw = dsn(mail.sender, status=status)
        take_bounce(raw, HOUSE.bounce_domain, parts=works.parts)

    return story


def sent_again(works: Works, message: str) -> None:
    answered(550, b"5.6.0 no")(works, message)
    redrive(Redrive(), parts=works.parts)


def tried_without_services(works: Works, _message: str) -> None:
    works.world.is_down = True
    works.deliver()
    works.world.is_down = False


def relay_away(works: Works, _message: str) -> None:
    works.tray.answers = [RELAY_AWAY]
    works.deliver()


def relay_without_smtputf8(works: Works, _message: str) -> None:
    works.tray.answers = [NO_SMTPUTF8]
    works.deliver()


def failed(works: Works, _message: str) -> None:
    def fail(_mail: ReadyMail) -> None:
        raise RuntimeError("a fault of the program")

    works.tray.before = fail
    works.deliver()


def deleted(works: Works, message: str) -> None:
    works.world.delete(message)
    works.deliver()


def mention_removed(works: Works, _message: str) -> None:
    mentions = works.world.post("ivy", BROADCAST, mentions=["nat"])
    works.route()
    works.world.edit(mentions, mentions=[])
    works.deliver()


def unfollowed(works: Works, _message: str) -> None:
    works.world.unfollow("nat")
    works.deliver()


def read(works: Works, _message: str) -> None:
    works.world.read("nat", BROADCAST)
    works.deliver()


def turned_off(works: Works, _message: str) -> None:
    with works.database.writing() as session:
        set_mode(session, ("nat", "p1"), MailMode.OFF, at=works.world.clock())
    works.deliver()


def suppressed_address(works: Works, _message: str) -> None:
    with works.database.writing() as session:
        refused = ("nat@north.example", "m")
        suppress(session, refused, Because.ADDRESS_UNKNOWN, at=works.world.clock())
    works.deliver()


def tried_for_three_days(works: Works, _message: str) -> None:
    end = works.world.clock() + GIVEN_UP_AFTER + timedelta(hours=1)
    while works.world.clock() < end:
        works.tray.answers = [BUSY]
        works.deliver()
        works.world.clock.forward(hours=2)


# fmt: off
STORIES: dict[Because, Story] = {
    Because.ROUTED:             lambda works, _message: None,
    Because.CLAIMED:            claimed,
    Because.ACCEPTED:           mailed,
    Because.REDRIVEN:           sent_again,
    Because.LEASE_EXPIRED:      abandoned,
    Because.GIVEN_BACK:         given_back,
    Because.SERVICES_AWAY:      tried_without_services,
    Because.RELAY_AWAY:         relay_away,
    Because.RELAY_BUSY:         answered(454, b"4.7.0 throttled"),
    Because.MAILBOX_BUSY:       answered(452, b"4.2.2 full"),
    Because.FAULT:              failed,
    Because.NO_ACCESS:          changed(active=False),
    Because.DELETED:            deleted,
    Because.MENTION_REMOVED:    mention_removed,
    Because.UNFOLLOWED:         unfollowed,
    Because.READ:               read,
    Because.MAIL_OFF:           turned_off,
    Because.ADDRESS_MALFORMED:  changed(email="nat@north.example>"),
    Because.UNDELIVERABLE:      changed(email="nat@nowhere.invalid"),
    Because.ADDRESS_SUPPRESSED: suppressed_address,
    Because.NO_SMTPUTF8:        relay_without_smtputf8,
    Because.ADDRESS_UNKNOWN:    answered(550, b"5.1.1 no such mailbox"),
    Because.REFUSED:            answered(554, b"5.6.0 no"),
    Because.TOO_BIG:            answered(552, b"5.3.4 too big"),
    Because.POLICY:             answered(550, b"5.7.1 not from you"),
    Because.BOUNCED:            came_back("5.1.1"),
    Because.BOUNCED_FOR_NOW:    came_back("4.2.2"),
    Because.GIVEN_UP:           tried_for_three_days,
}
# fmt: on


@pytest.mark.parametrize("because", STORIES)
def test_each_reason_is_the_end_of_a_story(works: Works, because: Because) -> None:
    works.world.follow("nat")
    first = works.world.post("ivy", BROADCAST)
    works.route()
    STORIES[because](works, first)
    last = list(works.world.messages)[-1]
    found = works.explained(last, "nat")
    assert found.steps[-1].reason == because
    assert found.sentence.endswith(found.steps[-1].sentence)


def test_no_reason_is_without_a_story() -> None:
    assert STORIES.keys() == set(Because)
