"""The reader's language: our words from catalogues, times in the reader's zone.

Catalogues are compiled from their ``.po`` files when the program starts. A language
without a catalogue is answered in English; a tag such as ``fr-CA`` gets the words of
``fr`` and the dates of its own region.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from gettext import NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_name
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from babel.units import format_unit

SOURCE_LANGUAGE: Final = "en"
# Where nothing is known of the region, dates are written as most of the world does.
REGIONS: Final[Mapping[str, str]] = {"en": "en_GB"}
KILOBYTE: Final = 1024
MEGABYTE: Final = 1024 * KILOBYTE
SMALLEST: Final = 0.1
UTC: Final = "UTC"


def N_(sentence: str) -> str:  # noqa: N802 - the name by which catalogues find it
    """Mark a sentence that is translated where it is used."""
    return sentence


@dataclass(frozen=True, slots=True)
class Habits:
    """How a reader reads: a language tag (BCP 47) and a zone by its IANA name."""

    language: str = SOURCE_LANGUAGE
    time_zone: str = UTC


USUAL_HABITS: Final = Habits()


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language of mails, and which way it runs: ``ltr`` or ``rtl``."""

    language: str
    direction: str
    translations: NullTranslations

    def said(self, sentence: str) -> str:
        """A sentence of ours in this language."""
        return self.translations.gettext(sentence)


@cache
def catalogues() -> tuple[str, ...]:
    """The languages that mails can speak."""
    folder = files(__package__) / "catalogues"
    names = (item.name for item in folder.iterdir())
    translated = (name.removesuffix(".po") for name in names if name.endswith(".po"))
    return tuple(sorted({SOURCE_LANGUAGE, *translated}))


def tongues() -> Mapping[str, Tongue]:
    """Every language that mails can speak, by its tag."""
    return {language: tongue_of(language) for language in catalogues()}


@cache
def tongue_of(language: str) -> Tongue:
    """A language with its catalogue, compiled."""
    direction = str(Locale.parse(language).text_direction)
    if language == SOURCE_LANGUAGE:
        return Tongue(language, direction, NullTranslations())
    source = (files(__package__) / "catalogues" / f"{language}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source), locale=language))
    compiled.seek(0)
    return Tongue(language, direction, Translations(compiled))


# Whoever is mailed of a message reads the same time in a handful of zones.
@lru_cache(4096)
def shown_time(at: datetime, habits: Habits) -> str:
    """A time in the reader's zone, with the zone named."""
    locale, zone = _locale_of(habits.language), _zone_of(habits.time_zone)
    local = at.astimezone(zone)
    name = get_timezone_name(local, "short", locale=locale)
    if name.startswith(("+", "-")):
        # This language has no short name for the zone.
        name = f"({get_timezone_name(local, 'long', locale=locale)})"
    time = format_time(local, "short", tzinfo=zone, locale=locale)
    pattern = str(locale.datetime_formats["medium"])
    day = format_date(local, "long", locale=locale)
    return pattern.replace("{1}", day).replace("{0}", f"{time} {name}")


@lru_cache(4096)
def shown_size(size: float, habits: Habits) -> str:
    """The size of a file, as the reader's language writes it."""
    unit = "kilobyte" if size < MEGABYTE else "megabyte"
    number = size / (KILOBYTE if size < MEGABYTE else MEGABYTE)
    return format_unit(
        max(SMALLEST, round(number, 1)),
        f"digital-{unit}",
        length="short",
        locale=_locale_of(habits.language),
    )


def best_of(wanted: Iterable[str]) -> str:
    """The first of these language tags that mails can speak; else English."""
    for tag in wanted:
        spoken = tag.lower().partition("-")[0]
        if spoken in catalogues():
            return spoken
    return SOURCE_LANGUAGE


@cache
def _locale_of(tag: str) -> Locale:
    spoken = best_of((tag,))
    if tag.lower() == spoken:
        return Locale.parse(REGIONS.get(spoken, spoken))
    try:
        found = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale.parse(REGIONS.get(spoken, spoken))
    # Dates in a language without a catalogue would stand among English words.
    if found.language != spoken:
        return Locale.parse(REGIONS.get(spoken, spoken))
    return found


@cache
def _zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(UTC)
