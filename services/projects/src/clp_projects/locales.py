"""Language tags as BCP 47 writes them; well-formed is enough, no registry is asked."""

import re
from typing import Final

LONGEST_TAG: Final = 64
GRANDFATHERED: Final = frozenset(
    {
        "art-lojban",
        "cel-gaulish",
        "en-gb-oed",
        "i-ami",
        "i-bnn",
        "i-default",
        "i-enochian",
        "i-hak",
        "i-klingon",
        "i-lux",
        "i-mingo",
        "i-navajo",
        "i-pwn",
        "i-tao",
        "i-tay",
        "i-tsu",
        "no-bok",
        "no-nyn",
        "sgn-be-fr",
        "sgn-be-nl",
        "sgn-ch-de",
        "zh-guoyu",
        "zh-hakka",
        "zh-min",
        "zh-min-nan",
        "zh-xiang",
    }
)

# RFC 5646, section 2.1, on lower-case text.
PRIVATE_USE: Final = r"x(?:-[a-z0-9]{1,8})+"
WELL_FORMED: Final = re.compile(
    rf"""
    (?: [a-z]{{2,3}} (?:-[a-z]{{3}}){{0,3}} | [a-z]{{4,8}} )   # language
    (?:-(?P<script>[a-z]{{4}}))?
    (?:-(?P<region>[a-z]{{2}}|[0-9]{{3}}))?
    (?P<variants>(?:-(?:[a-z0-9]{{5,8}}|[0-9][a-z0-9]{{3}}))*)
    (?P<extensions>(?:-[0-9a-wy-z](?:-[a-z0-9]{{2,8}})+)*)
    (?:-{PRIVATE_USE})?
    | {PRIVATE_USE}
    """,
    re.VERBOSE | re.ASCII,
)


def language_tag(text: str) -> str | None:
    """The tag in its usual case (``pt-BR``), or None when it is not well-formed."""
    if len(text) > LONGEST_TAG or not text.isascii():
        return None
    lowered = text.lower()
    if lowered in GRANDFATHERED:
        return lowered
    found = WELL_FORMED.fullmatch(lowered)
    if found is None or _repeats(found["variants"]) or _repeats_singleton(found):
        return None
    return _in_usual_case(lowered, found)


def _repeats(run: str | None) -> bool:
    subtags = (run or "").split("-")[1:]
    return len(subtags) != len(set(subtags))


def _repeats_singleton(found: re.Match[str]) -> bool:
    singletons = [s for s in (found["extensions"] or "").split("-") if len(s) == 1]
    return len(singletons) != len(set(singletons))


def _in_usual_case(lowered: str, found: re.Match[str]) -> str:
    parts = list(lowered)
    if found["script"]:
        parts[found.start("script")] = parts[found.start("script")].upper()
    if found["region"]:
        start, end = found.span("region")
        parts[start:end] = found["region"].upper()
    return "".join(parts)
