"""Parse delivery status notifications (RFC 3464, RFC 6533) and older bounces."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from typing import Final

from flufl.bounce import all_failures

from clp_notifications.inbound.mime import Headers, MalformedMail, Part, parse_headers
from clp_notifications.mail.addresses import BadAddress, address_of

STATUS_TYPES: Final = ("message/delivery-status", "message/global-delivery-status")
BLOCK_END: Final = re.compile(rb"(?:\r?\n){2,}")
STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
# RFC 6533, section 3: characters of an address as \x{HEX}.
XTEXT: Final = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
ANGLE: Final = re.compile(r"<([^<>]+)>")
NO_CLASS: Final = frozenset({"", "4.0.0", "5.0.0"})
FAILED, DELAYED = "failed", "delayed"
MAX_BOUNCE_TEXT: Final = 20_000


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
        for part in mail.walk()
        if part.content_type in STATUS_TYPES
        for status in _statuses(part.body)
    )
    return found or tuple(_older_formats(mail, raw))


def _statuses(body: bytes) -> Iterator[RecipientStatus]:
    for block in BLOCK_END.split(body.strip()):
        fields = parse_headers(block)
        addresses = frozenset(_addresses(fields))
        if addresses:
            yield RecipientStatus(
                addresses=addresses,
                action=fields.get("Action").partition("(")[0].strip().lower(),
                status=_status(fields),
            )


def _status(fields: Headers) -> str:
    """The most precise status: of Status, or of Diagnostic-Code where that has none."""
    stated = STATUS.search(fields.get("Status"))
    status = "" if stated is None else stated[1]
    if status in NO_CLASS and (found := STATUS.search(fields.get("Diagnostic-Code"))):
        return found[1]
    return status


def _addresses(fields: Headers) -> Iterator[str]:
    for name in ("Final-Recipient", "Original-Recipient"):
        for value in fields.all(name):
            kind, _, address = value.partition(";")
            if kind.strip().lower() in ("rfc822", "utf-8"):
                yield from normalized([_decoded(address)])


def _decoded(address: str) -> str:
    bare = ANGLE.search(address)
    text = address if bare is None else bare[1]
    return XTEXT.sub(_character, text).strip()


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


def _older_formats(mail: Part, raw: bytes) -> Iterator[RecipientStatus]:
    """Bounces in the formats before RFC 3464, which a library knows."""
    temporary, permanent = all_failures(message_from_bytes(raw))
    status = _only_status(mail)
    for failures, action in ((permanent, FAILED), (temporary, DELAYED)):
        for address in failures:
            found = frozenset(normalized([address.decode("utf-8", "replace").strip()]))
            if found:
                yield RecipientStatus(addresses=found, action=action, status=status)


def _only_status(mail: Part) -> str:
    """The enhanced status code in the text, where there is exactly one."""
    texts = (
        part.text[:MAX_BOUNCE_TEXT]
        for part in mail.walk()
        if part.content_type == "text/plain"
    )
    found = {one for text in texts for one in STATUS.findall(text)} - NO_CLASS
    return found.pop() if len(found) == 1 else ""
