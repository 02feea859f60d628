"""The picture of a person: initials on a colour that follows from the id."""

import hashlib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

HUES: Final = 12
SEPARATORS: Final = " \u00a0-・·"


@dataclass(frozen=True, slots=True, kw_only=True)
class Avatar:
    """Initials and one of twelve hues."""

    initials: str
    hue: int


@lru_cache(4096)
def avatar(person: str, name: str) -> Avatar:
    """Return the avatar of a person."""
    digest = hashlib.sha256(person.encode()).digest()
    return Avatar(initials=initials(name), hue=int.from_bytes(digest[1:5]) % HUES)


def initials(name: str) -> str:
    """Return the first letters of the first and the last word of a name.

    A name without letters has its first sign.

    >>> initials("Nat Moreau"), initials("田中"), initials("Ivy"), initials("")
    ('NM', '田', 'I', '?')
    """
    words = [word for word in _words(name) if word]
    if not words:
        return name.strip()[:1] or "?"
    first = _first_letter(words[0])
    if len(words) == 1 or not first.isupper():
        return first
    return first + _first_letter(words[-1])


def _words(name: str) -> list[str]:
    name = unicodedata.normalize("NFC", name)
    for separator in SEPARATORS:
        name = name.replace(separator, " ")
    return ["".join(c for c in word if c.isalnum()) for word in name.split()]


def _first_letter(word: str) -> str:
    return word[0].upper()
