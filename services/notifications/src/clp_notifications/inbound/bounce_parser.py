"""Reading a mail that came back: whose it was, and whether for now or for good.

Formats of bounces are many (RFC 3464 and older habits); a library knows them. What it
finds counts only together with our own mark in the address the mail came back to.
"""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses
from typing import Final

from flufl.bounce import all_failures

from clp_notifications.mail.addresses import BadAddress, address_of

# Nobody's bounce is larger; the rest of a mail that is tells nothing more.
MOST_BYTES: Final = 1_000_000
# Where programs note the address that a mail was delivered to.
CAME_TO: Final = ("X-Original-To", "Delivered-To", "Envelope-To", "To")
MARK: Final = re.compile(r"b\+([0-9a-z]{1,64})\.([0-9a-f]{16})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a mail that came back says of itself; nothing of it is proven yet.

    ``marks`` are ``(mail, mac)`` of the addresses it came to; ``for_now`` and
    ``for_good`` the addresses that it says could not be reached.
    """

    marks: tuple[tuple[str, str], ...]
    for_now: frozenset[str]
    for_good: frozenset[str]


def read_returned(raw: bytes, bounce_domain: str) -> Returned:
    """Read a mail that came to a bounce address; whatever it is, it can be read."""
    message = message_from_bytes(raw[:MOST_BYTES])
    try:
        for_now, for_good = all_failures(message)
    except Exception:  # noqa: BLE001 - strangers' mails; what cannot be read says nothing
        for_now, for_good = frozenset(), frozenset()
    return Returned(
        marks=tuple(_marks(message, bounce_domain)),
        for_now=_addresses(for_now),
        for_good=_addresses(for_good),
    )


def _marks(message: "Message[str, str]", bounce_domain: str) -> list[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for name in CAME_TO:
        values = [str(value) for value in message.get_all(name, [])]
        for _, address in getaddresses(values):
            local, _, domain = address.rpartition("@")
            mark = MARK.fullmatch(local.casefold())
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
