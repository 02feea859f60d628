"""Autocomplete of names and addresses, without regard to accents (rule 15)."""

from enum import IntEnum
from typing import Final
from unicodedata import combining

from clp_core.mentions.characters import UNSPACED, character_classes
from clp_core.mentions.lookup_keys import IDEOGRAPHIC_STOP, address_key, name_key
from clp_core.normalization import normalized
from clp_core.people import Person

# Letters without a decomposition that are typed as plain ones.
PLAIN: Final = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "ħ": "h",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
    }
)
# Combining classes of vowel points and of accents. The classes between and before
# them spell a syllable (nukta, virama, kana voicing, Thai and Lao tones).
POINTS: Final = range(10, 37)
ACCENTS: Final = range(200, 241)


class MatchField(IntEnum):
    """The field matched by the typed text; the better one sorts first."""

    NAME = 0
    WORD_OF_NAME = 1
    ADDRESS = 2


PrefixEntry = tuple[MatchField, str]


def search_key(text: str) -> str:
    """The key by which autocomplete compares a name or an address (rule 15).

    That of `name_key`, without accents; letters such as "ø" are as they are typed.

    >>> search_key("Łukasz  MÜLLER")
    'lukasz muller'
    """
    parts = normalized("NFD", name_key(text))
    letters = (c for c in parts if not _is_accent(c))
    return normalized("NFC", "".join(letters)).translate(PLAIN)


def typed_key(typed: str) -> str:
    """The search key of typed text: another full stop in a domain is a dot (rule 15).

    >>> typed_key("Ivy@Studio。example")
    'ivy@studio.example'
    """
    local, sign, domain = search_key(typed).rpartition("@")
    return local + sign + (domain.replace(IDEOGRAPHIC_STOP, ".") if sign else domain)


def prefix_entries(name: str, address: str) -> tuple[PrefixEntry, ...]:
    """The keys to index for a prefix search: the name, its later words, the address.

    >>> prefix_entries("Nat Moreau", "nat@north.example")[1]
    (<MatchField.WORD_OF_NAME: 1>, 'moreau')
    """
    key = search_key(name)
    classes = character_classes(key)
    words = (
        (MatchField.WORD_OF_NAME, key[at:])
        for at in range(1, len(key))
        if _begins_word(classes[at - 1], classes[at])
    )
    return ((MatchField.NAME, key), *words, (MatchField.ADDRESS, search_key(address)))


def prefix_rank(person: Person, typed: str) -> tuple[MatchField, str, str] | None:
    """Sort key of a person for the typed text; None without a match (rule 15).

    By the matched field, then the folded name, then the address. The sign is not a part
    of `typed`; an empty one matches everybody.

    >>> from clp_core.people import PersonId
    >>> zoe = Person(id=PersonId("zoe"), name="Zoë O'Hara", email="zoe@studio.example")
    >>> prefix_rank(zoe, "zoe o")
    (<MatchField.NAME: 0>, "zoe o'hara", 'zoe@studio.example')
    >>> prefix_rank(zoe, "z%") is None
    True
    """
    wanted = typed_key(typed)
    entries = prefix_entries(person.name, person.email)
    for place, entry in entries:
        if entry.startswith(wanted):
            return place, entries[0][1], address_key(person.email)
    return None


def matches_prefix(person: Person, typed: str) -> bool:
    """Whether a word of the name, or the address, starts with the typed text."""
    return prefix_rank(person, typed) is not None


def _is_accent(character: str) -> bool:
    kind = combining(character)
    return kind in POINTS or kind in ACCENTS


def _begins_word(before: str, letter: str) -> bool:
    if letter == UNSPACED:
        return True
    return letter.isalnum() and (before == UNSPACED or not before.isalnum())
