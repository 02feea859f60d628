"""Parse bounces: which mail bounced, for which addresses, permanently or not.

There are many formats (RFC 3464 and older ones); a library knows them. A result counts
only together with our own VERP mark in the address that the bounce came to.
"""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses
from typing import Final

from flufl.bounce import all_failures

from clp_notifications.mail.addresses import BadAddress, address_of

# No real bounce is larger; a longer mail is cut here.
MAX_BYTES: Final = 1_000_000
# Headers in which mail servers record the envelope recipient.
RECIPIENT_HEADERS: Final = ("X-Original-To", "Delivered-To", "Envelope-To", "To")
VERP_LOCAL: Final = re.compile(r"b\+([0-9a-z]{1,64})\.([0-9a-f]{16})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceReport:
    """What a bounce states; nothing of it is verified yet.

    ``verp_marks`` are ``(mail, mac)`` of the addresses it came to; ``temporary`` and
    ``permanent`` are the addresses that it reports as failed.
    """

    verp_marks: tuple[tuple[str, str], ...]
    temporary: frozenset[str]
    permanent: frozenset[str]


def parse_bounce(raw: bytes, bounce_domain: str) -> BounceReport:
    """Parse a mail that came to a bounce address; never fails."""
    message = message_from_bytes(raw[:MAX_BYTES])
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # noqa: BLE001 - untrusted input; an unreadable report states nothing
        temporary, permanent = frozenset(), frozenset()
    return BounceReport(
        verp_marks=tuple(_marks(message, bounce_domain)),
        temporary=_addresses(temporary),
        permanent=_addresses(permanent),
    )


def _marks(message: "Message[str, str]", bounce_domain: str) -> list[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for name in RECIPIENT_HEADERS:
        values = [str(value) for value in message.get_all(name, [])]
        for _, address in getaddresses(values):
            local, _, domain = address.rpartition("@")
            mark = VERP_LOCAL.fullmatch(local.casefold())
            if mark is not None and domain.casefold() == bounce_domain.casefold():
                found[mark[1], mark[2]] = None
    return list(found)


def _addresses(found: frozenset[bytes]) -> frozenset[str]:
    read: set[str] = set()
    for one in found:
        try:
            read.add(str(address_of(one.decode("utf-8").strip())))
        except (BadAddress, UnicodeDecodeError):
            continue
    return frozenset(read)
