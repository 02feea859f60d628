"""Incoming mail: its class, its effect, and dead letters that hold up nothing (T30)."""

import itertools
import json
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from clp_chassis.persistence.database import Database
from clp_contracts.notifications import UpdateMailSettings
from clp_notifications.dependencies import Bounces
from clp_notifications.inbound import unsubscribe as by_mail
from clp_notifications.inbound.bounces import BounceEffect, effect_of
from clp_notifications.inbound.classifier import (
    CLASSES,
    Mailbox,
    MailClass,
    MailFacts,
    Report,
    class_of,
    facts_of,
)
from clp_notifications.inbound.incoming import HANDLERS, handle_waiting
from clp_notifications.inbound.maildir import (
    InboundMaildir,
    deliver_to_maildir,
    reason_of,
)
from clp_notifications.inbound.mime import MalformedMail, parse_mail
from clp_notifications.routing.mail_settings import mail_settings
from clp_notifications.tables import UnsubscribeToken
from clp_notifications.unsubscribe_tokens import unsubscribe
from tests.services.notifications.bounce_reports import (
    RECIPIENT,
    REPORTS,
    Shape,
    complaint,
    report,
)
from tests.services.notifications.harness import IDENTITY, DeliveryHarness, inbound_in
from tests.services.notifications.mailcheck import cut_up
from tests.services.notifications.sample_world import World
from tests.services.notifications.server_reports import SERVER_REPORTS
from tests.services.notifications.test_bounces import addresses, mailed_to_nat, take
from tests.support.sample_world import BROADCAST

DOMAIN = IDENTITY.bounce_domain
SHAPES = (*REPORTS, *SERVER_REPORTS)
FIELD = Path(__file__).parents[2] / "cases" / "bounces.json"


def modes(harness: DeliveryHarness, person: str = "nat") -> dict[str, str]:
    settings = mail_settings(UpdateMailSettings(), actor=person, deps=harness.deps)
    return {"": settings.default} | {one.project: one.mode for one in settings.projects}


# fmt: off
EXPECTED_CLASSES = {
    # report, mailbox                             : plain                  automatic                  from a daemon          both
    (Report.FEEDBACK, Mailbox.BOUNCES):             (MailClass.COMPLAINT,   MailClass.COMPLAINT,       MailClass.COMPLAINT,   MailClass.COMPLAINT),
    (Report.FEEDBACK, Mailbox.UNSUBSCRIBE):         (MailClass.COMPLAINT,   MailClass.COMPLAINT,       MailClass.COMPLAINT,   MailClass.COMPLAINT),
    (Report.FEEDBACK, Mailbox.UNKNOWN):             (MailClass.COMPLAINT,   MailClass.COMPLAINT,       MailClass.COMPLAINT,   MailClass.COMPLAINT),
    (Report.DELIVERY_STATUS, Mailbox.BOUNCES):      (MailClass.BOUNCE,      MailClass.BOUNCE,          MailClass.BOUNCE,      MailClass.BOUNCE),
    (Report.DELIVERY_STATUS, Mailbox.UNSUBSCRIBE):  (MailClass.BOUNCE,      MailClass.BOUNCE,          MailClass.BOUNCE,      MailClass.BOUNCE),
    (Report.DELIVERY_STATUS, Mailbox.UNKNOWN):      (MailClass.BOUNCE,      MailClass.BOUNCE,          MailClass.BOUNCE,      MailClass.BOUNCE),
    (Report.DISPOSITION, Mailbox.BOUNCES):          (MailClass.AUTOMATIC_REPLY, MailClass.AUTOMATIC_REPLY, MailClass.AUTOMATIC_REPLY, MailClass.AUTOMATIC_REPLY),
    (Report.DISPOSITION, Mailbox.UNSUBSCRIBE):      (MailClass.AUTOMATIC_REPLY, MailClass.AUTOMATIC_REPLY, MailClass.AUTOMATIC_REPLY, MailClass.AUTOMATIC_REPLY),
    (Report.DISPOSITION, Mailbox.UNKNOWN):          (MailClass.AUTOMATIC_REPLY, MailClass.AUTOMATIC_REPLY, MailClass.AUTOMATIC_REPLY, MailClass.AUTOMATIC_REPLY),
    (Report.FAILED_RECIPIENTS, Mailbox.BOUNCES):     (MailClass.BOUNCE,      MailClass.BOUNCE,          MailClass.BOUNCE,      MailClass.BOUNCE),
    (Report.FAILED_RECIPIENTS, Mailbox.UNSUBSCRIBE): (MailClass.BOUNCE,      MailClass.BOUNCE,          MailClass.BOUNCE,      MailClass.BOUNCE),
    (Report.FAILED_RECIPIENTS, Mailbox.UNKNOWN):     (MailClass.BOUNCE,      MailClass.BOUNCE,          MailClass.BOUNCE,      MailClass.BOUNCE),
    (Report.NONE, Mailbox.BOUNCES):                 (MailClass.OTHER,       MailClass.AUTOMATIC_REPLY, MailClass.BOUNCE,      MailClass.AUTOMATIC_REPLY),
    (Report.NONE, Mailbox.UNSUBSCRIBE):             (MailClass.UNSUBSCRIBE, MailClass.AUTOMATIC_REPLY, MailClass.OTHER,       MailClass.AUTOMATIC_REPLY),
    (Report.NONE, Mailbox.UNKNOWN):                 (MailClass.OTHER,       MailClass.AUTOMATIC_REPLY, MailClass.OTHER,       MailClass.AUTOMATIC_REPLY),
}
# fmt: on


def test_the_table_of_classes_is_total_and_each_class_has_a_handler() -> None:
    assert set(EXPECTED_CLASSES) == set(itertools.product(Report, Mailbox))
    for (found, mailbox), expected in EXPECTED_CLASSES.items():
        flags = itertools.product((False, True), repeat=2)
        for (daemon, automatic), kind in zip(flags, expected, strict=True):
            facts = MailFacts(
                report=found,
                mailbox=mailbox,
                is_automatic_reply=automatic,
                is_from_daemon=daemon,
            )
            assert class_of(facts) is kind, facts
    assert set(HANDLERS) == set(MailClass)
    assert {rule.result for rule in CLASSES} == set(MailClass)


@pytest.mark.parametrize("shape", SHAPES, ids=[one.name for one in SHAPES])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_each_shape_of_a_report_has_its_class_and_effect(
    harness: DeliveryHarness, shape: Shape
) -> None:
    (mail,) = mailed_to_nat(harness)
    raw = shape.text(mail.sender).encode()
    assert class_of(facts_of(parse_mail(raw), DOMAIN)) is shape.kind
    assert take(harness, raw) == shape.result
    stops = {BounceEffect.PERMANENT: {RECIPIENT: "bounced"}}
    assert addresses(harness) == stops.get(shape.result, {})


def test_there_are_forty_shapes_of_reports() -> None:
    assert len({one.name for one in SHAPES}) == len(SHAPES) >= 40


def test_every_action_and_status_has_an_effect() -> None:
    for action, kind, subject, detail in itertools.product(
        ("failed", "delayed", "delivered", "relayed", "expanded", "", "other"),
        "245",
        range(8),
        range(40),
    ):
        effect = effect_of(action, f"{kind}.{subject}.{detail}")
        if effect is BounceEffect.PERMANENT:
            assert (kind, subject) == ("5", 1) or (subject, detail) == (2, 1)
            assert (subject, detail) not in {(1, 7), (1, 8)}
        if action not in ("failed", "delayed", ""):
            assert effect is BounceEffect.NONE


# fmt: off
FIELD_RESULTS = {
    "does not stop the address": {BounceEffect.POLICY},
    "for now": {BounceEffect.TEMPORARY},
    "for good": {BounceEffect.PERMANENT},
    "no bounce": {"ignored"},
    "stops mails to that address": {"mails_off"},
}
# fmt: on
FIELD_ROWS = json.loads(FIELD.read_text("utf-8"))["rows"]


@pytest.mark.parametrize("row", FIELD_ROWS, ids=[row["id"] for row in FIELD_ROWS])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_bounces_of_the_field_are_understood(
    harness: DeliveryHarness, row: dict[str, str]
) -> None:
    (mail,) = mailed_to_nat(harness)
    placeholder = f"b+{'0' * 32}.{'a' * 16}@{DOMAIN}"
    raw = row["input"].replace(placeholder, mail.sender).encode()
    assert take(harness, raw) in FIELD_RESULTS[row["wanted"]]


def test_a_policy_bounce_stops_nobody_and_is_sent_again(
    harness: DeliveryHarness, world: World
) -> None:
    (mail,) = mailed_to_nat(harness)
    before = REGISTRY.get_sample_value("clp_policy_bounces_total") or 0
    raw = report("5.7.26")(mail.sender).encode()
    assert take(harness, raw) == BounceEffect.POLICY
    assert take(harness, raw) == BounceEffect.POLICY
    assert REGISTRY.get_sample_value("clp_policy_bounces_total") == before + 1
    assert harness.states("m1") == {"nat": ("due", "policy")}
    harness.deliver()
    assert len(harness.transport.mails) == 1
    world.clock.forward(hours=1)
    harness.deliver()
    assert harness.states("m1") == {"nat": ("sent", "accepted")}
    assert take(harness, raw) == BounceEffect.POLICY
    assert harness.states("m1") == {"nat": ("due", "policy")}
    assert addresses(harness) == {}


def test_a_mail_that_a_policy_bounces_again_and_again_is_sent_less_often(
    harness: DeliveryHarness, world: World
) -> None:
    """It never fails for good, and is not sent more often than helps (rule 41)."""
    (mail,) = mailed_to_nat(harness)
    raw = report("5.7.1")(mail.sender).encode()
    for hours in (1, 2, 4, 8, 16, 24, 24):
        take(harness, raw)
        world.clock.forward(hours=hours, seconds=-1)
        assert harness.deliver() == 0
        world.clock.forward(seconds=1)
        assert harness.deliver() == 1
        assert harness.states("m1") == {"nat": ("sent", "accepted")}


def test_a_mail_without_a_class_fails_alone_and_can_be_sent_again(
    harness: DeliveryHarness, world: World
) -> None:
    (mail,) = mailed_to_nat(harness)
    take(harness, report("5.0.0")(mail.sender).encode())
    assert harness.states("m1") == {"nat": ("dead", "mail_bounced")}
    world.post("ivy", BROADCAST)
    harness.run()
    assert harness.states("m2") == {"nat": ("sent", "accepted")}


# fmt: off
WAYS_OF_A_COMPLAINT = [
    # where the report holds our envelope sender
    ("as its recipient",         complaint),
    ("as Original-Mail-From",    lambda sender: complaint("fbl@clp.example", more=f"Original-Mail-From: <{sender}>\r\n")),
    ("in the returned headers",  lambda sender: complaint("fbl@clp.example").replace(b"--b--", f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nReturn-Path: <{sender}>\r\nSubject: x\r\n--b--".encode())),
    ("in an international mail", lambda sender: complaint("fbl@clp.example").replace(b"--b--", f"--b\r\nContent-Type: message/global\r\n\r\nReturn-Path: <{sender}>\r\n\r\nHello\r\n--b--".encode())),
    ("in a part called text",    lambda sender: complaint(sender).replace(b"message/feedback-report", b"text/plain")),
    ("in the returned mail",     lambda sender: complaint("fbl@clp.example", "fraud").replace(b"--b--", f"--b\r\nContent-Type: message/rfc822\r\n\r\nReturn-Path: <{sender}>\r\n\r\nHello\r\n--b--".encode())),
]
# fmt: on


@pytest.mark.parametrize(
    ("way", "text"), WAYS_OF_A_COMPLAINT, ids=[row[0] for row in WAYS_OF_A_COMPLAINT]
)
def test_a_complaint_turns_the_mails_of_its_reader_off_and_explains_it(
    harness: DeliveryHarness, world: World, way: str, text: object
) -> None:
    mail_settings(
        UpdateMailSettings(project="p1", mode="at_once"), actor="nat", deps=harness.deps
    )
    (mail,) = mailed_to_nat(harness)
    assert callable(text)
    for _ in range(2):
        assert take(harness, text(mail.sender)) == "mails_off"
    assert modes(harness) == {"": "off", "p1": "off"}
    assert addresses(harness) == {}
    steps = harness.explained("m1", "nat").transitions
    assert [one.reason for one in steps].count("complained") == 1
    world.post("ivy", BROADCAST)
    harness.run()
    assert harness.states("m2") == {"nat": ("suppressed", "mail_off")}
    facts = harness.explained("m2", "nat").facts
    assert any("reported a mail as spam" in fact for fact in facts)
    # The person may choose again.
    mail_settings(UpdateMailSettings(mode="batched"), actor="nat", deps=harness.deps)
    mail_settings(
        UpdateMailSettings(project="p1", mode="batched"), actor="nat", deps=harness.deps
    )
    facts = harness.explained("m2", "nat").facts
    assert not any("spam" in fact for fact in facts)


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "x-unknown"])
def test_other_feedback_is_no_complaint(harness: DeliveryHarness, kind: str) -> None:
    (mail,) = mailed_to_nat(harness)
    assert take(harness, complaint(mail.sender, kind)) == "no_complaint"
    assert modes(harness) == {"": "batched"}


def test_a_forged_complaint_changes_nothing(harness: DeliveryHarness) -> None:
    (mail,) = mailed_to_nat(harness)
    forged = mail.sender.replace(mail.sender[40:44], "0000")
    assert take(harness, complaint(forged)) == "not_ours"
    assert modes(harness) == {"": "batched"}


def unsubscribe_mail(harness: DeliveryHarness) -> tuple[str, str]:
    """Address and subject of the mailto link of the last mail."""
    header = cut_up(harness.transport.mails[-1].data).one("List-Unsubscribe")
    link = header.partition("<mailto:")[2].partition(">")[0]
    address, _, subject = link.partition("?subject=")
    return address, subject


def unsubscribing(address: str, token: str, place: str) -> bytes:
    """A mail with a token in its subject or text, encoded or not."""
    subject = token if place == "subject" else "unsubscribe"
    text = "" if "subject" in place else token
    encoding = ""
    if place == "encoded text":
        text = text.replace("_", "=5F")
        encoding = "Content-Transfer-Encoding: quoted-printable\r\n"
    if place == "encoded subject":
        words = [one.replace("_", "=5F") for one in (token[:20], token[20:])]
        subject = f"=?utf-8?q?{words[0]}?=\r\n =?utf-8?q?{words[1]}?="
    raw = (
        f"From: somebody@else.example\r\nTo: {address}\r\nSubject: {subject}\r\n"
        f"{encoding}\r\n{text}\r\n"
    )
    return raw.encode()


@pytest.mark.parametrize(
    "place", ["subject", "text", "encoded text", "encoded subject"]
)
def test_unsubscribing_by_mail_works_as_the_link(
    harness: DeliveryHarness, world: World, place: str
) -> None:
    mailed_to_nat(harness)
    address, token = unsubscribe_mail(harness)
    assert address == f"unsubscribe@{DOMAIN}"
    assert len(token) == 43
    assert take(harness, unsubscribing(address, token, place)) == "done"
    assert modes(harness) == {"": "batched", "p1": "off"}
    other = f"AAAA{token[4:]}"
    assert take(harness, unsubscribing(address, other, place)) == "unknown_token"
    world.post("ivy", BROADCAST)
    harness.run()
    assert harness.states("m2") == {"nat": ("suppressed", "mail_off")}


def test_t30_a_mail_of_many_tokens_costs_few_look_ups(
    harness: DeliveryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailed_to_nat(harness)
    address, token = unsubscribe_mail(harness)
    looked_up: list[str] = []

    def noting(database: Database, token: str, *, at: datetime) -> bool:
        looked_up.append(token)
        return unsubscribe(database, token, at=at)

    monkeypatch.setattr(by_mail, "unsubscribe", noting)
    many = " ".join(f"{number:043}" for number in range(1_000))
    mail = unsubscribing(address, f"{token} {many}", "subject")
    assert take(harness, mail) == "done"
    assert len(looked_up) == by_mail.MAX_TOKENS
    assert modes(harness) == {"": "batched", "p1": "off"}


def test_a_token_is_random_and_one_per_person_and_project(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nia")
    mailed_to_nat(harness, 2)
    tokens = [
        cut_up(mail.data).one("List-Unsubscribe").split("/-/unsubscribe/")[1][:43]
        for mail in harness.transport.mails
    ]
    assert len(tokens) == 4
    with harness.database.reading() as session:
        rows = list(session.scalars(select(UnsubscribeToken)))
    assert {row.token for row in rows} == set(tokens)
    assert {(row.person, row.project) for row in rows} == {("nat", "p1"), ("nia", "p1")}


def deep(levels: int) -> bytes:
    """A mail of so many nested multiparts."""
    parts = "".join(
        f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n'
        for n in range(levels)
    )
    return f"From: MAILER-DAEMON@x\r\n{parts}\r\nx".encode()


# fmt: off
HOSTILE = [
    ("nested multiparts",         lambda sender: deep(5_000),                                                 "nested too deeply"),
    ("a comment in a comment",    lambda sender: f"To: {'(' * 100_000}{sender}\r\n\r\nx".encode(),             "too large"),
    ("comments below the limit",  lambda sender: f"To: {'(' * 2_000} {sender}\r\n\r\nx".encode(),              "nested too deeply"),
    ("a header of a megabyte",    lambda sender: b"X: " + b"a" * 1_000_000,                                   "too large"),
    ("a status of a megabyte",    lambda sender: report("5.1.1", more="X-More: " + "a" * 100_000)(sender).encode(),  "too large"),
    ("many header fields",        lambda sender: b"X: y\r\n" * 5_000 + b"\r\n",                               "too many fields"),
    ("many parts",                lambda sender: b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 5_000, "too many parts"),
    ("broken base64",             lambda sender: f'To: {sender}\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\nA\r\n--b--\r\n'.encode(), "broken base64"),
    ("an impossible letter",      lambda sender: report("5.1.1", recipient=r"utf-8; \x{FFFFFF}@north.example")(sender).encode(), "impossible address"),
    ("mails in mails",            lambda sender: f"From: MAILER-DAEMON@x\r\nTo: {sender}\r\n".encode() + b"Content-Type: message/rfc822\r\n\r\n" * 30_000, "nested too deeply"),
]
# fmt: on


@pytest.mark.parametrize(
    ("what", "text", "reason"), HOSTILE, ids=[row[0] for row in HOSTILE]
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_cannot_be_parsed_is_a_dead_letter_and_the_next_is_taken(
    harness: DeliveryHarness, tmp_path: Path, what: str, text: object, reason: str
) -> None:
    assert callable(text)
    folder = tmp_path / "incoming"
    (mail,) = mailed_to_nat(harness)
    harness.deps = replace(
        harness.deps, bounces=Bounces(domain=DOMAIN, folder=str(folder))
    )
    for name, raw in (
        ("1", text(mail.sender)),
        ("2", report("5.1.1")(mail.sender).encode()),
    ):
        deliver_to_maildir(raw, str(folder))
        (new,) = [one for one in (folder / "new").iterdir() if len(one.name) > 1]
        new.rename(folder / "new" / name)
    assert handle_waiting(harness.deps) == 2
    assert addresses(harness) == {RECIPIENT: "bounced"}
    maildir = InboundMaildir(str(folder))
    assert [path.name for path in maildir.dead()] == ["1"]
    assert reason in (folder / "dead" / "1.reason").read_text("utf-8")
    assert maildir.waiting() == []
    # Put back by an operator, it is tried again.
    (folder / "dead" / "1").rename(folder / "new" / "1")
    assert handle_waiting(harness.deps) == 1


FAILURES = [
    RecursionError(),
    KeyError("x"),
    ValueError("nat@north.example"),
    MemoryError(),
]


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_whatever_goes_wrong_is_a_dead_letter_and_the_next_is_taken(
    harness: DeliveryHarness, tmp_path: Path, failure: Exception
) -> None:
    folder = inbound_in(harness, tmp_path / "incoming")
    (mail,) = mailed_to_nat(harness)

    def fail(*_: object) -> str:
        raise failure

    deliver_to_maildir(complaint(mail.sender), str(folder))
    deliver_to_maildir(report("5.1.1")(mail.sender).encode(), str(folder))
    handlers = {**HANDLERS, MailClass.COMPLAINT: fail}
    assert handle_waiting(harness.deps, handlers) == 2
    assert addresses(harness) == {RECIPIENT: "bounced"}
    (dead,) = InboundMaildir(str(folder)).dead()
    # What and where, and nothing that the mail said.
    assert reason_of(dead) == f"{type(failure).__name__} in test_inbound.py, fail"
    assert handle_waiting(harness.deps) == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_handled_mail_that_cannot_be_removed_holds_up_nothing(
    harness: DeliveryHarness, tmp_path: Path
) -> None:
    folder = inbound_in(harness, tmp_path / "incoming")
    (mail,) = mailed_to_nat(harness)

    def replaced_by_a_folder(*_: object) -> str:
        (path,) = (folder / "new").glob("1*")
        path.unlink()
        path.mkdir()
        return "handled"

    for name, raw in (
        ("1", complaint(mail.sender)),
        ("2", report("5.1.1")(mail.sender).encode()),
    ):
        deliver_to_maildir(raw, str(folder))
        (new,) = [one for one in (folder / "new").iterdir() if len(one.name) > 1]
        new.rename(folder / "new" / name)
    handlers = {**HANDLERS, MailClass.COMPLAINT: replaced_by_a_folder}
    assert handle_waiting(harness.deps, handlers) == 1
    assert addresses(harness) == {RECIPIENT: "bounced"}


LONG = {
    "empty lines": b"\n",
    "empty lines of a gateway": b"\r\n",
    "short lines": b"a\n",
    "addresses": b"<nat@north.example>:\n",
    "tags": b"<a>",
    "encoded words": b"=?a?q?",
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("piece", LONG.values(), ids=LONG.keys())
def test_a_bounce_of_a_megabyte_is_read_in_a_few_seconds(
    harness: DeliveryHarness, piece: bytes
) -> None:
    (mail,) = mailed_to_nat(harness)
    head = f"From: MAILER-DAEMON@x.example\r\nTo: {mail.sender}\r\n"
    long_header = b"Subject: " + (piece * 60_000)[:60_000].replace(b"\n", b"")
    began = time.process_time()
    body = (piece * 1_000_000)[:1_000_000]
    for raw in (body, long_header + b"\r\n\r\n" + body):
        take(harness, head.encode() + b"\r\n" * (raw is body) + raw)
    # Minutes without limits, and a second with them.
    assert time.process_time() - began < 8
    assert addresses(harness) == {}


def test_mails_below_the_limits_are_parsed() -> None:
    assert len(list(parse_mail(deep(20)).walk())) == 21
    with pytest.raises(MalformedMail):
        parse_mail(deep(21))


def test_each_class_of_incoming_mail_is_counted(
    harness: DeliveryHarness, tmp_path: Path
) -> None:
    folder = str(tmp_path / "incoming")
    harness.deps = replace(harness.deps, bounces=Bounces(domain=DOMAIN, folder=folder))
    (mail,) = mailed_to_nat(harness)

    def counted(kind: str, result: str) -> float:
        labels = {"class": kind, "result": result}
        return REGISTRY.get_sample_value("clp_incoming_mails_total", labels) or 0

    wanted = [("bounce", "temporary"), ("complaint", "mails_off"), ("other", "ignored")]
    before = [counted(*one) for one in wanted]
    deliver_to_maildir(report("4.2.2")(mail.sender).encode(), folder)
    deliver_to_maildir(complaint(mail.sender), folder)
    deliver_to_maildir(b"From: a@b.example\r\n\r\nhello", folder, "x@clp.example")
    assert handle_waiting(harness.deps) == 3
    assert [counted(*one) for one in wanted] == [number + 1 for number in before]
