"""The bytes of every kind of mail, raw, by H1 to H17."""

import email
import email.policy

import pytest

from clp_core.people import PartnerId, PersonId
from clp_notifications.mail.addresses import address_of
from clp_notifications.mail.composer import OutgoingMail, list_of, thread_of
from clp_notifications.mail.content import Kind, MailContent
from clp_notifications.mail.mime_parts import part
from tests.services.notifications.harness import COMPOSER, TOKENS
from tests.services.notifications.mail_builders import (
    INTERNAL,
    MAIL,
    MESSAGE,
    channel,
    checked,
    file,
    mail_content,
    mail_message,
    mailed,
    reader,
)
from tests.services.notifications.mailcheck import faults

KINDS = {
    "a broadcast": mail_content(),
    "a robot's broadcast": mail_content(
        mail_message("Audio is here.", author="Robot", automatic=True)
    ),
    "a mention": mail_content(kind=Kind.MENTION),
    "a direct message to a partner": mail_content(
        kind=Kind.DIRECT, channel=channel("north"), partner="North Dubbing"
    ),
    "a direct message from a partner": mail_content(
        mail_message(author="Nat Moreau"),
        kind=Kind.DIRECT,
        channel=channel("north"),
        partner="North Dubbing",
        reader=INTERNAL,
    ),
    "several messages": mail_content(
        *(mail_message(f"Message {n}", number=n) for n in range(1, 6))
    ),
    "files and no text": mail_content(
        mail_message("", files=(file("a.pdf"), file("b.wav", 9_000_000)))
    ),
    "right to left": mail_content(
        mail_message("שלום @Nat\nEnglish 12"),
        project_title="רכבת לילה",
        reader=reader(name="دانة كمال"),
    ),
    "Japanese": mail_content(
        mail_message("こんにちは。\n" * 50), project_title="夜行列車"
    ),
    "a long message": mail_content(mail_message('"<&>"' * 2000)),
    "many long messages": mail_content(
        *(mail_message("x & y\n" * 1500, number=n) for n in range(1, 90))
    ),
    "ids with dots": mail_content(
        channel=channel("a..b.", "p.1."),
        kind=Kind.DIRECT,
        partner="A B",
        reader=reader(partner=PartnerId("a..b.")),
    ),
    "the longest ids": mail_content(
        channel=channel("q" + "." * 63, "p" + "." * 63), kind=Kind.DIRECT, partner="Q"
    ),
    "an international domain": mail_content(reader=reader(email="dana@bücher.example")),
    "an international address": mail_content(
        reader=reader(email="däna@bücher.example")
    ),
}


def composed(written: MailContent) -> OutgoingMail:
    return COMPOSER.compose(written, address_of(written.reader.email))


@pytest.mark.parametrize("written", KINDS.values(), ids=KINDS.keys())
def test_every_kind_of_mail_is_without_fault(written: MailContent) -> None:
    checked(composed(written))


def test_equal_content_gives_equal_bytes() -> None:
    assert mailed() == mailed()


def test_the_message_id_names_nobody_and_is_the_same_on_every_attempt() -> None:
    parts = checked(mailed(mail_message("one"), mail_message("two")))
    again = checked(mailed(mail_message("two")))
    assert parts.one("Message-ID") == again.one("Message-ID")
    alias = TOKENS.alias("nat")
    assert (
        parts.one("Message-ID") == f"<n.{MESSAGE}.{alias}.broadcast.{MAIL}@clp.example>"
    )


def test_subjects_are_stable_and_hold_titles_only() -> None:
    subjects = {
        ("ivy", channel()): "[Night Train] Broadcast",
        ("nat", channel("north")): "[Night Train] Direct messages with the studio",
        ("ian", channel("north")): "[Night Train] Direct messages with North Dubbing",
    }
    for (who, where), subject in subjects.items():
        person = reader() if who == "nat" else INTERNAL
        partner = None if where.partner is None else "North Dubbing"
        mail = mailed(
            mail_message("salary 100k"), channel=where, partner=partner, reader=person
        )
        assert checked(mail).one("Subject") == subject


def test_a_partner_sees_the_studio_and_never_a_partners_name() -> None:
    parts = checked(
        mailed(kind=Kind.DIRECT, channel=channel("north"), partner="North Dubbing")
    )
    everything = parts.head + parts.text + parts.html
    assert "North Dubbing" not in everything
    assert "Direct messages with the studio" in parts.text


def test_threads_and_lists_differ_wherever_channels_do() -> None:
    channels = [
        channel(),
        channel("north"),
        channel(project="p2"),
        channel("broadcast"),
        channel("b.broadcast", "a"),
        channel(project="a.direct-b"),
        channel("b", "a.direct"),
        channel("a.b", "c"),
        channel("b", "c.a"),
    ]
    contents = [mail_content(channel=one) for one in channels]
    contents.append(mail_content(kind=Kind.DIGEST))
    assert len({thread_of(one) for one in contents}) == len(contents)
    assert len({list_of(one, "clp.example") for one in contents}) == len(contents)


def test_the_date_is_that_of_the_message_and_not_of_sending() -> None:
    assert checked(mailed()).one("Date") == "Sun, 01 Mar 2026 12:30:00 +0000"


def test_the_envelope_sender_can_be_checked_on_its_way_back() -> None:
    sender = mailed().sender
    mail, mac = sender.removeprefix("b+").split("@")[0].split(".")
    assert TOKENS.is_verp_mac(mail, "nat@north.example", mac)
    assert not TOKENS.is_verp_mac("c3" * 16, "nat@north.example", mac)
    assert not TOKENS.is_verp_mac(mail, "nia@north.example", mac)


def test_the_text_states_author_channel_text_reason_and_unsubscribe_link() -> None:
    mail = mailed(
        mail_message("First line\n> quoted", files=(file("cut 3.pdf", 1_250_000),))
    )
    lines = checked(mail).text.split("\n")
    assert lines[:5] == [
        "Night Train - Broadcast",
        "",
        "Ivy Lane wrote, 1 March 2026, 12:30 UTC:",
        "",
        "> First line",
    ]
    assert "> > quoted" in lines
    assert "* cut 3.pdf (1.2 MB)" in lines
    assert "  https://clp.example/-/attachments/f1" in lines
    assert "Read in the portal: https://clp.example/p1/broadcast/7" in lines
    assert (
        "You get this mail because you follow Night Train, and this is a broadcast."
        in lines
    )
    assert lines[-2].startswith("https://clp.example/-/unsubscribe/")


def test_the_automatic_mark_comes_from_the_sender_and_not_from_the_name() -> None:
    robot = checked(mailed(mail_message(author="Robot", automatic=True)))
    person = checked(mailed(mail_message(author="Nеtflix Robot")))
    assert "Robot posted automatically" in robot.text
    assert "automatic message" in robot.html
    assert "automatic" not in person.text.split("-- ")[0]
    assert "automatic" not in person.html


def test_what_does_not_fit_is_counted_and_linked() -> None:
    parts = checked(composed(KINDS["many long messages"]))
    assert "more messages: https://clp.example/p1/broadcast" in parts.text
    assert "more messages" in parts.html


def test_a_long_text_is_whole_in_the_text_and_cut_in_the_markup() -> None:
    parts = checked(mailed(mail_message('"' * 10_000)))
    assert '"' * 10_000 in parts.text
    assert "The text goes on where the link leads." in parts.html


def test_other_parsers_read_the_same_address_and_subject() -> None:
    mail = mailed(
        project_title="Zug – Nacht, “eins”",
        reader=reader(name='Moreau, "Nat" <x@y.example>'),
    )
    checked(mail)
    read = email.message_from_bytes(mail.data, policy=email.policy.default)
    (to,) = read["To"].addresses
    assert (to.addr_spec, to.display_name) == (
        "nat@north.example",
        'Moreau, "Nat" <x@y.example>',
    )
    assert read["Subject"] == "[Zug – Nacht, “eins”] Broadcast"
    assert [part.get_content_type() for part in read.iter_parts()] == [
        "text/plain",
        "text/html",
    ]


# fmt: off
BREAKAGES = [
    # what                                 find                          replace
    ("H1: an unexpected header",           b"Precedence:",               b"Cc: <x@y.example>\r\nPrecedence:"),
    ("H1: To is not",                      b"<nat@",                     b"<x@y.example>, <nat@"),
    ("To stands 2 times",                  b"Precedence:",               b"To: <nat@north.example>\r\nPrecedence:"),
    ("H2: Message-ID",                     b"Message-ID: <n.",           b"Message-ID: <x."),
    ("H3: X-Notification-Id",              b"X-Notification-Id: n",      b"X-Notification-Id: m"),
    ("H4: References",                     b"References: <c.",           b"References: <n."),
    ("H4: In-Reply-To",                    b"In-Reply-To: <c.",          b"In-Reply-To: <c.x"),
    ("H6: List-Id",                        b"<broadcast.p1.clp",         b"=?utf-8?q?x?=.clp"),
    ("H7: List-Unsubscribe",               b"<https://clp.example/-", b"<http://clp.example/-"),
    ("H7: List-Unsubscribe is folded",     b", <mailto:",                b",\r\n <mailto:"),
    ("H8: List-Unsubscribe-Post",          b"=One-Click",                b"=Two-Clicks"),
    ("H8: Auto-Submitted",                 b"auto-generated",            b"no"),
    ("H8: Precedence",                     b"Precedence: list",          b"Precedence: bulk"),
    ("H9: Feedback-ID",                    b":clpmails",                 b":clp"),
    ("H10: X-Notification-Reason",         b"Reason: broadcast",         b"Reason: because"),
    ("H10: the body does not say",         b"Reason: broadcast",         b"Reason: direct"),
    ("H12: not text first",                b"text/plain",                b"text/html"),
    ("H12: not multipart/alternative",     b"multipart/alternative",     b"multipart/mixed"),
    ("H12: a tag script",                  b"<bdi>",                     b"<script>"),
    ("H12: a tag img",                     b"<br>",                      b"<img>"),
    ("H12: an attribute onclick",          b"<bdi>",                     b"<bdi onclick=3D1>"),
    ("H12: a link to a stranger",          b'href=3D"https://clp.e',    b'href=3D"https://evil.e'),
    ("H13: a bare CR or LF",               b"Hello\r\n",                 b"Hello\n"),
    ("H13: a bare CR or LF",               b"Precedence",                b"\rPrecedence"),
    ("H13: a line of more than 998",       b"Precedence: list",          b"Precedence: list" + b"x" * 1000),
    ("H13: a header byte",                 b"Night Train",               "Nächt".encode()),
    ("H13: a header byte",                 b"Night Train",               b"Night\x00"),
    ("H13: a body byte",                   b"> Hello",                   "> Hällo".encode()),
    ("H13: a line that begins with a dot", b"> Hello",                   b".\r\n> Hello"),
    ("H13: a body line of more than 76",   b"> Hello",                   b"> Hello" + b"x" * 80),
    ("H13: an encoded word of more",       b"[Night Train]",             b"=?utf-8?q?" + b"x" * 70 + b"?="),
    ("H13: a line with encoded words",     b"[Night Train]",             b"x" * 60 + b"=?utf-8?q?xxxxxxxxx?="),
    ("H13: an encoded word that cannot",   b"[Night Train]",             b"=?utf-8?q?=C3?="),
    ("H14: Date",                          b"12:30:00 +0000",            b"12:30:00 -0000"),
    ("an encoded word of latin1",          b"[Night Train]",             b"=?latin1?q?x?="),
    ("a control character in the body",    b"> Hello",                   b"> Hello=1B"),
    ("From is not one mailbox",            b"<notifications@",           b"<a@b.example>, <notifications@"),
]
# fmt: on


@pytest.mark.parametrize(
    ("fault", "find", "replace"),
    BREAKAGES,
    ids=[f"{b[0]}, {b[2][:20]!r}" for b in BREAKAGES],
)
def test_the_checker_sees_a_broken_mail(
    fault: str, find: bytes, replace: bytes
) -> None:
    mail = mailed()
    assert find in mail.data
    broken = mail.data.replace(find, replace, 1)
    found = faults(broken, sender=mail.sender, recipient=str(mail.recipient))
    assert [one for one in found if one.startswith(fault)], found


def test_the_checker_sees_a_wrong_envelope() -> None:
    mail = mailed()
    assert faults(mail.data, sender="nobody@clp.example", recipient=str(mail.recipient))
    assert faults(mail.data, sender=mail.sender, recipient="nia@north.example")


def test_a_person_whose_id_is_an_address_like_word_stays_out_of_headers() -> None:
    mail = mailed(reader=reader(id=PersonId("nat.moreau.secret")))
    parts = checked(mail)
    assert "nat.moreau.secret" not in parts.head + parts.text + parts.html


def test_a_part_of_one_long_line_has_whole_line_ends() -> None:
    made = part("text/plain", "x" * 200)
    assert made.count(b"\n") == made.count(b"\r\n") > 3
