"""Languages of the portal: message catalogs, and dates, sizes and names by CLDR.

A language without a catalog is served in English; a tag such as ``fr-CA`` gets the
sentences of ``fr`` and the dates of its own region.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from gettext import NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale as CldrLocale
from babel import UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_gmt
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations
from babel.units import format_unit

SOURCE_LANGUAGE: Final = "en"
# Without a region, write dates as most of the world does.
REGIONS: Final = {"en": "en_GB"}
UTC: Final = "UTC"
KILOBYTE: Final = 1024
MEGABYTE: Final = 1024 * KILOBYTE
MIN_SHOWN_SIZE: Final = 0.1


def N_(sentence: str) -> str:  # noqa: N802 - the name by which catalogs find it
    """Mark a sentence that is translated where it is shown."""
    return sentence


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that have a catalog, and English."""
    folder = files("clp_portal") / "locales"
    names = (item.name for item in folder.iterdir())
    translated = (name.removesuffix(".po") for name in names if name.endswith(".po"))
    return tuple(sorted({SOURCE_LANGUAGE, *translated}))


@cache
def catalog(language: str) -> NullTranslations:
    """Return the compiled catalog of a language."""
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    source = files("clp_portal") / "locales" / f"{language}.po"
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source.read_bytes()), locale=language))
    compiled.seek(0)
    return Translations(compiled)


@dataclass(frozen=True, slots=True)
class Locale:
    """The locale of one reader: a language tag (BCP 47) and a time zone (IANA)."""

    tag: str = SOURCE_LANGUAGE
    time_zone: str = UTC

    @property
    def language(self) -> str:
        """The language of the sentences."""
        return best_language((self.tag,))

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return str(CldrLocale.parse(self.language).text_direction)

    def gettext(self, sentence: str) -> str:
        """Translate a sentence."""
        return catalog(self.language).gettext(sentence)

    def ngettext(self, one: str, many: str, number: int) -> str:
        """Translate a sentence with a number, and fill in ``%(num)s``."""
        text = catalog(self.language).ngettext(one, many, number)
        return text.replace("%(num)s", self.number(number))

    def number(self, number: int) -> str:
        """Write a number."""
        return _number(number, self.tag)

    def local_day(self, at: datetime) -> date:
        """Return the day of a point in time, in the reader's zone."""
        return at.astimezone(zone(self.time_zone)).date()

    def day(self, day: date) -> str:
        """Write a day with its weekday."""
        return _day(day, self.tag)

    def time(self, at: datetime) -> str:
        """Write the time of day."""
        return _time(at.replace(second=0, microsecond=0), self.tag, self.time_zone)

    def offset(self, at: datetime) -> str:
        """Write the offset of the reader's zone."""
        return _offset(at, self.tag, self.time_zone)

    def timestamp(self, at: datetime) -> str:
        """Write day and time, with the zone's offset."""
        at = at.replace(second=0, microsecond=0)
        return _timestamp(at, self.tag, self.time_zone)

    def size(self, size: int) -> str:
        """Write the size of a file."""
        return _size(size, self.tag)

    def joined(self, items: Iterable[str]) -> str:
        """Write a list: "a, b and c"."""
        return format_list(list(items), locale=cldr_locale(self.tag))

    def language_name(self, tag: str) -> str:
        """Return the name of a language, or its tag when it has none."""
        return _language_name(tag, self.tag)


def best_language(wanted: Iterable[str]) -> str:
    """Return the first of these tags that has a catalog; else English."""
    for tag in wanted:
        language = tag.lower().partition("-")[0]
        if language in languages():
            return language
    return SOURCE_LANGUAGE


@lru_cache(4096)
def _number(number: int, tag: str) -> str:
    return format_decimal(number, locale=cldr_locale(tag))


@lru_cache(4096)
def _day(day: date, tag: str) -> str:
    return format_date(day, "full", locale=cldr_locale(tag))


@lru_cache(16384)
def _time(at: datetime, tag: str, time_zone: str) -> str:
    return format_time(at, "short", tzinfo=zone(time_zone), locale=cldr_locale(tag))


def _offset(at: datetime, tag: str, time_zone: str) -> str:
    local = at.astimezone(zone(time_zone))
    return str(get_timezone_gmt(local, "long", locale=cldr_locale(tag)))


@lru_cache(16384)
def _timestamp(at: datetime, tag: str, time_zone: str) -> str:
    locale, tzinfo = cldr_locale(tag), zone(time_zone)
    local = at.astimezone(tzinfo)
    day = format_date(local, "long", locale=locale)
    offset = _offset(at, tag, time_zone)
    time = f"{format_time(at, 'short', tzinfo=tzinfo, locale=locale)} ({offset})"
    pattern = str(locale.datetime_formats["medium"])
    return pattern.replace("{1}", day).replace("{0}", time)


@lru_cache(4096)
def _size(size: int, tag: str) -> str:
    unit = "kilobyte" if size < MEGABYTE else "megabyte"
    number = size / (KILOBYTE if size < MEGABYTE else MEGABYTE)
    shown = max(MIN_SHOWN_SIZE, round(number, 1))
    return format_unit(
        shown, f"digital-{unit}", length="short", locale=cldr_locale(tag)
    )


@lru_cache(4096)
def _language_name(tag: str, reader: str) -> str:
    try:
        name = CldrLocale.parse(tag, sep="-").get_display_name(cldr_locale(reader))
    except (ValueError, UnknownLocaleError):
        return tag
    return name or tag


@cache
def cldr_locale(tag: str) -> CldrLocale:
    """Return the CLDR locale of a tag, in a language that has a catalog."""
    language = best_language((tag,))
    fallback = CldrLocale.parse(REGIONS.get(language, language))
    if tag.lower() == language:
        return fallback
    try:
        found = CldrLocale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return fallback
    return found if found.language == language else fallback


@cache
def zone(name: str) -> ZoneInfo:
    """Return a time zone, UTC for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(UTC)
