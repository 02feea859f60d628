"""What names and addresses are compared by (rule 15)."""

from typing import Final
from unicodedata import normalize

ASCII_FORM: Final = "xn--"
LONGEST_LABEL: Final = 63
# Domains may be typed with the full stop of Chinese and Japanese keyboards.
IDEOGRAPHIC_STOP: Final = "\u3002"


def name_key(name: str) -> str:
    """NFKC and case folding; runs of spaces are one space; accents count.

    >>> name_key("  Nat   MOREAU ")
    'nat moreau'
    >>> name_key("Straße") == name_key("STRASSE")
    True
    >>> name_key("José") == name_key("Jose")
    False
    """
    return " ".join(folded(name).split())


def address_key(address: str) -> str:
    """An address without regard to case, width or the ASCII form of its domain.

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
    return f"{local}{sign}{'.'.join(map(_spoken, labels))}"


def folded(text: str) -> str:
    """NFKC and case folding; spaces stay as they are."""
    if text.isascii():
        return text.lower()
    # Folding may undo the composition, so it is asked for twice.
    return normalize("NFKC", normalize("NFKC", text).casefold())


def _spoken(label: str) -> str:
    """The letters that a domain label in ASCII form stands for."""
    if not label.startswith(ASCII_FORM) or len(label) > LONGEST_LABEL:
        return label
    try:
        spoken = folded(label.removeprefix(ASCII_FORM).encode().decode("punycode"))
    except UnicodeError:
        return label
    # Plain letters in disguise stay what they are: no domain is written so.
    return label if spoken.isascii() else spoken
