"""Rules 13 and 23 at the recheck: what was removed in time withdraws the mail."""

from dataclasses import replace

import pytest

from clp_core.delivery import DeliveryDecision, DeliveryReason, judge_delivery
from clp_core.messages import MessageFacts
from clp_core.people import AccessPolicy, Person
from clp_core.routing import Recipient, Trigger
from tests.core.sample_world import IVY, NAT, NIA, P1, SAM, SOUTH, WITH_NORTH

POSTED = MessageFacts(channel=WITH_NORTH, number=1, author=IVY.id)
DELETED = replace(POSTED, deleted=True)
DUE, GONE, LOST, UNSAID = DeliveryReason

AT_THE_RECHECK = [
    # what became of it                    person  trigger               message  mentioned  decision
    ("nothing happened", NAT, Trigger.DIRECT_TO_PARTNER, POSTED, (), DUE),
    ("a follower is mentioned since", NAT, Trigger.DIRECT_TO_PARTNER, POSTED, (NAT,), DUE),
    ("the mention stands", NAT, Trigger.MENTION, POSTED, (NAT, NIA), DUE),
    ("the mention was removed", NAT, Trigger.MENTION, POSTED, (NIA,), UNSAID),
    ("every mention was removed", NAT, Trigger.MENTION, POSTED, (), UNSAID),
    ("the message was deleted", NAT, Trigger.DIRECT_TO_PARTNER, DELETED, (), GONE),
    ("it was deleted with its mention", NAT, Trigger.MENTION, DELETED, (), GONE),
    ("the person left", replace(NAT, active=False), Trigger.MENTION, POSTED, (NAT,), LOST),
    ("the person moved", replace(NAT, partner=SOUTH), Trigger.MENTION, POSTED, (NAT,), LOST),
    ("somebody of another partner", SAM, Trigger.DIRECT_TO_PARTNER, POSTED, (), LOST),
    ("all of it at once", replace(NAT, active=False), Trigger.MENTION, DELETED, (), LOST),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "person", "trigger", "message", "mentioned", "reason"),
    AT_THE_RECHECK,
    ids=[row[0] for row in AT_THE_RECHECK],
)
def test_a_mail_leaves_unless(
    what: str,
    person: Person,
    trigger: Trigger,
    message: MessageFacts,
    mentioned: tuple[Person, ...],
    reason: DeliveryReason,
) -> None:
    decision = judge_delivery(
        Recipient(person, trigger),
        message,
        P1,
        mentioned=frozenset(one.id for one in mentioned),
    )
    assert decision == DeliveryDecision(reason), what
    assert bool(decision) is (reason is DUE)


def test_nobody_is_mentioned_unless_said() -> None:
    assert judge_delivery(Recipient(NAT, Trigger.DIRECT_TO_PARTNER), POSTED, P1)
    assert not judge_delivery(Recipient(NAT, Trigger.MENTION), POSTED, P1)


def test_a_partner_withdrawn_before_the_mail_leaves_gets_none() -> None:
    withdrawn = replace(P1, assigned=frozenset({SOUTH}), withdrawn=P1.assigned)
    told = judge_delivery(Recipient(NAT, Trigger.DIRECT_TO_PARTNER), POSTED, withdrawn)
    assert told.reason is LOST


def test_the_recheck_uses_the_access_policy_given() -> None:
    mixers = AccessPolicy(admitting_roles=frozenset({"mixer"}))
    mixer = replace(NAT, roles=frozenset({"mixer"}))
    for person, leaves in ((NAT, False), (mixer, True)):
        recipient = Recipient(person, Trigger.DIRECT_TO_PARTNER)
        assert bool(judge_delivery(recipient, POSTED, P1, access=mixers)) is leaves


def test_reasons_have_the_released_names() -> None:
    assert [reason.value for reason in DeliveryReason] == [
        "due", "message.deleted", "access.lost", "mention.removed",
    ]  # fmt: skip
