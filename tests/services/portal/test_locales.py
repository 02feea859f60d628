"""The languages of the portal: whole catalogs, plurals, dates and sizes."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from clp_portal.script_texts import script_texts
from clp_portal.translation import Locale, best_language, languages
from tests.services.portal.catalogs import catalog, sentences

TRANSLATED = [language for language in languages() if language != "en"]
HOLE = re.compile(r"%\(\w+\)s|<[^>]+>")
AT = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)


def test_the_four_languages_are_there() -> None:
    assert languages() == ("ar", "en", "fr", "ja")


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalog_has_every_sentence_and_no_other(language: str) -> None:
    translated = {
        message.id if isinstance(message.id, str) else tuple(message.id)
        for message in catalog(language)
        if message.id
    }
    assert translated == set(sentences())


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_keeps_holes_and_tags(language: str) -> None:
    for message in catalog(language):
        if not message.id:
            continue
        source = message.id if isinstance(message.id, str) else message.id[1]
        forms = [message.string] if isinstance(message.string, str) else message.string
        for form in forms:
            assert form, message.id
            missing = set(HOLE.findall(source)) - set(HOLE.findall(form))
            # "one message" may be said without its number.
            assert missing <= ({"%(num)s"} if len(forms) > 1 else set()), message.id


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (("fr-CA", "en"), "fr"),
        (("de", "ja"), "ja"),
        (("xx",), "en"),
        ((), "en"),
        (("AR-eg",), "ar"),
    ],
)
def test_the_first_language_with_a_catalog_is_taken(
    wanted: tuple[str, ...], language: str
) -> None:
    assert best_language(wanted) == language


def test_arabic_runs_from_right_to_left() -> None:
    assert [Locale(tag=tag).direction for tag in languages()] == [
        "rtl",
        "ltr",
        "ltr",
        "ltr",
    ]


def test_a_day_is_the_readers_day() -> None:
    assert Locale(time_zone="Asia/Tokyo").local_day(AT).isoformat() == "2026-11-27"
    assert Locale(time_zone="UTC").local_day(AT).isoformat() == "2026-11-26"
    assert Locale(time_zone="Nowhere/Else").local_day(AT).isoformat() == "2026-11-26"


def test_times_are_written_as_the_reader_writes_them() -> None:
    paris = Locale(tag="fr", time_zone="Europe/Paris")
    assert paris.time(AT) == "00:30"
    assert paris.day(paris.local_day(AT)) == "vendredi 27 novembre 2026"
    english = Locale(tag="en", time_zone="Europe/Paris")
    assert english.timestamp(AT) == "27 November 2026, 00:30 (GMT+01:00)"
    assert Locale(tag="en-US").time(AT).replace("\u202f", " ") == "11:30 PM"


def test_sizes_and_numbers() -> None:
    english, french = Locale(), Locale(tag="fr")
    assert english.size(1) == "0.1 kB"
    assert english.size(12_345) == "12.1 kB"
    assert french.size(3_400_000).replace("\u202f", " ") == "3,2 Mo"
    assert english.number(12_345) == "12,345"


@pytest.mark.parametrize(
    ("tag", "number", "sentence"),
    [
        ("en", 1, "1 new message"),
        ("en", 2, "2 new messages"),
        ("fr", 0, "0 nouveau message"),
        ("ja", 7, "新しいメッセージ7件"),
        ("ar", 2, "رسالتان جديدتان"),
    ],
)
def test_plurals_follow_the_language(tag: str, number: int, sentence: str) -> None:
    said = Locale(tag=tag).ngettext(
        "%(num)s new message", "%(num)s new messages", number
    )
    assert said == sentence


@pytest.mark.parametrize("language", languages())
def test_scripts_get_a_form_for_each_plural_category(language: str) -> None:
    texts: dict[str, Any] = script_texts(language)
    categories = {
        "en": ["one", "other"],
        "fr": ["one", "other"],
        "ja": ["other"],
        "ar": ["zero", "one", "two", "few", "many", "other"],
    }
    assert list(texts["new_below"]) == categories[language]


def test_language_names_are_the_readers() -> None:
    assert Locale(tag="fr").language_name("pt-BR") == "portugais (Brésil)"
    assert Locale().language_name("ja") == "Japanese"
    assert Locale().language_name("nonsense!") == "nonsense!"


def test_lists_are_joined_as_the_language_does() -> None:
    assert Locale().joined(["A", "B", "C"]) == "A, B and C"
    assert Locale(tag="ja").joined(["A", "B"]) == "A、B"
