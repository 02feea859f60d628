"""The gate for addresses: what may stand in an envelope and in a header.

Stricter than the standards, because every lenient reading of an address is a second
recipient: no quoted local parts, no comments, no routes, nothing that a header parser
would decode.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import idna
from email_validator import EmailNotValidError, validate_email
from typing_extensions import override

LONGEST_LOCAL: Final = 64
LONGEST: Final = 254
ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
LOCAL: Final = re.compile(rf"{ATOM}(?:\.{ATOM})*")
ENCODED_WORD: Final = "=?"
KNOWN_DOMAINS: Final = 5_000
# Nobody can ever receive mail there (RFC 6761); retrying for days would tell nobody.
UNDELIVERABLE: Final = frozenset({"invalid", "localhost", "local", "test", "onion"})


class BadAddress(ValueError):
    """Nobody can be mailed at this address; says why by a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it goes on the wire: the domain in A-labels, the rest as it is."""

    local: str
    domain: str

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a relay that speaks SMTPUTF8 can carry it."""
        return not self.local.isascii()

    @override
    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def address_of(value: str) -> Address:
    """Read an address.

    Raises:
        BadAddress: ``address_malformed``, or ``undeliverable`` for a reserved domain.
    """
    if len(value) > LONGEST or value.count("@") != 1:
        raise BadAddress("address_malformed")
    local, domain = value.split("@")
    if not _is_plain_local(local):
        raise BadAddress("address_malformed")
    address = Address(local, _a_labels(domain))
    if len(str(address).encode()) > LONGEST:
        raise BadAddress("address_malformed")
    if address.domain.rsplit(".", 1)[-1] in UNDELIVERABLE:
        raise BadAddress("undeliverable")
    if local.isascii():
        # There are no two opinions about what stands before the sign.
        _second_opinion_of_domain(domain)
    else:
        _second_opinion(value)
    return address


def _is_plain_local(local: str) -> bool:
    return (
        LOCAL.fullmatch(local) is not None
        and len(local.encode("utf-8", "replace")) <= LONGEST_LOCAL
        and ENCODED_WORD not in local
        and all(map(_is_visible, local))
        and unicodedata.normalize("NFC", local) == local
    )


def _is_visible(letter: str) -> bool:
    return letter.isascii() or unicodedata.category(letter)[0] in "LMN"


# Few domains have most of the people, and these two are most of the work.
@lru_cache(KNOWN_DOMAINS)
def _a_labels(domain: str) -> str:
    """The domain in ASCII; anything that would have to be mapped first is refused."""
    try:
        ascii_domain = idna.encode(domain.lower(), strict=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise BadAddress("address_malformed") from None
    if "." not in ascii_domain:
        raise BadAddress("address_malformed")
    return ascii_domain


@lru_cache(KNOWN_DOMAINS)
def _second_opinion_of_domain(domain: str) -> None:
    _second_opinion(f"a@{domain}")


def _second_opinion(value: str) -> None:
    try:
        validate_email(
            value, check_deliverability=False, test_environment=True, strict=False
        )
    except EmailNotValidError:
        raise BadAddress("address_malformed") from None
