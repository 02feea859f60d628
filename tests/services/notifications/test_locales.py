"""The languages of mails: complete catalogs, plurals, and times with their zone."""

import re
from datetime import UTC, datetime
from importlib.resources import files
from io import BytesIO
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from clp_contracts.transition_reasons import SENTENCES as TRANSITION_SENTENCES
from clp_core.routing import SENTENCES as ROUTING_SENTENCES
from clp_notifications.mail.addresses import address_of
from clp_notifications.mail.content import Kind
from clp_notifications.mail.locales import (
    LocalePreferences,
    best_language,
    languages,
    locale_of,
    shown_size,
    shown_time,
)
from tests.services.notifications.harness import COMPOSER
from tests.services.notifications.mail_builders import (
    INTERNAL,
    channel,
    checked,
    mail_content,
    mail_message,
    mailed,
)
from tests.services.notifications.mailcheck import cut_up

PACKAGE = files("clp_notifications")
TRANSLATED = [language for language in languages() if language != "en"]
KEYWORDS: dict[str, Any] = {"N_": None, "_": None, "ngettext": (1, 2)}
METHODS = [
    ("**/templates/**", "jinja2.ext:babel_extract"),
    ("**.py", "python"),
]
HOLE = re.compile(r"%\(\w+\)[sd]")


def sentences_in_the_code() -> set[str | tuple[str, ...]]:
    """Every sentence that templates and code mark for translation."""
    options = {"**/templates/**": {"newstyle_gettext": "true"}}
    found = extract_from_dir(
        str(PACKAGE), METHODS, options, keywords=KEYWORDS, strip_comment_tags=True
    )
    marked = {
        message if isinstance(message, str) else tuple(message)
        for _, _, message, _, _ in found
    }
    # The core and the states know no catalogs; explanations translate their sentences.
    return {*marked, *ROUTING_SENTENCES.values(), *TRANSITION_SENTENCES.values()}


def catalogue(language: str) -> Any:
    source = PACKAGE / "mail" / "catalogs" / f"{language}.po"
    return read_po(BytesIO(source.read_bytes()), locale=language, abort_invalid=True)


def test_the_four_languages_are_there() -> None:
    assert languages() == ("ar", "en", "fr", "ja")


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_every_sentence_and_no_other(language: str) -> None:
    told = {
        message.id if isinstance(message.id, str) else tuple(message.id)
        for message in catalogue(language)
        if message.id
    }
    assert told == sentences_in_the_code()
    assert len(told) > 20


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_is_whole_and_keeps_its_holes(language: str) -> None:
    read = catalogue(language)
    for message in read:
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        said_so = [message.string] if message.pluralizable is False else message.string
        assert len(said_so) == (read.num_plurals if message.pluralizable else 1)
        for translation in said_so:
            assert translation
            assert set(HOLE.findall(translation)) == set(HOLE.findall(ids[-1]))


# fmt: off
PLURALS = [
    # language, number, the sentence about so many more messages
    ("en",   1, "1 new message"),
    ("en",   2, "2 new messages"),
    ("en",   0, "0 new messages"),
    ("fr",   0, "0 nouveau message"),
    ("fr",   1, "1 nouveau message"),
    ("fr",   2, "2 nouveaux messages"),
    ("ja",   1, "新着メッセージ 1 件"),
    ("ja",   7, "新着メッセージ 7 件"),
    ("ar",   1, "رسالة جديدة واحدة (1)"),
    ("ar",   2, "رسالتان جديدتان (2)"),
    ("ar",   3, "3 رسائل جديدة"),
    ("ar",  11, "11 رسالة جديدة"),
    ("ar", 100, "100 رسالة جديدة"),
    ("ar", 103, "103 رسائل جديدة"),
]

TIMES = [
    # language, zone,              12:30 UTC on 1 March and on 1 July 2026
    ("en",    "UTC",              "1 March 2026, 12:30 UTC",     "1 July 2026, 12:30 UTC"),
    ("en",    "Europe/Paris",     "1 March 2026, 13:30 CET",     "1 July 2026, 14:30 CEST"),
    ("en-US", "America/New_York", "March 1, 2026, 7:30\u202fAM EST", "July 1, 2026, 8:30\u202fAM EDT"),
    ("fr",    "Europe/Paris",     "1 mars 2026, 13:30 (heure normale d’Europe centrale)", "1 juillet 2026, 14:30 (heure d’été d’Europe centrale)"),
    ("ja",    "Asia/Tokyo",       "2026年3月1日 21:30 JST",       "2026年7月1日 21:30 JST"),
    ("ar",    "Asia/Riyadh",      "1 مارس 2026، 3:30 م (التوقيت العربي الرسمي)", "1 يوليو 2026، 3:30 م (التوقيت العربي الرسمي)"),
    ("de",    "Europe/Berlin",    "1 March 2026, 13:30 CET",     "1 July 2026, 14:30 CEST"),
    ("en",    "Moon/Crater",      "1 March 2026, 12:30 UTC",     "1 July 2026, 12:30 UTC"),
]

BEST = [
    # requested,              language of the mail
    (("fr",),                 "fr"),
    (("fr-CA",),              "fr"),
    (("FR",),                 "fr"),
    (("ar-EG",),              "ar"),
    (("pt-BR",),              "en"),
    (("pt-BR", "ja", "fr"),   "ja"),
    (("",),                   "en"),
    ((),                      "en"),
    (("../fr",),              "en"),
    (("x-private",),          "en"),
]

SIZES = [
    # language, bytes, shown
    ("en",          1, "0.1 kB"),
    ("en",      1_000, "1 kB"),
    ("en",  1_300_000, "1.2 MB"),
    ("en", 10_485_760, "10 MB"),
    ("fr",  1_300_000, "1,2 Mo"),
    ("ja",  1_300_000, "1.2 MB"),
]
# fmt: on


@pytest.mark.parametrize(("language", "number", "wanted"), PLURALS)
def test_numbers_follow_the_plural_rules_of_the_language(
    language: str, number: int, wanted: str
) -> None:
    text_found = locale_of(language).translations.ngettext(
        "%(num)d new message", "%(num)d new messages", number
    )
    assert text_found % {"num": number} == wanted


@pytest.mark.parametrize(("language", "zone", "winter", "summer"), TIMES)
def test_a_time_is_the_reader_s_with_the_zone_named(
    language: str, zone: str, winter: str, summer: str
) -> None:
    locale_preferences = LocalePreferences(language, zone)
    for month, wanted in ((3, winter), (7, summer)):
        at = datetime(2026, month, 1, 12, 30, tzinfo=UTC)
        assert shown_time(at, locale_preferences).replace(
            "\u202f", " "
        ) == wanted.replace("\u202f", " ")


@pytest.mark.parametrize(("wanted", "language"), BEST)
def test_a_reader_gets_the_first_supported_language(
    wanted: tuple[str, ...], language: str
) -> None:
    assert best_language(wanted) == language


@pytest.mark.parametrize(("language", "size", "wanted"), SIZES)
def test_a_size_is_written_as_the_language_writes_it(
    language: str, size: int, wanted: str
) -> None:
    shown = shown_size(size, LocalePreferences(language))
    assert re.sub("[\u00a0\u202f]", " ", shown) == wanted


@pytest.mark.parametrize(
    "tag", ["fr-CA", "ar-EG", "ja-JP", "en-IN", "de-CH", "zh-Hant-TW", "i-klingon", "?"]
)
def test_any_language_and_any_zone_give_a_mail_without_fault(tag: str) -> None:
    for zone in ("Asia/Kathmandu", "Pacific/Chatham", "Nowhere", ""):
        checked(
            mailed(
                mail_message("Hello"), locale_preferences=LocalePreferences(tag, zone)
            )
        )


def test_a_latin_name_cannot_turn_an_arabic_sentence_round() -> None:
    parts = checked(
        mailed(
            mail_message(author="Ivy Lane"), locale_preferences=LocalePreferences("ar")
        )
    )
    assert "\u2068Ivy Lane\u2069" in parts.text
    assert '<html lang="ar" dir="rtl"' in parts.html


# fmt: off
LINKS = {
    # language: where the reader may post, where not
    "en": ("Read and answer",    "Read in the portal"),
    "fr": ("Lire et répondre",   "Lire dans le portail"),
    "ja": ("読んで返信する",       "ポータルで読む"),
    "ar": ("اقرأ وأجب",          "اقرأ في البوابة"),
}
# fmt: on


@pytest.mark.parametrize("language", LINKS)
def test_a_link_offers_an_answer_only_where_the_reader_may_post(language: str) -> None:
    preferences = LocalePreferences(language)
    reply, read = LINKS[language]
    mails = [
        (mail_content(locale_preferences=preferences), read),
        (mail_content(locale_preferences=preferences, kind=Kind.MENTION), read),
        (mail_content(locale_preferences=preferences, reader=INTERNAL), reply),
        (
            mail_content(locale_preferences=preferences, channel=channel("north")),
            reply,
        ),
    ]
    for content, words in mails:
        mail = COMPOSER.compose(content, address_of(content.reader.email))
        parts = cut_up(mail.data)
        (other,) = {reply, read} - {words}
        for body in (parts.text, parts.html):
            assert words in body
            assert other not in body
