"""Lookup keys of names and addresses (rule 15)."""

import re
from typing import Final

from clp_core.mentions.characters import APOSTROPHES, HYPHENS, INVISIBLES
from clp_core.normalization import normalized

ASCII_FORM: Final = "xn--"
MAX_LABEL: Final = 63
# Domains may be typed with the full stop of Chinese and Japanese keyboards.
IDEOGRAPHIC_STOP: Final = "\u3002"

LOOKALIKES: Final = re.compile(f"[{APOSTROPHES}{HYPHENS}]")
PLAIN_SIGNS: Final = str.maketrans(
    {**dict.fromkeys(APOSTROPHES, "'"), **dict.fromkeys(HYPHENS, "-")}
)


def name_key(name: str) -> str:
    r"""Key of a name: NFKC, case folding, single spaces; accents count (rule 15).

    Apostrophes are alike, hyphens are alike, and invisible signs do not count.

    >>> name_key("  Nat   MOREAU ")
    'nat moreau'
    >>> name_key("Straße") == name_key("STRASSE")
    True
    >>> name_key("José") == name_key("Jose")
    False
    >>> name_key("\u200fMike O’Connor") == name_key("Mike O'Connor")
    True
    """
    return " ".join(folded(name).split())


def address_key(address: str) -> str:
    """Key of an address: case, width and IDNA form of its domain do not count.

    Rule 15; each label in its Unicode form (RFC 5890, section 2.3.2.1).

    >>> address_key("Nat@NORTH.example")
    'nat@north.example'
    >>> address_key("用户@例子.公司") == address_key("用户@xn--fsqu00a.xn--55qx5d")
    True
    """
    key = folded(address).strip()
    if key.isascii() and ASCII_FORM not in key:
        return key
    local, sign, domain = key.rpartition("@")
    labels = domain.replace(IDEOGRAPHIC_STOP, ".").split(".")
    return f"{local}{sign}{'.'.join(map(_to_unicode, labels))}"


def folded(text: str) -> str:
    """NFKC and case folding, plain apostrophes and hyphens; spaces are kept."""
    if text.isascii():
        return text.lower()
    visible = INVISIBLES.sub("", text)
    # Case folding may decompose, so compose once more.
    composed = normalized("NFKC", visible).casefold()
    return with_plain_signs(normalized("NFKC", composed))


def with_plain_signs(text: str) -> str:
    """Replace every apostrophe and hyphen by the one of ASCII."""
    return text.translate(PLAIN_SIGNS) if LOOKALIKES.search(text) else text


def _to_unicode(label: str) -> str:
    """Decode an A-label (RFC 5890, section 2.3.2.1) to its letters."""
    if not label.startswith(ASCII_FORM) or len(label) > MAX_LABEL:
        return label
    try:
        decoded = folded(label.removeprefix(ASCII_FORM).encode().decode("punycode"))
    except UnicodeError:
        return label
    # An A-label of ASCII letters only is invalid (RFC 5891, section 4.4).
    return label if decoded.isascii() else decoded
