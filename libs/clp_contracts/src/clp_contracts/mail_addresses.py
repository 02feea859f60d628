"""Mail addresses: the one check of what is stored and of what is mailed to.

Stricter than RFC 5321 and RFC 5322: every lenient reading of an address is a second
recipient. So it refuses quoted local parts, comments, routes, and whatever a parser of
headers or a command line would decode. Every address that may be stored can be mailed.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import idna
from email_validator import (
    SPECIAL_USE_DOMAIN_NAMES,
    EmailNotValidError,
    validate_email,
)
from typing_extensions import override

MAX_LOCAL_BYTES: Final = 64  # RFC 5321, section 4.5.3.1.1
MAX_ADDRESS_BYTES: Final = 254  # RFC 5321, section 4.5.3.1.3, without the brackets
# RFC 5322, section 3.2.3, extended by RFC 6532, section 3.2.
ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
LOCAL_PART: Final = re.compile(rf"{ATOM}(?:\.{ATOM})*")
ENCODED_WORD: Final = "=?"
OPTION: Final = "-"
DOMAIN_CACHE_SIZE: Final = 5_000
# Reserved by RFC 6761 and RFC 7686: mail is never delivered there.
UNDELIVERABLE: Final = frozenset({"invalid", "localhost", "local", "test", "onion"})


class InvalidMailAddress(ValueError):
    """Not a mail address that mail can be sent to."""


@dataclass(frozen=True, slots=True)
class MailAddress:
    """A mail address as in an envelope: local part in NFC, domain in A-labels."""

    local: str
    domain: str

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the relay must support SMTPUTF8 (RFC 6531)."""
        return not self.local.isascii()

    @property
    def is_deliverable(self) -> bool:
        """Whether the top-level domain is not one of the reserved ones."""
        return self.domain.rsplit(".", 1)[-1] not in UNDELIVERABLE

    @override
    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def is_mail_address(text: str) -> bool:
    """Whether a text is a mail address; a reserved domain is accepted."""
    try:
        parse_mail_address(text)
    except InvalidMailAddress:
        return False
    return True


def parse_mail_address(text: str) -> MailAddress:
    """Parse an address.

    Raises:
        InvalidMailAddress: the text is not an address.
    """
    # Before everything else, to bound the work.
    if not 0 < len(text) <= MAX_ADDRESS_BYTES or text.count("@") != 1:
        raise InvalidMailAddress
    local, domain = text.split("@")
    # Some systems write letters decomposed; RFC 6532, section 3.1, wants them composed.
    local = unicodedata.normalize("NFC", local)
    if not _is_plain_local_part(local):
        raise InvalidMailAddress
    address = MailAddress(local, _a_labels(domain))
    if max(_bytes(text), _bytes(str(address))) > MAX_ADDRESS_BYTES:
        raise InvalidMailAddress
    # An ASCII local part needs no second check: only the domain is left.
    if local.isascii():
        _validate_domain(domain)
    else:
        _validate(f"{local}@{domain}")
    return address


def _is_plain_local_part(local: str) -> bool:
    return (
        LOCAL_PART.fullmatch(local) is not None
        and _bytes(local) <= MAX_LOCAL_BYTES
        and not local.startswith(OPTION)
        and ENCODED_WORD not in local
        and all(map(_is_visible, local))
        # Whoever normalizes the address later must get the same one.
        and unicodedata.normalize("NFKC", local) == local
    )


def _is_visible(character: str) -> bool:
    return character.isascii() or unicodedata.category(character)[0] in "LMN"


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


# Few domains have most of the people, and these two are most of the work.
@lru_cache(DOMAIN_CACHE_SIZE)
def _a_labels(domain: str) -> str:
    """Convert a domain to A-labels; refuse whatever IDNA would have to map first."""
    try:
        ascii_domain = idna.encode(domain.lower(), strict=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise InvalidMailAddress from None
    name, _, top = ascii_domain.rpartition(".")
    if not name or top.isdigit():
        raise InvalidMailAddress
    return ascii_domain


@lru_cache(DOMAIN_CACHE_SIZE)
def _validate_domain(domain: str) -> None:
    _validate(f"a@{domain}")


def _validate(text: str) -> None:
    # Reserved domains are well-formed; `is_deliverable` tells them apart.
    rest, _, top = text.rpartition(".")
    if top.lower() in SPECIAL_USE_DOMAIN_NAMES:
        text = f"{rest}.com"
    try:
        validate_email(text, check_deliverability=False, strict=False)
    except EmailNotValidError:
        raise InvalidMailAddress from None
