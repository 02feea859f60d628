"""Parse delivery status notifications (RFC 3464, RFC 6533) and older bounces."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from clp_notifications.inbound.mime import Headers, MalformedMail, Part, parse_headers
from clp_notifications.inbound.older_bounces import older_failures
from clp_notifications.mail.addresses import BadAddress, address_of

STATUS_TYPES: Final = ("message/delivery-status", "message/global-delivery-status")
REPORT_TYPE: Final = "delivery-status"
# A line of blanks ends a block as well as an empty one.
BLOCK_END: Final = re.compile(rb"\r?\n(?:[ \t]*\r?\n)+")
STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
TEMPORARY_REPLY: Final = re.compile(r"(?<![\d.])4\d\d(?![\d.])")
ACTION: Final = re.compile(r"[a-z]*", re.IGNORECASE)
# Characters of an address: \x{HEX} (RFC 6533, section 3), +HEX (RFC 3461, section 4).
UTF8_XTEXT: Final = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")
ANGLE: Final = re.compile(r"<([^<>]+)>")
NO_CLASS: Final = frozenset({"", "4.0.0", "5.0.0"})
TEMPORARY: Final = "4.0.0"
FAILED, DELAYED = "failed", "delayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientStatus:
    """The statements of a report about one recipient.

    ``addresses`` are its final and its original address. ``status`` is the enhanced
    status code (RFC 3463), empty without one.
    """

    addresses: frozenset[str]
    action: str
    status: str


def parse_report(mail: Part, raw: bytes) -> tuple[RecipientStatus, ...]:
    """The recipients of a report, or of a bounce without a machine-readable part.

    Raises:
        MalformedMail: the report cannot be parsed.
    """
    found = tuple(
        status
        for part in mail.report_parts(REPORT_TYPE, STATUS_TYPES)
        for status in _statuses(part.body)
    )
    return found or tuple(_of_older_bounce(mail, raw))


def _statuses(body: bytes) -> Iterator[RecipientStatus]:
    for block in BLOCK_END.split(body.strip()):
        # Some servers leave out the empty line between two recipients.
        for fields in parse_headers(block).split_at(
            "final-recipient", "original-recipient"
        ):
            addresses = frozenset(_addresses(fields))
            if addresses:
                yield RecipientStatus(
                    addresses=addresses,
                    action=_first_word(fields.get("Action")),
                    status=_status(fields),
                )


def _first_word(action: str) -> str:
    found = ACTION.match(action)
    return "" if found is None else found[0].lower()


def _status(fields: Headers) -> str:
    """The most precise status: of Status, or of Diagnostic-Code where that has none."""
    stated = STATUS.search(fields.get("Status"))
    status = "" if stated is None else stated[1]
    if status not in NO_CLASS:
        return status
    diagnostic = fields.get("Diagnostic-Code")
    if found := STATUS.search(diagnostic):
        return found[1]
    if not status and TEMPORARY_REPLY.search(diagnostic):
        return TEMPORARY
    return status


def _addresses(fields: Headers) -> Iterator[str]:
    for name in ("Final-Recipient", "Original-Recipient"):
        for value in fields.all(name):
            # The type before the semicolon is missing or wrong often enough.
            _, has_type, address = value.partition(";")
            yield from normalized(_readings(address if has_type else value))


def _readings(address: str) -> Iterator[str]:
    """An address with and without its escapes, which only its writer knows."""
    bare = ANGLE.search(address)
    text = address.partition("(")[0] if bare is None else bare[1]
    decoded = UTF8_XTEXT.sub(_character, text).strip()
    yield decoded
    if XTEXT.search(decoded):
        yield XTEXT.sub(_character, decoded)


def _character(found: re.Match[str]) -> str:
    try:
        return chr(int(found[1], 16))
    except ValueError:
        raise MalformedMail("a report has an impossible address") from None


def normalized(addresses: Iterable[str]) -> Iterator[str]:
    """Addresses as mails go to them; invalid ones are left out."""
    for one in addresses:
        try:
            yield str(address_of(one))
        except BadAddress:
            continue


def _of_older_bounce(mail: Part, raw: bytes) -> Iterator[RecipientStatus]:
    """The recipients of a bounce that only people can read.

    An answering machine writes from the address itself; a mail server never does.
    """
    senders = {address.casefold() for address in _senders(mail)}
    failures = older_failures(mail, raw)
    stated = set(failures.statuses) - NO_CLASS
    status = stated.pop() if len(stated) == 1 else ""
    for addresses, action in (
        (failures.permanent, FAILED),
        (failures.temporary, DELAYED),
    ):
        for address in normalized(addresses):
            if address.casefold() not in senders:
                yield RecipientStatus(
                    addresses=frozenset({address}), action=action, status=status
                )


def _senders(mail: Part) -> Iterator[str]:
    for value in mail.headers.all("From"):
        found = ANGLE.search(value)
        yield from normalized([(value if found is None else found[1]).strip()])
