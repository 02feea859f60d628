"""Which mail addresses are taken: those that every mail program reads alike."""

import unicodedata
from typing import Final

from email_validator import (
    SPECIAL_USE_DOMAIN_NAMES,
    EmailNotValidError,
    validate_email,
)

LONGEST_LOCAL_BYTES: Final = 64
LONGEST_BYTES: Final = 254

# Each of them begins or ends an address for some reader of headers or commands.
REFUSED_CHARACTERS: Final = frozenset('"<>()[]:;,\\')
# A domain's dots, to those who normalize after the check.
FOREIGN_DOTS: Final = frozenset("\u3002\uff0e\uff61")
# Control, format, unassigned, private and surrogate code points, and all blanks.
REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})


def is_address(text: str) -> bool:
    """Whether we can write to this address; it is kept as typed (no deliverability)."""
    if not _fits(text) or text.count("@") != 1:
        return False
    local, _, domain = text.partition("@")
    return (
        all(_is_plain(c) for c in text)
        and _survives_normalizing(text)
        and _is_plain_local(local)
        and _is_full_domain(domain)
        and _is_well_formed(text)
    )


def _fits(text: str) -> bool:
    # Before everything else, so that the time spent on a text is bounded.
    return 0 < len(text) <= LONGEST_BYTES and (
        len(text.encode(errors="surrogatepass")) <= LONGEST_BYTES
    )


def _is_plain(character: str) -> bool:
    return (
        character not in REFUSED_CHARACTERS
        and character not in FOREIGN_DOTS
        and unicodedata.category(character) not in REFUSED_CATEGORIES
    )


def _survives_normalizing(text: str) -> bool:
    # A full-width letter becomes another address for whoever normalizes it later.
    return unicodedata.normalize("NFKC", text) == unicodedata.normalize("NFC", text)


def _is_plain_local(local: str) -> bool:
    return (
        len(local.encode()) <= LONGEST_LOCAL_BYTES
        # An option to a command-line mailer, an encoded word to a header parser.
        and not local.startswith("-")
        and "=?" not in local
    )


def _is_full_domain(domain: str) -> bool:
    name, _, top = domain.rpartition(".")
    return name != "" and not top.isdigit()


def _is_well_formed(text: str) -> bool:
    try:
        judged = validate_email(_without_reserved_top(text), check_deliverability=False)
    except EmailNotValidError:
        return False
    return judged.domain != ""


def _without_reserved_top(text: str) -> str:
    # Names such as `studio.test` are well-formed, which is all that is asked here;
    # whether mail can arrive there is decided when it is sent.
    rest, _, top = text.rpartition(".")
    return f"{rest}.com" if top.lower() in SPECIAL_USE_DOMAIN_NAMES else text
