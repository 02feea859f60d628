"""Mails from the template cache equal mails rendered whole, byte for byte."""

import quopri
import re
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clp_core.people import PartnerId, PersonId
from clp_notifications.mail.addresses import address_of
from clp_notifications.mail.composer import Composer, OutgoingMail
from clp_notifications.mail.content import Kind, MailContent
from clp_notifications.mail.locales import LocalePreferences, languages
from clp_notifications.mail.mime_parts import part, quoted
from clp_notifications.mail.rendering import Renderer
from clp_notifications.mail.templates_cache import (
    MAX_TEMPLATES,
    BadToken,
    PrerenderedPart,
    PrerenderedTemplate,
    TemplateCache,
    new_mark,
)
from tests.cases.loading import hostile_cases
from tests.services.notifications.generated import contents
from tests.services.notifications.harness import IDENTITY, TOKENS
from tests.services.notifications.mail_builders import (
    INTERNAL,
    channel,
    mail_content,
    mail_message,
    reader,
)
from tests.services.notifications.mailcheck import faults

RENDERER = Renderer(IDENTITY)
NAMES = tuple(
    case.value.encode("utf-8", "replace").decode()
    for case in hostile_cases("display_name")
)
EMAILS = ("nat@north.example", "o'hara+x@north.example", "däna@bücher.example")
IDS = ("n", "nat", "n" * 64, "a.b-c_d")


def made_whole(written: MailContent) -> OutgoingMail:
    """By a mailer that never saw such a content."""
    return Composer(IDENTITY, TOKENS, RENDERER).compose(
        written, address_of(written.reader.email)
    )


def spliced(written: MailContent, earlier: MailContent) -> OutgoingMail:
    """Compose after two mails with equal content to another reader."""
    composer = Composer(IDENTITY, TOKENS, RENDERER)
    for other in (earlier, replace(earlier, mail="c3" * 16)):
        _ = composer.compose(other, address_of(other.reader.email))
    assert composer._templates.of(written) is not None
    return composer.compose(written, address_of(written.reader.email))


def to_somebody_else(written: MailContent) -> MailContent:
    """Equal content for another reader of the same side."""
    partner = written.reader.partner and PartnerId("other")
    other = reader(
        id=PersonId("zoe"), name="Zoe", email="zoe@zoe.example", partner=partner
    )
    return replace(written, mail="d4" * 16, first_message="e5" * 16, reader=other)


@pytest.mark.parametrize("seed", range(10))
def test_a_mail_from_the_cache_equals_a_mail_rendered_whole(seed: int) -> None:
    for written in contents(10, seed):
        mail = spliced(written, to_somebody_else(written))
        assert mail == made_whole(written)


people = st.builds(
    reader,
    id=st.sampled_from(IDS).map(PersonId),
    name=st.sampled_from(NAMES) | st.text(st.characters(exclude_categories=("Cs",))),
    email=st.sampled_from(EMAILS),
    partner=st.sampled_from((PartnerId("north"), PartnerId("s" * 64), None)),
)
texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=200)
written_letters = st.builds(
    mail_content,
    st.builds(mail_message, texts, author=texts),
    mail=st.sampled_from(("a1" * 16, "0" * 32)),
    kind=st.sampled_from((Kind.BROADCAST, Kind.DIRECT, Kind.MENTION)),
    reader=people,
    project_title=texts,
    channel=st.sampled_from((channel(), channel("north"))),
    partner=texts,
    locale_preferences=st.builds(
        LocalePreferences, st.sampled_from(languages()), st.just("Asia/Tokyo")
    ),
    shows_text=st.booleans(),
)


@pytest.mark.property
@settings(max_examples=150, deadline=None)
@given(written_letters)
def test_any_content_from_the_cache_equals_the_mail_rendered_whole(
    written: MailContent,
) -> None:
    mail = spliced(written, to_somebody_else(written))
    assert mail == made_whole(written)
    assert faults(mail.data, sender=mail.sender, recipient=str(mail.recipient)) == []


def test_a_template_is_prerendered_per_side_and_locale() -> None:
    composer = Composer(IDENTITY, TOKENS, RENDERER)
    readings = product((reader(), INTERNAL), languages(), (True, False))
    for who, language, shows in (*readings, *product((reader(),), ("ja",), (True,))):
        written = mail_content(
            kind=Kind.DIRECT,
            channel=channel("north"),
            partner="North Dubbing",
            reader=who,
            locale_preferences=LocalePreferences(language),
            shows_text=shows,
        )
        for _ in range(3):
            mail = composer.compose(written, address_of(who.email))
            assert mail == made_whole(written)


def test_nothing_of_the_earlier_reader_is_in_the_mail_of_the_next() -> None:
    earlier = replace(
        to_somebody_else(mail_content()),
        reader=reader(id=PersonId("zoe"), name="Zoe Secret", email="zoe@south.example"),
        unsubscribe_token="t0ken0f" * 6,
    )
    data = spliced(mail_content(), earlier).data
    for mark in (b"Zoe", b"zoe", b"south", b"d4d4", b"e5e5"):
        assert mark not in data
    assert b"t0ken0f" not in re.sub(rb"=\r\n", b"", data)


def test_a_mark_stands_in_no_other_skeleton() -> None:
    assert len({new_mark() for _ in range(100)}) == 100


@pytest.mark.parametrize("token", ["", "a b", "a\r\nb", '"', "<", "&", "%3D", "=", "é"])
def test_a_token_with_a_meaning_in_a_mail_is_refused(token: str) -> None:
    bare = PrerenderedTemplate("", (PrerenderedPart("text/plain", "mark\n", "mark"),))
    with pytest.raises(BadToken):
        _ = bare.filled(token)


BODIES = {
    "the mark alone": "mark",
    "at the start": "mark x\nnext\n",
    "at the end": "first\nx mark",
    "twice in a line": "first\nmark and mark\nlast\n",
    "in neighbouring lines": "mark\nmark\n",
    "nowhere": "first\nlast\n",
    "after a dot and before From": ".\nmark\nFrom here\n.mark\nFrom mark\n",
    "in a long line": "x" * 74 + "mark" + "y" * 200 + "\n" + "z" * 100,
    "beside blanks": "mark \n \n\tmark\t\n",
    "among contents that base64 carries": "字" * 500 + "\nmark\n" + "字" * 500,
    "nothing at all": "",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("token", ["t", "t" * 86, "-" * 75, "A_" * 200])
def test_a_part_is_filled_as_it_would_be_written(body: str, token: str) -> None:
    template = PrerenderedPart("text/plain", body, "mark")
    assert template.filled(token) == part("text/plain", body.replace("mark", token))


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="\r\n"))))
def test_lines_are_quoted_alone_as_together(lines: list[str]) -> None:
    raw = [f"{line}\r\n".encode() for line in lines]
    assert b"".join(map(quoted, raw)) == quoted(b"".join(raw))


def test_only_so_many_skeletons_are_kept() -> None:
    made: list[MailContent] = []

    def make(bare: MailContent) -> PrerenderedTemplate:
        made.append(bare)
        return PrerenderedTemplate("", ())

    kept = TemplateCache(make)
    first, others = (
        mail_content(mail_message("first")),
        [mail_content(mail_message(f"{n}")) for n in range(200)],
    )
    found = [kept.of(first) for _ in range(3)]
    assert [one is None for one in found] == [True, False, False]
    assert made == [first.without_reader()]
    assert [kept.of(one) for one in others[:MAX_TEMPLATES]] == [None] * MAX_TEMPLATES
    assert kept.of(first) is None


@pytest.mark.parametrize("contents", range(60, 90))
@pytest.mark.parametrize("blank", [" ", "\t"])
@pytest.mark.parametrize("end", ["", "\r\n", "\r\nnext"])
def test_a_blank_at_the_end_of_a_line_makes_it_no_longer(
    contents: int, blank: str, end: str
) -> None:
    raw = f"first\r\n{'x' * contents}{blank}{end}".encode()
    written = quoted(raw)
    assert max(map(len, written.split(b"\r\n"))) <= 76
    assert quopri.decodestring(written.replace(b"\r\n", b"\n")) == raw.replace(
        b"\r\n", b"\n"
    )
