"""What a name offers while it is being typed: accents do not count here (rule 15)."""

from enum import IntEnum
from typing import Final
from unicodedata import combining, normalize

from clp_core.mentions.characters import UNSPACED, shape_of
from clp_core.mentions.lookup_keys import address_key, name_key
from clp_core.people import Person

# Letters that are told apart by more than an accent, and typed as if they were not.
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
# Combining classes of vowel points and of accents; those between and before them are
# part of how a syllable is spelled (nukta, virama, kana voicing, Thai and Lao tones).
POINTS: Final = range(10, 37)
ACCENTS: Final = range(200, 241)


class Place(IntEnum):
    """Where the typed text was found; the better place sorts first."""

    NAME = 0
    WORD_OF_NAME = 1
    ADDRESS = 2


Beginning = tuple[Place, str]


def typing_key(text: str) -> str:
    """A name or an address as the type-ahead compares it.

    >>> typing_key("Łukasz  MÜLLER")
    'lukasz muller'
    """
    parts = normalize("NFD", name_key(text))
    letters = (c for c in parts if not _is_accent(c))
    return normalize("NFC", "".join(letters)).translate(PLAIN)


def beginnings_of(name: str, address: str) -> tuple[Beginning, ...]:
    """Where typing may begin: the name, each later word of it, the address.

    An index that holds these answers the type-ahead for any number of people.

    >>> beginnings_of("Nat Moreau", "nat@north.example")[1]
    (<Place.WORD_OF_NAME: 1>, 'moreau')
    """
    key = typing_key(name)
    shape = shape_of(key)
    words = (
        (Place.WORD_OF_NAME, key[at:])
        for at in range(1, len(key))
        if _begins_word(shape[at - 1], shape[at])
    )
    return ((Place.NAME, key), *words, (Place.ADDRESS, typing_key(address)))


def prefix_rank(person: Person, typed: str) -> tuple[Place, str, str] | None:
    """How well somebody fits what is typed, to sort by; nothing when not at all.

    >>> from clp_core.people import PersonId
    >>> zoe = Person(id=PersonId("zoe"), name="Zoë O'Hara", email="zoe@studio.example")
    >>> prefix_rank(zoe, "zoe o")
    (<Place.NAME: 0>, "zoe o'hara", 'zoe@studio.example')
    >>> prefix_rank(zoe, "z%") is None
    True
    """
    wanted = typing_key(typed)
    beginnings = beginnings_of(person.name, person.email)
    for place, beginning in beginnings:
        if beginning.startswith(wanted):
            return place, beginnings[0][1], address_key(person.email)
    return None


def matches_prefix(person: Person, typed: str) -> bool:
    """Whether a word of the name, or the address, begins with what is typed."""
    return prefix_rank(person, typed) is not None


def _is_accent(character: str) -> bool:
    kind = combining(character)
    return kind in POINTS or kind in ACCENTS


def _begins_word(before: str, letter: str) -> bool:
    if letter == UNSPACED:
        return True
    return letter.isalnum() and (before == UNSPACED or not before.isalnum())
