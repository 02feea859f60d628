"""Tickets: a person asks for help, support gets a mail, operators close (rule 52)."""

import base64
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from clp_contracts.errors import Refused
from clp_contracts.mail_addresses import parse_mail_address
from clp_contracts.notifications import (
    ListTickets,
    MyTickets,
    SubmitTicket,
    Ticket,
    TicketRef,
)
from clp_notifications.delivery.smtp_replies import (
    RELAY_UNAVAILABLE,
    SmtpStage,
    outcome_of_reply,
)
from clp_notifications.delivery.tickets import send_tickets
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.routing import progress, tickets
from clp_notifications.routing.tickets import MAX_OPEN_TICKETS, MAX_SCREENSHOT_BYTES
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.sample_world import World

HELP = "help@studio.example"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 100


@pytest.fixture
def help_harness(harness: DeliveryHarness) -> DeliveryHarness:
    harness.deps = replace(harness.deps, help_address=HELP)
    harness.delivery = replace(harness.delivery, help_address=parse_mail_address(HELP))
    return harness


def submit(harness: DeliveryHarness, actor: str = "nat", **fields: Any) -> Ticket:
    request = SubmitTicket(**({"key": "k1", "summary": "No sound"} | fields))
    return tickets.submit_ticket(request, actor=actor, deps=harness.deps)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def mine(harness: DeliveryHarness, actor: str) -> MyTickets:
    return tickets.my_tickets(actor=actor, deps=harness.deps)


def sent(harness: DeliveryHarness) -> list[EmailMessage]:
    send_tickets(harness.delivery)
    return [
        message_from_bytes(mail.data, policy=policy.default)  # type: ignore[arg-type]
        for mail in harness.transport.mails
    ]


def refusal(harness: DeliveryHarness, actor: str = "nat", **fields: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        submit(harness, actor, **fields)
    return refused.value


def test_a_ticket_is_mailed_to_support_with_its_author_as_reply_to(
    help_harness: DeliveryHarness,
) -> None:
    ticket = submit(
        help_harness,
        summary="No sound in réel 3",
        steps="Played it.\nPlayed it again.",
        urgency="blocks",
        deadline="2026-03-05",
        url="https://clp.example/p1/broadcast/3",
        mid="81234567",
        request_id="R-1",
        package_id="PKG-12345",
        task_type="dub script",
        target_language="fr",
    )
    (mail,) = sent(help_harness)
    assert help_harness.transport.recipients == [HELP]
    assert (mail["To"], mail["Reply-To"]) == (HELP, "Nat Moreau <nat@north.example>")
    assert mail["Subject"] == f"[{ticket.id}] No sound in réel 3"
    text = mail.get_content()
    for line in (
        "Urgency: blocks the work",
        "Steps before, and what was tried:\nPlayed it.\nPlayed it again.",
        "Deadline: 2026-03-05",
        "URL: https://clp.example/p1/broadcast/3",
        "MID: 81234567",
        "Request ID: R-1",
        "Package ID: PKG-12345",
        "Task type: dub script",
        "Target language: fr",
        "From: Nat Moreau (nat)",
    ):
        assert line in text.replace("\r\n", "\n")
    for absent in ("Auto-Submitted", "Precedence", "List-Id", "List-Unsubscribe"):
        assert absent not in mail


@pytest.mark.parametrize(("image", "kind"), [(PNG, "png"), (JPEG, "jpeg")])
def test_a_screenshot_travels_with_the_mail(
    help_harness: DeliveryHarness, image: bytes, kind: str
) -> None:
    submit(help_harness, screenshot=encoded(image))
    (mail,) = sent(help_harness)
    (attachment,) = mail.iter_attachments()
    assert attachment.get_filename() == f"screenshot.{kind}"
    assert attachment.get_content() == image
    text = mail.get_body(("plain",))
    assert text is not None
    assert "No sound" in text.get_content()


def test_nothing_a_person_types_adds_a_header(help_harness: DeliveryHarness) -> None:
    evil = "x\r\nBcc: thief@evil.example"
    help_harness.world.change_person("nat", name=evil)
    submit(help_harness, summary=evil, steps=evil, url=evil)
    (mail,) = sent(help_harness)
    assert mail["Bcc"] is None
    assert help_harness.transport.recipients == [HELP]


def test_the_author_sees_the_state_of_their_own(help_harness: DeliveryHarness) -> None:
    ticket = submit(help_harness)
    assert mine(help_harness, "nat") == MyTickets(tickets=(ticket,), open=True)
    assert (ticket.state, ticket.mailed) == ("open", False)
    sent(help_harness)
    assert mine(help_harness, "nat").tickets == (replace(ticket, mailed=True),)
    for other in ("nia", "sam", "ivy", "nobody", "no/id\0"):
        assert mine(help_harness, other).tickets == ()


def test_operators_list_and_close_tickets(help_harness: DeliveryHarness) -> None:
    ids = []
    for number in range(5):
        ids.append(submit(help_harness, key=f"k{number}", actor="nat").id)
        help_harness.world.clock.forward(seconds=1)
    first = tickets.tickets(ListTickets(limit=2), deps=help_harness.deps).tickets
    rest = tickets.tickets(ListTickets(after=first[-1].id), deps=help_harness.deps)
    assert [one.id for one in (*first, *rest.tickets)] == ids[::-1]
    closed = tickets.close_ticket(TicketRef(ticket=ids[0]), deps=help_harness.deps)
    again = tickets.close_ticket(TicketRef(ticket=ids[0]), deps=help_harness.deps)
    assert (closed.state, closed) == ("closed", again)
    assert mine(help_harness, "nat").tickets[-1] == closed
    for missing in ("nothing", "no/id\0"):
        with pytest.raises(Refused) as refused:
            tickets.close_ticket(TicketRef(ticket=missing), deps=help_harness.deps)
        assert refused.value.code == "ticket.missing"


def test_a_replay_is_the_same_ticket_and_one_mail(
    help_harness: DeliveryHarness,
) -> None:
    assert submit(help_harness).id == submit(help_harness).id
    assert refusal(help_harness, summary="Other").code == "idempotency_key.reused"
    assert submit(help_harness, "nia").id != submit(help_harness).id
    assert len(sent(help_harness)) == 2
    assert len(sent(help_harness)) == 2


REFUSED_LOGIN = outcome_of_reply(535, b"5.7.8 no such login", SmtpStage.AUTH)


def test_a_relay_that_refuses_us_delays_no_ticket(
    help_harness: DeliveryHarness,
) -> None:
    """It is no attempt of the ticket: a minute after the relay works, it is sent."""
    world, throttle = help_harness.world, help_harness.delivery.throttle
    submit(help_harness)
    for _ in range(30):
        help_harness.transport.outcomes = [REFUSED_LOGIN]
        assert send_tickets(help_harness.delivery) == 0
        assert throttle.is_refused
        assert throttle.refusing_since is not None
        world.clock.forward(minutes=1)
    assert send_tickets(help_harness.delivery) == 1
    assert not throttle.is_refused


def test_one_ticket_probes_a_relay_that_refuses_us(
    help_harness: DeliveryHarness,
) -> None:
    for number in range(3):
        submit(help_harness, key=f"k{number}")
    help_harness.transport.outcomes = [REFUSED_LOGIN]
    assert send_tickets(help_harness.delivery) == 0
    assert len(help_harness.transport.mails) == 1
    help_harness.world.clock.forward(minutes=1)
    assert send_tickets(help_harness.delivery) == 3


def test_a_ticket_that_cannot_be_sent_holds_up_no_other(
    help_harness: DeliveryHarness,
) -> None:
    first = submit(help_harness)
    submit(help_harness, key="k2", summary="No picture")

    def fail(mail: OutgoingMail) -> None:
        if mail.id == first.id:
            raise ValueError("a fault of the program")

    help_harness.transport.before = fail
    assert send_tickets(help_harness.delivery) == 1
    help_harness.world.is_down = True
    help_harness.world.clock.forward(seconds=6)
    assert send_tickets(help_harness.delivery) == 0
    help_harness.world.is_down = False
    help_harness.transport.before = lambda _: None
    help_harness.world.clock.forward(seconds=31)
    assert send_tickets(help_harness.delivery) == 1


def test_a_ticket_is_retried_until_the_relay_accepts_it(
    help_harness: DeliveryHarness, world: World
) -> None:
    submit(help_harness, screenshot=encoded(PNG))
    for outcome in (
        RELAY_UNAVAILABLE,
        outcome_of_reply(550, b"5.1.1 who"),
        RELAY_UNAVAILABLE,
    ):
        help_harness.transport.outcomes = [outcome]
        send_tickets(help_harness.delivery)
        assert not mine(help_harness, "nat").tickets[0].mailed
        assert progress.progress(deps=help_harness.deps).due == 0
        help_harness.transport.mails.clear()
        world.clock.forward(days=4)
        assert progress.progress(deps=help_harness.deps).due == 1
    (mail,) = sent(help_harness)
    assert len(list(mail.iter_attachments())) == 1
    assert mine(help_harness, "nat").tickets[0].mailed


def test_without_a_due_ticket_no_transaction_is_begun(
    help_harness: DeliveryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, begun = help_harness.delivery.database.writing, 0

    def counted(**options: Any) -> Any:
        nonlocal begun
        begun += 1
        return writing(**options)

    submit(help_harness)
    monkeypatch.setattr(help_harness.delivery.database, "writing", counted)
    assert send_tickets(help_harness.delivery) == 1
    sending, begun = begun, 0
    assert send_tickets(help_harness.delivery) == 0
    assert (sending, begun) == (2, 0)


def test_two_workers_send_a_ticket_once(help_harness: DeliveryHarness) -> None:
    submit(help_harness)
    other = replace(help_harness.delivery)

    class Slow:
        def send(self, mail: Any, may_send: Any) -> Any:
            send_tickets(other)
            return help_harness.transport.send(mail, may_send)

        def close(self) -> None:
            pass

    send_tickets(replace(help_harness.delivery, transport=Slow()))
    assert len(help_harness.transport.mails) == 1


def test_a_worker_that_died_leaves_the_ticket_to_another(
    help_harness: DeliveryHarness, world: World
) -> None:
    submit(help_harness)

    class Dying:
        def send(self, mail: Any, may_send: Any) -> Any:
            raise KeyboardInterrupt

        def close(self) -> None:
            pass

    with pytest.raises(KeyboardInterrupt):
        send_tickets(replace(help_harness.delivery, transport=Dying()))
    assert sent(help_harness) == []
    world.clock.forward(seconds=help_harness.delivery.limits.lease.total_seconds() + 1)
    assert len(sent(help_harness)) == 1


def test_a_gone_author_leaves_no_reply_to(
    help_harness: DeliveryHarness, world: World
) -> None:
    submit(help_harness)
    del world.people["nat"]
    (mail,) = sent(help_harness)
    assert mail["Reply-To"] is None
    assert "From: nat (nat)" in mail.get_content()


FIELDS = [
    ({"summary": ""}, "summary"),
    ({"summary": "  "}, "summary"),
    ({"summary": "x" * 201}, "summary"),
    ({"summary": "\0"}, "summary"),
    ({"steps": "x" * 10_001}, "steps"),
    ({"url": "x" * 501}, "url"),
    ({"mid": "\ud800"}, "mid"),
    ({"urgency": "now"}, "urgency"),
    ({"deadline": "tomorrow"}, "deadline"),
    ({"deadline": "20260301"}, "deadline"),
    ({"screenshot": "%%%"}, "screenshot"),
]


@pytest.mark.parametrize(("fields", "field"), FIELDS, ids=str)
def test_a_malformed_field_is_named(
    help_harness: DeliveryHarness, fields: dict[str, str], field: str
) -> None:
    found = refusal(help_harness, **fields)
    assert (found.code, list(found.detail["fields"])) == ("ticket.malformed", [field])


def test_other_refusals(
    harness: DeliveryHarness, help_harness: DeliveryHarness
) -> None:
    large = encoded(PNG + b"x" * MAX_SCREENSHOT_BYTES)
    assert refusal(help_harness, screenshot=large).code == "attachment.too_large"
    gif = encoded(b"GIF89a" + b"x" * 100)
    assert refusal(help_harness, screenshot=gif).code == "attachment.type_refused"
    assert refusal(help_harness, key="").code == "idempotency_key.malformed"
    assert refusal(help_harness, "lin").code == "portal.closed"
    assert refusal(help_harness, "nobody").code == "portal.closed"
    for number in range(MAX_OPEN_TICKETS):
        submit(help_harness, key=f"many {number}")
    assert refusal(help_harness, key="one more").code == "ticket.too_many"
    harness.deps = replace(harness.deps, help_address="")
    assert refusal(harness, key="k9").code == "help.closed"
    assert mine(harness, "nat").open is False
