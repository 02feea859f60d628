"""Visible and invisible characters of texts, names and titles (rules 4, 9, 29)."""

import re
from typing import Final
from unicodedata import category

from clp_core.normalization import normalized

# Default_Ignorable_Code_Point of Unicode, blank Braille, the filler of Khitan and the
# note head that is not drawn; a set for patterns.
INVISIBLE: Final = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Marks of direction; and the byte order mark, an artefact of exports.
DIRECTION_MARKS: Final = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)

_INVISIBLE_OR_SPACE: Final = re.compile(rf"[\s\x00-\x1f\x7f-\x9f{INVISIBLE}]*")
_INVISIBLE: Final = re.compile(f"[{INVISIBLE}]")
_TRIMMED: Final = re.compile(r"^[\W_]+|[\W_]+$")
# Control characters, lone surrogates, line and paragraph separators.
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})

# The forms of the letters of "Robot" that NFKC keeps apart (Unicode TR39, confusables).
_LOOKALIKES: Final = {
    "r": (
        "\u01a6\u024c\u0280\u0433\u13a1\u13d2\u1587\u1d26\u2c84\ua4e3\uab47\uab48\uab81"
        "\U000104b4\U00016f35\U0001d216"
    ),
    "o": (
        "0\u00f8\u03bf\u03c3\u03c2\u043e\u0585\u06f5\u0966\u09e6\u0a66\u0ae6\u0b20\u0b66\u0be6"
        "\u0c02\u0c66\u0c82\u0ce6\u0d02\u0d20\u0d66\u0d82\u0e50\u0ed0\u101d\u1040\u10ff"
        "\u12d0\u1d0f\u1d11\u2c9e\u2d54\u3007\ua4f3\uab3d\U00010292\U000102ab\U00010404"
        "\U000104c2\U00010516\U000114d0\U000118b5\U000118c8\U000118d7\U000118e0"
    ),
    "b": (
        "\u0180\u0184\u0243\u0299\u0392\u0412\u042c\u13cf\u13f4\u1472\u15af\u15f7\ua4d0\ua7b4"
        "\U00010282\U000102a1\U00010301"
    ),
    "t": (
        "\u0167\u03a4\u0422\u13a2\u1d1b\u22a4\u27d9\u2ca6\ua4d4\U00010297\U000102b1\U00010315"
        "\U000118bc\U00016f0a\U0001f768"
    ),
}
# Letters in filled circles and squares, and those of flags, each from A on.
_FILLED_FROM_A: Final = (0x1F150, 0x1F170, 0x1F1E6)
_PLAIN: Final = str.maketrans(
    {form.casefold(): letter for letter, forms in _LOOKALIKES.items() for form in forms}
    | {
        chr(first + ord(letter) - ord("a")): letter
        for first in _FILLED_FROM_A
        for letter in _LOOKALIKES
    }
)
ROBOT_NAME: Final = "robot"


def is_blank(text: str) -> bool:
    r"""Whether a text has nothing but white space and invisible characters (rule 9).

    >>> is_blank(" \u200b\u3164\u2800"), is_blank("\u200ba")
    (True, False)
    """
    return _INVISIBLE_OR_SPACE.fullmatch(text) is not None


def without_direction_marks(text: str) -> str:
    r"""A name or a title as it is stored: without marks of direction (rule 9).

    >>> without_direction_marks("\u200fדנה כהן\u200e")
    'דנה כהן'
    """
    return DIRECTION_MARKS.sub("", text)


def unprintable_in(text: str) -> str | None:
    r"""The first character that no name or title may have, if there is one.

    >>> unprintable_in("two\nlines"), unprintable_in("one line")
    ('\n', None)
    """
    return next((c for c in text if category(c) in _UNPRINTABLE), None)


def code_point(character: str) -> str:
    r"""The name of a character in a refusal.

    >>> code_point("\u202e")
    'U+202E'
    """
    return f"U+{ord(character):04X}"


def is_robot_name(name: str) -> bool:
    r"""Whether a name reads as the robot's (rule 4).

    Invisible characters, accents, case, look-alike letters of other scripts, and
    punctuation around the name do not make another name of it.

    >>> is_robot_name("R\u200bobo\u0442"), is_robot_name("Robotnik")
    (True, False)
    """
    seen = _INVISIBLE.sub("", normalized("NFKD", name))
    letters = "".join(c for c in seen if not category(c).startswith("M"))
    return _TRIMMED.sub("", letters.casefold().translate(_PLAIN)) == ROBOT_NAME
