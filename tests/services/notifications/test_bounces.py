"""Mails that come back: counted once, only when they are ours, undone by an operator."""

import subprocess
import sys
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from clp_contracts.errors import Refused
from clp_contracts.notifications import DeleteSuppression, ListSuppressions, Redrive
from clp_notifications.dependencies import Bounces
from clp_notifications.inbound.bounces import (
    BounceEffect,
    delete_suppression,
    suppressions,
)
from clp_notifications.inbound.classifier import class_of, facts_of
from clp_notifications.inbound.incoming import HANDLERS, handle_waiting
from clp_notifications.inbound.maildir import EX_OK, EX_TEMPFAIL, deliver_to_maildir
from clp_notifications.inbound.mime import parse_mail
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.routing.failed_notifications import redrive
from tests.services.notifications.harness import IDENTITY, DeliveryHarness
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST

DOMAIN = IDENTITY.bounce_domain
NAT = "nat@north.example"


def dsn(came_to: str, about: str = NAT, status: str = "5.1.1") -> bytes:
    """A delivery status notification (RFC 3464) as a mail server writes it."""
    action = "failed" if status.startswith("5") else "delayed"
    report = (
        f"From: MAILER-DAEMON@relay.example\r\nTo: {came_to}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;"
        ' boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nYour mail came back.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; relay.example\r\n\r\n"
        f"Final-Recipient: rfc822; {about}\r\nAction: {action}\r\n"
        f"Status: {status}\r\n\r\n--b--\r\n"
    )
    return report.encode()


def mailed_to_nat(harness: DeliveryHarness, times: int = 1) -> list[OutgoingMail]:
    """Sent mails, one per message."""
    if "nat" not in harness.world.following:
        harness.world.follow("nat")
    for _ in range(times):
        harness.world.post("ivy", BROADCAST)
    harness.run()
    return harness.transport.mails[-times:]


def addresses(harness: DeliveryHarness) -> dict[str, str]:
    found = suppressions(ListSuppressions(), deps=harness.deps).suppressions
    return {one.address: one.reason for one in found}


def take(harness: DeliveryHarness, raw: bytes) -> str:
    """Classify and handle one mail; return the result of its handler."""
    mail = parse_mail(raw)
    kind = class_of(facts_of(mail, DOMAIN))
    return HANDLERS[kind](mail, raw, harness.deps)


def test_a_mail_that_came_back_for_good_stops_its_address(
    harness: DeliveryHarness, world: World
) -> None:
    (mail,) = mailed_to_nat(harness)
    assert take(harness, dsn(mail.sender)) == BounceEffect.PERMANENT
    assert addresses(harness) == {NAT: "bounced"}
    assert harness.states("m1") == {"nat": ("dead", "bounced")}
    world.post("ivy", BROADCAST)
    harness.run()
    assert harness.states("m2") == {"nat": ("suppressed", "address_suppressed")}


# fmt: off
FORGED = [
    # incoming mail                               recipient, given the right address
    ("no mark at all",                            lambda right: f"bounce@{DOMAIN}"),
    ("the mark of no mail of ours",               lambda right: f"b+{'0' * 32}.{'0' * 16}@{DOMAIN}"),
    ("a guessed MAC" ,                            lambda right: right.replace(right.split(".")[1][:4], "0000")),
    ("the right mark at another domain",          lambda right: right.replace(DOMAIN, "evil.example")),
    ("the MAC of another mail" ,                  lambda right: f"b+{'a' * 32}.{right.split('.')[1].split('@')[0]}@{DOMAIN}"),
]
# fmt: on


@pytest.mark.parametrize(("what", "address"), FORGED, ids=[row[0] for row in FORGED])
def test_a_forged_bounce_is_ignored(
    harness: DeliveryHarness, what: str, address: object
) -> None:
    (mail,) = mailed_to_nat(harness)
    assert callable(address)
    came_to = address(mail.sender)
    assert came_to != mail.sender
    assert take(harness, dsn(came_to)) == BounceEffect.NOT_OURS
    assert addresses(harness) == {}
    assert harness.states("m1") == {"nat": ("sent", "accepted")}


def test_the_mac_of_one_mail_is_wrong_for_another(harness: DeliveryHarness) -> None:
    one, other = mailed_to_nat(harness, 2)
    mac = one.sender.partition("@")[0].rpartition(".")[2]
    forged = f"b+{other.id}.{mac}@{DOMAIN}"
    assert take(harness, dsn(forged)) == BounceEffect.NOT_OURS
    assert addresses(harness) == {}


def test_a_report_about_another_address_stops_nobody(
    harness: DeliveryHarness,
) -> None:
    """A known bounce address cannot suppress other people, nor its own reader."""
    (mail,) = mailed_to_nat(harness)
    assert (
        take(harness, dsn(mail.sender, about="sam@south.example"))
        == BounceEffect.OTHER_RECIPIENT
    )
    assert addresses(harness) == {}
    assert harness.states("m1") == {"nat": ("sent", "accepted")}


def test_a_late_bounce_stops_the_address_it_is_about_and_not_the_new_one(
    harness: DeliveryHarness, world: World
) -> None:
    (mail,) = mailed_to_nat(harness)
    world.change_person("nat", email="new@north.example")
    assert take(harness, dsn(mail.sender)) == BounceEffect.PERMANENT
    assert addresses(harness) == {NAT: "bounced"}
    world.post("ivy", BROADCAST)
    harness.run()
    assert harness.transport.recipients[-1] == "new@north.example"


def test_a_reply_of_a_person_or_a_machine_is_no_bounce(
    harness: DeliveryHarness,
) -> None:
    (mail,) = mailed_to_nat(harness)
    reply = EmailMessage()
    reply["From"], reply["To"] = NAT, mail.sender
    reply["Subject"] = "Out of office"
    reply.set_content("I am away until Monday.")
    assert take(harness, reply.as_bytes()) == "ignored"
    assert addresses(harness) == {}


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff" * 500, b"To: <<<>>>\r\n\r\n", b"\r\n"]
)
def test_nothing_that_comes_in_is_an_error(
    harness: DeliveryHarness, raw: bytes
) -> None:
    assert take(harness, raw) == "ignored"


def test_mails_that_come_back_for_now_stop_an_address_only_when_there_are_many(
    harness: DeliveryHarness, world: World
) -> None:
    mails = mailed_to_nat(harness, 4)
    for mail in mails[:3]:
        assert take(harness, dsn(mail.sender, status="4.2.2")) == BounceEffect.TEMPORARY
        assert take(harness, dsn(mail.sender, status="4.2.2")) == BounceEffect.TEMPORARY
    assert addresses(harness) == {}
    assert harness.states("m1") == {"nat": ("sent", "bounced_for_now")}
    reasons = [one.reason for one in harness.explained("m1", "nat").transitions]
    assert reasons.count("bounced_for_now") == 1
    assert take(harness, dsn(mails[3].sender, status="4.2.2")) == BounceEffect.TEMPORARY
    assert addresses(harness) == {NAT: "bounced_for_now"}


def test_temporary_bounces_decay_with_time(
    harness: DeliveryHarness, world: World
) -> None:
    for mail in mailed_to_nat(harness, 8):
        take(harness, dsn(mail.sender, status="4.2.2"))
        world.clock.forward(days=4)
    assert addresses(harness) == {}


def test_an_operator_frees_an_address_and_sends_again(harness: DeliveryHarness) -> None:
    (mail,) = mailed_to_nat(harness)
    take(harness, dsn(mail.sender))
    assert (
        delete_suppression(DeleteSuppression(address=NAT), deps=harness.deps).address
        == NAT
    )
    assert addresses(harness) == {}
    assert redrive(Redrive(), deps=harness.deps).count == 1
    harness.deliver()
    assert harness.states("m1") == {"nat": ("sent", "accepted")}
    assert len(harness.transport.mails) == 2


def test_an_address_that_is_not_stopped_cannot_be_freed(
    harness: DeliveryHarness,
) -> None:
    with pytest.raises(Refused, match=r"address\.not_suppressed"):
        delete_suppression(DeleteSuppression(address=NAT), deps=harness.deps)


def test_suppressed_addresses_are_listed_page_by_page(harness: DeliveryHarness) -> None:
    harness.world.follow("nat", "nia", "sam")
    harness.world.post("ivy", BROADCAST)
    harness.run()
    for mail in harness.transport.mails:
        take(harness, dsn(mail.sender, about=str(mail.recipient)))
    first = suppressions(ListSuppressions(limit=2), deps=harness.deps).suppressions
    rest = suppressions(ListSuppressions(after=first[-1].address), deps=harness.deps)
    assert [one.address for one in (*first, *rest.suppressions)] == [
        "nat@north.example",
        "nia@north.example",
        "sam@south.example",
    ]


def test_the_folder_is_emptied_as_it_is_read(
    harness: DeliveryHarness, tmp_path: Path
) -> None:
    folder = str(tmp_path / "bounces")
    harness.deps = replace(harness.deps, bounces=Bounces(domain=DOMAIN, folder=folder))
    (mail,) = mailed_to_nat(harness)
    assert (
        deliver_to_maildir(dsn("somebody@else.example"), folder, mail.sender) == EX_OK
    )
    harness.world.is_down = True
    assert handle_waiting(harness.deps) == 0
    harness.world.is_down = False
    assert handle_waiting(harness.deps) == 1
    assert handle_waiting(harness.deps) == 0
    assert addresses(harness) == {NAT: "bounced"}


def test_a_mail_that_cannot_be_kept_stays_with_the_relay(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert deliver_to_maildir(b"mail", str(in_the_way)) == EX_TEMPFAIL
    assert deliver_to_maildir(b"mail", "") == EX_TEMPFAIL
    assert (
        deliver_to_maildir(b"mail", str(tmp_path / "new"), "a\r\nX: y") == EX_TEMPFAIL
    )


def test_a_relay_pipes_a_mail_into_the_command(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "clp_notifications",
        "bounce",
        "b+x@y.z",
    ]
    environ = {"CLP_NOTIFICATIONS_BOUNCE_DIR": str(tmp_path)}
    done = subprocess.run(
        command, check=False, input=b"Subject: x\r\n\r\n", env=environ, timeout=60
    )
    assert done.returncode == EX_OK
    (kept,) = (tmp_path / "new").iterdir()
    assert kept.read_bytes() == b"X-Original-To: b+x@y.z\r\nSubject: x\r\n\r\n"
