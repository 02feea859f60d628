"""The reader's locale: translations from message catalogs, times in the reader's zone.

A catalog is compiled from its ``.po`` file for its first mail. A language without a
catalog gets English; a tag such as ``fr-CA`` gets the translations of ``fr`` and the
date formats of its own region.
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
# Without a region, dates are written as in most of the world.
REGIONS: Final[Mapping[str, str]] = {"en": "en_GB"}
KILOBYTE: Final = 1024
MEGABYTE: Final = 1024 * KILOBYTE
MIN_UNITS: Final = 0.1
UTC: Final = "UTC"


def N_(sentence: str) -> str:  # noqa: N802 - the name that extracts messages for catalogs
    """Mark a sentence that is translated where it is used."""
    return sentence


@dataclass(frozen=True, slots=True)
class LocalePreferences:
    """A language tag (BCP 47) and an IANA time zone."""

    language: str = SOURCE_LANGUAGE
    time_zone: str = UTC


DEFAULT_LOCALE_PREFERENCES: Final = LocalePreferences()


@dataclass(frozen=True, slots=True)
class MailLocale:
    """One language of mails with its direction: ``ltr`` or ``rtl``."""

    language: str
    direction: str
    translations: NullTranslations

    def translate(self, sentence: str) -> str:
        """Translate one of our sentences."""
        return self.translations.gettext(sentence)


@cache
def languages() -> tuple[str, ...]:
    """The languages that mails are translated to."""
    folder = files(__package__) / "catalogs"
    names = (item.name for item in folder.iterdir())
    translated = (name.removesuffix(".po") for name in names if name.endswith(".po"))
    return tuple(sorted({SOURCE_LANGUAGE, *translated}))


@cache
def locale_of(language: str) -> MailLocale:
    """The locale of one language, with its compiled catalog."""
    direction = str(Locale.parse(language).text_direction)
    if language == SOURCE_LANGUAGE:
        return MailLocale(language, direction, NullTranslations())
    source = (files(__package__) / "catalogs" / f"{language}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source), locale=language))
    compiled.seek(0)
    return MailLocale(language, direction, Translations(compiled))


# The readers of one message live in a handful of zones.
@lru_cache(4096)
def shown_time(at: datetime, locale_preferences: LocalePreferences) -> str:
    """A time in the reader's zone, with the zone named."""
    locale, zone = (
        _babel_locale(locale_preferences.language),
        zone_of(locale_preferences.time_zone),
    )
    local = at.astimezone(zone)
    name = get_timezone_name(local, "short", locale=locale)
    if name.startswith(("+", "-")):
        # The language has no short name for the zone.
        name = f"({get_timezone_name(local, 'long', locale=locale)})"
    time = format_time(local, "short", tzinfo=zone, locale=locale)
    pattern = str(locale.datetime_formats["medium"])
    day = format_date(local, "long", locale=locale)
    return pattern.replace("{1}", day).replace("{0}", f"{time} {name}")


@lru_cache(4096)
def shown_size(size: float, locale_preferences: LocalePreferences) -> str:
    """The size of a file, as the reader's language writes it."""
    unit = "kilobyte" if size < MEGABYTE else "megabyte"
    number = size / (KILOBYTE if size < MEGABYTE else MEGABYTE)
    return format_unit(
        max(MIN_UNITS, round(number, 1)),
        f"digital-{unit}",
        length="short",
        locale=_babel_locale(locale_preferences.language),
    )


def best_language(wanted: Iterable[str]) -> str:
    """The first of these tags that mails are translated to, else English."""
    for tag in wanted:
        language = tag.lower().partition("-")[0]
        if language in languages():
            return language
    return SOURCE_LANGUAGE


@cache
def _babel_locale(tag: str) -> Locale:
    language = best_language((tag,))
    if tag.lower() == language:
        return Locale.parse(REGIONS.get(language, language))
    try:
        found = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale.parse(REGIONS.get(language, language))
    # A date in a language without a catalog would stand among English words.
    if found.language != language:
        return Locale.parse(REGIONS.get(language, language))
    return found


@cache
def zone_of(name: str) -> ZoneInfo:
    """The time zone of this IANA name; UTC for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(UTC)
