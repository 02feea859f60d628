"""Sending by SMTP: one mail, one recipient, one effect for every reply."""

import pytest

from clp_contracts.mail_addresses import MailAddress
from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.delivery.smtp import SmtpRelay, SmtpTransport
from clp_notifications.delivery.smtp_replies import Effect
from clp_notifications.mail.composer import OutgoingMail
from tests.cases.loading import HostileCase, hostile_cases
from tests.services.notifications.mail_builders import (
    at_once,
    mail_message,
    mailed,
    reader,
)
from tests.services.notifications.relay import CUT, EXTENSIONS, SILENCE, ScriptedRelay

PLAIN = tuple(name for name in EXTENSIONS if name != "PIPELINING")


def transport(
    relay: ScriptedRelay, timeout_s: float = 30.0, scheme: str = "smtp"
) -> SmtpTransport:
    url = relay.url.replace("smtp", scheme, 1)
    return SmtpTransport(SmtpRelay.from_url(url, timeout_s, "clp.example"))


# fmt: off
SERVER_BEHAVIOURS = [
    # what the server does                      script                                                       effect                 because
    ("accepts",                                 {},                                                          Effect.SENT,            TransitionReason.ACCEPTED),
    ("closes at the greeting",                  {"CONNECT": [b"421 4.3.2 closing"]},                         Effect.THROTTLED,     TransitionReason.RELAY_BUSY),
    ("refuses the connection",                  {"CONNECT": [b"554 5.7.1 go away"]},                         Effect.RELAY_REFUSED,   TransitionReason.RELAY_REFUSED),
    ("says 421 to the sender",                  {"MAIL": [b"421 4.7.0 too many"]},                           Effect.THROTTLED,     TransitionReason.RELAY_BUSY),
    ("says 450 to the recipient",               {"RCPT": [b"450 4.2.1 greylisted"]},                         Effect.MAIL_AGAIN,      TransitionReason.MAILBOX_BUSY),
    ("has a full mailbox",                      {"RCPT": [b"452 4.2.2 full"]},                               Effect.PERSON_LATER,    TransitionReason.MAILBOX_BUSY),
    ("throttles at the end",                    {"END": [b"454 Throttling failure: Maximum rate exceeded"]}, Effect.THROTTLED,     TransitionReason.RELAY_BUSY),
    ("says 451 at the end",                     {"END": [b"451 4.3.0 disk"]},                                Effect.MAIL_AGAIN,      TransitionReason.MAILBOX_BUSY),
    ("knows no such address",                   {"RCPT": [b"550 5.1.1 unknown"]},                            Effect.ADDRESS_REFUSED, TransitionReason.ADDRESS_UNKNOWN),
    ("refuses by policy",                       {"RCPT": [b"550 5.7.1 blocked"]},                            Effect.POLICY_REFUSED,  TransitionReason.POLICY),
    ("refuses the content by policy",           {"END": [b"550 5.7.1 spam"]},                                Effect.POLICY_REFUSED,  TransitionReason.POLICY),
    ("refuses the content",                     {"END": [b"554 5.6.0 spam"]},                                Effect.MAIL_DEAD,       TransitionReason.REFUSED),
    ("finds it too big at the start",           {"MAIL": [b"552 5.3.4 too big"]},                            Effect.MAIL_DEAD,       TransitionReason.TOO_BIG),
    ("finds it too big at the end",             {"END": [b"552 5.3.4 too big"]},                             Effect.MAIL_DEAD,       TransitionReason.TOO_BIG),
    ("takes no data",                           {"DATA": [b"451 4.3.0 not now"]},                            Effect.MAIL_AGAIN,      TransitionReason.MAILBOX_BUSY),
    ("cuts before the greeting",                {"CONNECT": [CUT]},                                          Effect.THROTTLED,     TransitionReason.RELAY_UNAVAILABLE),
    ("cuts at the sender",                      {"MAIL": [CUT]},                                             Effect.THROTTLED,     TransitionReason.RELAY_UNAVAILABLE),
    ("cuts before the final reply",             {"END": [CUT]},                                              Effect.THROTTLED,     TransitionReason.RELAY_UNAVAILABLE),
    ("says nothing at the end",                 {"END": [SILENCE]},                                          Effect.THROTTLED,     TransitionReason.RELAY_UNAVAILABLE),
    ("speaks in several lines",                 {"END": [b"250-2.0.0 well\r\n250 2.0.0 kept"]},              Effect.SENT,            TransitionReason.ACCEPTED),
    ("speaks no SMTP",                          {"CONNECT": [b"HTTP/1.1 400 Bad Request"]},                  Effect.RELAY_REFUSED,   TransitionReason.RELAY_REFUSED),
]
# fmt: on


@pytest.mark.parametrize(
    "extensions", [EXTENSIONS, PLAIN], ids=["pipelining", "one by one"]
)
@pytest.mark.parametrize(
    ("what", "script", "effect", "because"),
    SERVER_BEHAVIOURS,
    ids=[row[0] for row in SERVER_BEHAVIOURS],
)
def test_each_reply_has_one_meaning(
    what: str,
    script: dict[str, list[bytes]],
    effect: Effect,
    because: TransitionReason,
    extensions: tuple[str, ...],
) -> None:
    fresh = {moment: list(replies) for moment, replies in script.items()}
    with ScriptedRelay(fresh, extensions=extensions) as relay:
        # Only silence needs the end of the wait.
        timeout_s = 0.5 if [SILENCE] in script.values() else 30.0
        reply = transport(relay, timeout_s=timeout_s).send(mailed(), at_once)
        assert (reply.effect, reply.reason) == (effect, because)
        assert len(relay.kept) == (effect is Effect.SENT)


@pytest.mark.parametrize(
    "extensions", [EXTENSIONS, PLAIN], ids=["pipelining", "one by one"]
)
@pytest.mark.parametrize(
    "script",
    [
        {"RCPT": [b"550 5.1.1 unknown"]},
        {"END": [b"554 5.6.0 spam"]},
        {"MAIL": [b"552 5.3.4 big"]},
        {"RCPT": [CUT]},
    ],
)
def test_after_a_refusal_the_next_mail_goes_through(
    script: dict[str, list[bytes]], extensions: tuple[str, ...]
) -> None:
    fresh = {moment: list(replies) for moment, replies in script.items()}
    with ScriptedRelay(fresh, extensions=extensions) as relay:
        sending = transport(relay)
        assert sending.send(mailed(), at_once).effect is not Effect.SENT
        assert sending.send(mailed(), at_once).effect is Effect.SENT
        assert relay.kept[0].recipients == ("nat@north.example",)
        sending.close()


def test_replies_that_come_in_crumbs_are_read_whole() -> None:
    with ScriptedRelay(piece=1) as relay:
        assert transport(relay).send(mailed(), at_once).effect is Effect.SENT


def test_one_connection_carries_many_mails() -> None:
    with ScriptedRelay() as relay:
        sending = transport(relay)
        for _ in range(20):
            assert sending.send(mailed(), at_once).effect is Effect.SENT
        sending.close()
        assert relay.connections == 1
        assert len(relay.kept) == 20


def test_a_relay_that_is_not_there_is_away() -> None:
    with ScriptedRelay() as relay:
        url = relay.url
    sending = SmtpTransport(SmtpRelay.from_url(url, 1.0))
    assert sending.send(mailed(), at_once).reason is TransitionReason.RELAY_UNAVAILABLE


def test_a_connection_that_died_while_idle_costs_no_mail() -> None:
    with ScriptedRelay() as relay:
        sending = transport(relay)
        sending.send(mailed(), at_once)
        for _, connection in sending._idle:
            assert connection.sock is not None
            connection.sock.shutdown(2)
        assert sending.send(mailed(), at_once).effect is Effect.SENT
        assert len(relay.kept) == 2


def test_a_connection_that_the_relay_ends_by_its_clock_costs_no_mail() -> None:
    with ScriptedRelay() as relay:
        sending = transport(relay)
        sending.send(mailed(), at_once)
        relay.script["MAIL"] = [b"421 4.4.2 idle too long"]
        assert sending.send(mailed(), at_once).effect is Effect.SENT
        assert relay.connections == 2


def test_a_relay_that_disconnects_after_a_refusal_is_heard_all_the_same() -> None:
    with ScriptedRelay({"RCPT": [b"550 5.1.1 unknown"], "RSET": [CUT]}) as relay:
        sending = transport(relay)
        assert sending.send(mailed(), at_once).effect is Effect.ADDRESS_REFUSED
        assert sending.send(mailed(), at_once).effect is Effect.SENT


def test_the_mail_arrives_byte_for_byte() -> None:
    mail = mailed(mail_message("a\n.\nb\n..\n.c"))
    with ScriptedRelay() as relay:
        transport(relay).send(mail, at_once)
        (kept,) = relay.kept
        assert kept.data == mail.data
        assert (kept.sender, kept.recipients) == (mail.sender, (str(mail.recipient),))


@pytest.mark.parametrize(
    "case",
    [c for c in hostile_cases("body") if c.id in {"body-013", "body-014", "body-015"}],
    ids=lambda c: c.name,
)
def test_no_text_can_smuggle_a_second_mail(case: HostileCase) -> None:
    with ScriptedRelay() as relay:
        transport(relay).send(mailed(mail_message(case.value)), at_once)
        assert len(relay.kept) == 1
        assert [c.split(" ")[0] for c in relay.commands] == [
            "ehlo",
            "MAIL",
            "RCPT",
            "DATA",
        ]


def test_raw_bytes_with_lone_dots_are_stuffed() -> None:
    mail = OutgoingMail(
        "m", "b@c.example", MailAddress("a", "b.example"), b".a\r\n.\r\nX: y\r\n..\r\n"
    )
    with ScriptedRelay() as relay:
        assert transport(relay).send(mail, at_once).effect is Effect.SENT
        assert relay.kept[0].data == mail.data


def test_an_international_address_goes_where_smtputf8_is_spoken() -> None:
    mail = mailed(reader=reader(email="däna@bücher.example"))
    with ScriptedRelay() as relay:
        assert transport(relay).send(mail, at_once).effect is Effect.SENT
        assert relay.kept[0].recipients == ("däna@xn--bcher-kva.example",)
        assert "SMTPUTF8" in relay.commands[1]


def test_an_international_address_is_never_mangled_for_an_old_relay() -> None:
    mail = mailed(reader=reader(email="däna@bücher.example"))
    with ScriptedRelay(extensions=("PIPELINING",)) as relay:
        sending = transport(relay)
        reply = sending.send(mail, at_once)
        assert (reply.effect, reply.reason) == (
            Effect.UNSENDABLE,
            TransitionReason.NO_SMTPUTF8,
        )
        assert len(relay.commands) == 1
        assert sending.send(mailed(), at_once).effect is Effect.SENT


def test_no_mail_is_sent_unencrypted_when_encryption_is_required() -> None:
    with ScriptedRelay(extensions=(*EXTENSIONS, "STARTTLS")) as relay:
        reply = transport(relay, scheme="smtp+starttls").send(mailed(), at_once)
        assert reply.effect is Effect.RELAY_REFUSED
    with ScriptedRelay() as relay:
        reply = transport(relay, scheme="smtp+starttls").send(mailed(), at_once)
        assert reply.effect is Effect.RELAY_REFUSED
        assert relay.kept == []


@pytest.mark.parametrize("url", ["smtp://", "http://relay", "relay:25", ""])
def test_a_url_of_no_mail_server_is_refused_at_start(url: str) -> None:
    with pytest.raises(ValueError, match="smtp_url"):
        SmtpRelay.from_url(url, 1.0)


def test_a_url_may_contain_a_user_and_a_password() -> None:
    relay = SmtpRelay.from_url("smtps://u%40x:p%3Aw@relay.example", 1.0)
    assert (relay.user, relay.password, relay.port) == ("u@x", "p:w", 465)
    assert SmtpRelay.from_url("smtp://relay.example:2525", 1.0).port == 2525
