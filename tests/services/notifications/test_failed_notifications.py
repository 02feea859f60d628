"""What was given up is kept with its reason, and can be sent again (rule 41)."""

import pytest

from clp_contracts.errors import Refused
from clp_contracts.notifications import AskDead, DeadNotification, Redrive
from clp_notifications.delivery.smtp_replies import answer_of
from clp_notifications.routing.failed_notifications import dead, redrive
from tests.services.notifications.harness import Works
from tests.services.notifications.mailcheck import cut_up
from tests.services.notifications.sample_world import BROADCAST, World

NO = answer_of(554, b"5.6.0 no")


def dead_ones(
    works: Works, after: str | None = None, limit: int = 100
) -> tuple[DeadNotification, ...]:
    return dead(AskDead(after=after, limit=limit), parts=works.parts).notifications


def give_up(works: Works, count: int) -> list[str]:
    works.world.follow("nat")
    posted = [works.world.post("ivy", BROADCAST) for _ in range(count)]
    works.tray.answers = [NO] * count
    works.run()
    return posted


def test_what_is_given_up_is_listed_oldest_first_with_its_reason(works: Works) -> None:
    posted = give_up(works, 5)
    found = dead_ones(works)
    assert [one.message for one in found] == posted
    assert {(one.person, one.reason) for one in found} == {("nat", "refused")}


def test_the_list_goes_on_after_the_last_one_seen(works: Works) -> None:
    posted = give_up(works, 5)
    first = dead_ones(works, limit=2)
    rest = dead_ones(works, after=first[-1].id)
    assert [one.message for one in (*first, *rest)] == posted
    assert dead_ones(works, after="nothing") == ()


def test_one_is_sent_again_with_the_message_id_it_had(works: Works) -> None:
    give_up(works, 2)
    again = dead_ones(works)[0]
    works.tray.mails.clear()
    assert redrive(Redrive(notifications=(again.id,)), parts=works.parts).count == 1
    works.deliver()
    (mail,) = works.tray.mails
    assert again.message in cut_up(mail.data).one("Message-ID")
    assert works.states(again.message) == {"nat": ("sent", "accepted")}
    assert again.id not in {one.id for one in dead_ones(works)}


def test_all_are_sent_again_when_none_is_named(works: Works) -> None:
    give_up(works, 3)
    assert redrive(Redrive(), parts=works.parts).count == 3
    assert works.deliver() == 3
    assert dead_ones(works) == ()
    assert redrive(Redrive(), parts=works.parts).count == 0


def test_what_was_sent_cannot_be_sent_again(works: Works) -> None:
    posted = give_up(works, 1)
    (gone,) = dead_ones(works)
    redrive(Redrive(), parts=works.parts)
    works.deliver()
    for name in (gone.id, posted[0], "nothing"):
        with pytest.raises(Refused) as refused:
            redrive(Redrive(notifications=(name,)), parts=works.parts)
        assert refused.value.code == "notification.missing"


def test_a_redriven_mail_asks_at_the_door_again(works: Works, world: World) -> None:
    (message,) = give_up(works, 1)
    world.withdraw("north")
    redrive(Redrive(), parts=works.parts)
    works.tray.mails.clear()
    works.deliver()
    assert not works.tray.mails
    assert works.states(message) == {"nat": ("suppressed", "no_access")}


def test_a_redriven_mail_has_its_three_days_again(works: Works, world: World) -> None:
    (message,) = give_up(works, 1)
    world.clock.forward(days=10)
    redrive(Redrive(), parts=works.parts)
    works.tray.answers = [answer_of(450, b"4.2.0 later")]
    works.deliver()
    assert works.states(message) == {"nat": ("due", "mailbox_busy")}
