"""Any text of any script: the mail shows what was written."""

import email
import email.policy
import re
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clp_notifications.mail.display_text import cut, one_line, shown_text
from tests.cases.loading import HostileCase, hostile_cases
from tests.services.notifications.mail_builders import checked, mail_message, mailed
from tests.services.notifications.mailcheck import MailParts, text_of_markup

LINE_END = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
# Refused before they are stored; a mail that met them anyway would still be whole.
REFUSED = {f"body-{number}" for number in ("022", "029", "033", "034", "035", "036")}


def quoted_text(parts: MailParts) -> str:
    """The text that the plain part quotes."""
    lines = [line[2:] for line in parts.text.split("\n") if line.startswith("> ")]
    return "\n".join(lines)


def as_read(text: str) -> str:
    """One form of line end, and no control that a person would not see."""
    lines = LINE_END.sub("\n", text)
    return re.sub("[\x00-\x08\x0e-\x1f\x7f-\x9f]", "", lines).strip()


def without_pictures(text: str) -> str:
    return re.sub("[\u2400-\u2421\ufffd]", "", text).strip()


@pytest.mark.parametrize(
    "case",
    [case for case in hostile_cases("body") if case.id not in REFUSED],
    ids=lambda case: f"{case.id} {case.name}",
)
def test_each_hostile_text_arrives_as_text(case: HostileCase) -> None:
    parts = checked(mailed(mail_message(case.value)))
    assert without_pictures(quoted_text(parts)) == as_read(case.value)
    assert without_pictures(text_of_markup(parts.html)) == as_read(case.value)


@pytest.mark.parametrize(
    "text",
    [
        "<div>" * 2000,
        "\n" * 9998 + "x",
        "x" * 10_000,
        "&" * 10_000,
        "=\r\n" * 3000,
        "." * 10_000,
    ],
)
def test_the_most_that_a_message_can_hold_gives_a_small_mail(text: str) -> None:
    mail = mailed(mail_message(text))
    checked(mail)
    assert len(mail.data) < 200_000


def test_controls_are_seen_and_do_nothing() -> None:
    parts = checked(mailed(mail_message("a\x1b[31mb\x07\x7f\x9bc")))
    assert "> a␛[31mb␇␡\ufffdc" in parts.text


def test_a_lone_surrogate_cannot_end_the_worker() -> None:
    checked(mailed(mail_message("x\ud83dx", author="\udc00"), project_title="\udc00"))


texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=300)


@pytest.mark.property
@given(texts)
def test_text_survives_the_way_into_the_mail_and_back(text: str) -> None:
    parts = checked(mailed(mail_message(text)))
    wanted = shown_text(text)
    assert quoted_text(parts) == wanted
    assert text_of_markup(parts.html) == wanted


@pytest.mark.property
@given(texts)
def test_another_parser_reads_the_same_text(text: str) -> None:
    read = email.message_from_bytes(
        mailed(mail_message(text)).data, policy=email.policy.default
    )
    assert isinstance(read, EmailMessage)
    plain = read.get_body(("plain",))
    assert plain is not None
    quoted = re.findall(
        r"^> (.*)$", plain.get_content().replace("\r\n", "\n"), re.MULTILINE
    )
    assert "\n".join(quoted) == shown_text(text)


@pytest.mark.property
@given(texts)
def test_a_line_is_one_line_whatever_it_was(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.property
@given(texts, st.integers(2, 50))
def test_what_is_cut_is_short_and_says_so(text: str, most: int) -> None:
    shorter = cut(text, most)
    assert len(shorter) <= most
    assert shorter == text or shorter.endswith("…")
