"""Headers of hostile names and titles: encoded, cut, and never a second header."""

import email
import email.policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_contracts.mail_addresses import MailAddress
from clp_notifications.mail.headers import (
    BadHeader,
    list_id_header,
    mailbox_header,
    plain_header,
    text_header,
)
from tests.cases.loading import HostileCase, hostile_cases
from tests.services.notifications.mail_builders import (
    checked,
    mail_message,
    mailed,
    reader,
)
from tests.services.notifications.mailcheck import text_of_markup

NATS = MailAddress("nat", "north.example")
# The rest of a name or a title where the case says neutralise.
NEUTRAL = {
    "display_name-007": "Dana Bcc: x Bcc: y",
    "display_name-008": "Dana Bcc: x",
    "display_name-014": "Dana txt.exe",
    "display_name-023": "",
    "display_name-024": "Da na",
    "display_name-028": "Dana ERROR all good",
    "display_name-029": "[2J [31mDana",
    "subject-001": "Launch Bcc: thief@evil.example",
    "subject-002": "Launch <html>fake</html>",
    "subject-003": "Launch Bcc: x@evil.example",
    "subject-006": "Launch",
    "subject-016": "Launch gpj.exe",
}


def unfolded(header: str) -> str:
    return header.partition(": ")[2].replace("\r\n ", " ")


def readable(value: str) -> str:
    """The text that a reader by RFC 2047 shows."""
    return str(make_header(decode_header(value)))


def wanted_of(case: HostileCase, most: int) -> str:
    wanted = NEUTRAL.get(case.id, case.value)
    return wanted if len(wanted) <= most else wanted[: most - 1] + "…"


@pytest.mark.parametrize(
    "case", hostile_cases("display_name"), ids=lambda case: f"{case.id} {case.name}"
)
def test_each_hostile_name_stays_one_recipient(case: HostileCase) -> None:
    parts = checked(mailed(reader=reader(name=case.value)))
    phrase, _, address = parts.one("To").rpartition("<")
    assert address == "nat@north.example>"
    assert readable(phrase).strip().strip('"') == wanted_of(case, 120)


@pytest.mark.parametrize(
    "case", hostile_cases("display_name"), ids=lambda case: f"{case.id} {case.name}"
)
def test_each_hostile_name_of_an_author_is_text_in_the_body(case: HostileCase) -> None:
    parts = checked(mailed(mail_message("Hello", author=case.value)))
    name = wanted_of(case, 120) or "?"
    shown = parts.text.replace("\u2068", "").replace("\u2069", "")
    assert f"{name} wrote, 1 March 2026" in shown
    assert text_of_markup(parts.html) == "Hello"


@pytest.mark.parametrize(
    "case", hostile_cases("subject"), ids=lambda case: f"{case.id} {case.name}"
)
def test_each_hostile_title_stays_a_subject(case: HostileCase) -> None:
    parts = checked(mailed(project_title=case.value))
    title = wanted_of(case, 400)
    assert readable(parts.one("Subject")) == wanted_of_subject(title)
    read = email.message_from_string(
        f"Subject: {parts.headers['Subject'][0]}\n\n", policy=email.policy.default
    )
    assert read["Subject"] == wanted_of_subject(title)


def wanted_of_subject(title: str) -> str:
    subject = f"[{title}] Broadcast"
    return subject if len(subject) <= 400 else subject[:399] + "…"


def test_a_typed_encoded_word_is_shown_as_typed() -> None:
    typed = "=?utf-8?q?Head_of_Studio?="
    header = mailbox_header("To", typed, NATS)
    read = email.message_from_string(f"{header}\n\n", policy=email.policy.default)
    assert read["To"].addresses[0].display_name == typed


def test_a_character_with_its_accents_is_never_split() -> None:
    family = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
    header = text_header("Subject", family * 40)
    for line in header.split("\r\n"):
        word = line.split(" ")[-1]
        assert readable(word).startswith("\N{MAN}")
    assert readable(unfolded(header)) == family * 40


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x85", "\u2028", "\x0c", "\x00"])
def test_no_line_end_passes_into_a_header(end: str) -> None:
    for header in (
        text_header("Subject", f"Launch{end}Bcc: x@evil.example"),
        mailbox_header("To", f"Launch{end}Bcc: x@evil.example", NATS),
        list_id_header(f"Launch{end}Bcc: x@evil.example", "broadcast.p1.clp.example"),
    ):
        assert len(header.splitlines()) == 1
        assert "Launch Bcc: x@evil.example" in header


def test_our_own_headers_refuse_line_ends_and_controls() -> None:
    for value in ("a\r\nb", "a\x00", "é", "x" * 1000):
        with pytest.raises(BadHeader):
            plain_header("X-Notification-Id", value)


@pytest.mark.property
@given(st.text(max_size=200), st.text(max_size=200))
def test_any_title_and_name_give_a_mail_without_fault(title: str, name: str) -> None:
    parts = checked(mailed(project_title=title, reader=reader(name=name)))
    assert parts.one("To").endswith("<nat@north.example>")


@pytest.mark.property
@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=100))
def test_any_visible_title_is_read_back_as_it_was(title: str) -> None:
    assert readable(unfolded(text_header("Subject", title))) == title
