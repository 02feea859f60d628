"""Mails that come back: counted once, only when they are ours, undone by an operator."""

import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from clp_contracts.errors import Refused
from clp_contracts.notifications import AskSuppressed, Redrive, Release
from clp_notifications.inbound.bounces import Taken, release, suppressed, take_bounce
from clp_notifications.inbound.maildir import KEEP_IT, TAKEN, put, take_all
from clp_notifications.mail.composer import ReadyMail
from clp_notifications.routing.failed_notifications import redrive
from tests.services.notifications.harness import HOUSE, Works
from tests.services.notifications.sample_world import BROADCAST, World

DOMAIN = HOUSE.bounce_domain
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


def mailed_to_nat(works: Works, times: int = 1) -> list[ReadyMail]:
    """Mails that were handed over, one for each message."""
    if "nat" not in works.world.following:
        works.world.follow("nat")
    for _ in range(times):
        works.world.post("ivy", BROADCAST)
    works.run()
    return works.tray.mails[-times:]


def addresses(works: Works) -> dict[str, str]:
    found = suppressed(AskSuppressed(), parts=works.parts).addresses
    return {one.address: one.reason for one in found}


def take(works: Works, raw: bytes) -> Taken:
    return take_bounce(raw, DOMAIN, parts=works.parts)


def test_a_mail_that_came_back_for_good_stops_its_address(
    works: Works, world: World
) -> None:
    (mail,) = mailed_to_nat(works)
    assert take(works, dsn(mail.sender)) is Taken.FOR_GOOD
    assert addresses(works) == {NAT: "bounced"}
    assert works.states("m1") == {"nat": ("dead", "bounced")}
    world.post("ivy", BROADCAST)
    works.run()
    assert works.states("m2") == {"nat": ("suppressed", "address_suppressed")}


# fmt: off
FORGED = [
    # what somebody sends                         where it came to, given the right address
    ("no mark at all",                            lambda right: f"bounce@{DOMAIN}"),
    ("the mark of no mail of ours",               lambda right: f"b+{'0' * 32}.{'0' * 16}@{DOMAIN}"),
    ("a guessed seal",                            lambda right: right.replace(right.split(".")[1][:4], "0000")),
    ("the right mark at another domain",          lambda right: right.replace(DOMAIN, "evil.example")),
    ("the seal of another mail",                  lambda right: f"b+{'a' * 32}.{right.split('.')[1].split('@')[0]}@{DOMAIN}"),
]
# fmt: on


@pytest.mark.parametrize(("what", "address"), FORGED, ids=[row[0] for row in FORGED])
def test_a_forged_bounce_is_ignored(works: Works, what: str, address: object) -> None:
    (mail,) = mailed_to_nat(works)
    assert callable(address)
    came_to = address(mail.sender)
    assert came_to != mail.sender
    assert take(works, dsn(came_to)) is Taken.NOT_OURS
    assert addresses(works) == {}
    assert works.states("m1") == {"nat": ("sent", "accepted")}


def test_a_bounce_stops_nobody_but_whom_the_mail_was_for(works: Works) -> None:
    """Whoever has one of our bounce addresses cannot silence others with it."""
    (mail,) = mailed_to_nat(works)
    assert take(works, dsn(mail.sender, about="sam@south.example")) is Taken.FOR_GOOD
    assert addresses(works) == {NAT: "bounced"}


def test_a_late_bounce_stops_the_address_it_is_about_and_not_the_new_one(
    works: Works, world: World
) -> None:
    (mail,) = mailed_to_nat(works)
    world.change_person("nat", email="new@north.example")
    assert take(works, dsn(mail.sender)) is Taken.FOR_GOOD
    assert addresses(works) == {NAT: "bounced"}
    world.post("ivy", BROADCAST)
    works.run()
    assert works.tray.recipients[-1] == "new@north.example"


def test_an_answer_of_a_person_or_a_machine_is_no_bounce(works: Works) -> None:
    (mail,) = mailed_to_nat(works)
    answer = EmailMessage()
    answer["From"], answer["To"] = NAT, mail.sender
    answer["Subject"] = "Out of office"
    answer.set_content("I am away until Monday.")
    assert take(works, answer.as_bytes()) is Taken.NO_BOUNCE
    assert addresses(works) == {}


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff" * 500, b"To: <<<>>>\r\n\r\n", b"\r\n"]
)
def test_nothing_that_comes_in_is_an_error(works: Works, raw: bytes) -> None:
    assert take(works, raw) is Taken.NOT_OURS


def test_mails_that_come_back_for_now_stop_an_address_only_when_there_are_many(
    works: Works, world: World
) -> None:
    mails = mailed_to_nat(works, 4)
    for mail in mails[:3]:
        assert take(works, dsn(mail.sender, status="4.2.2")) is Taken.FOR_NOW
        assert take(works, dsn(mail.sender, status="4.2.2")) is Taken.FOR_NOW
    assert addresses(works) == {}
    assert works.states("m1") == {"nat": ("sent", "bounced_for_now")}
    assert take(works, dsn(mails[3].sender, status="4.2.2")) is Taken.FOR_NOW
    assert addresses(works) == {NAT: "bounced_for_now"}


def test_what_came_back_for_now_is_forgotten_with_time(
    works: Works, world: World
) -> None:
    for mail in mailed_to_nat(works, 8):
        take(works, dsn(mail.sender, status="4.2.2"))
        world.clock.forward(days=4)
    assert addresses(works) == {}


def test_an_operator_frees_an_address_and_sends_again(works: Works) -> None:
    (mail,) = mailed_to_nat(works)
    take(works, dsn(mail.sender))
    assert release(Release(address=NAT), parts=works.parts).address == NAT
    assert addresses(works) == {}
    assert redrive(Redrive(), parts=works.parts).count == 1
    works.deliver()
    assert works.states("m1") == {"nat": ("sent", "accepted")}
    assert len(works.tray.mails) == 2


def test_an_address_that_is_not_stopped_cannot_be_freed(works: Works) -> None:
    with pytest.raises(Refused, match=r"address\.not_suppressed"):
        release(Release(address=NAT), parts=works.parts)


def test_suppressed_addresses_are_listed_page_by_page(works: Works) -> None:
    works.world.follow("nat", "nia", "sam")
    works.world.post("ivy", BROADCAST)
    works.run()
    for mail in works.tray.mails:
        take(works, dsn(mail.sender, about=str(mail.recipient)))
    first = suppressed(AskSuppressed(limit=2), parts=works.parts).addresses
    rest = suppressed(AskSuppressed(after=first[-1].address), parts=works.parts)
    assert [one.address for one in (*first, *rest.addresses)] == [
        "nat@north.example",
        "nia@north.example",
        "sam@south.example",
    ]


def test_the_folder_is_emptied_as_it_is_read(works: Works, tmp_path: Path) -> None:
    folder = str(tmp_path / "bounces")
    (mail,) = mailed_to_nat(works)
    assert put(dsn("somebody@else.example"), folder, mail.sender) == TAKEN
    works.world.is_down = True
    with pytest.raises(Exception, match="nobody answers"):
        take_all(folder, DOMAIN, parts=works.parts)
    works.world.is_down = False
    assert take_all(folder, DOMAIN, parts=works.parts) == 1
    assert take_all(folder, DOMAIN, parts=works.parts) == 0
    assert addresses(works) == {NAT: "bounced"}


def test_a_mail_that_cannot_be_kept_stays_with_the_relay(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert put(b"mail", str(in_the_way)) == KEEP_IT
    assert put(b"mail", "") == KEEP_IT
    assert put(b"mail", str(tmp_path / "new"), "a\r\nX: y") == KEEP_IT


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
    assert done.returncode == TAKEN
    (kept,) = (tmp_path / "new").iterdir()
    assert kept.read_bytes() == b"X-Original-To: b+x@y.z\r\nSubject: x\r\n\r\n"
