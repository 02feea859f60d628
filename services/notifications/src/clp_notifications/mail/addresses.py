"""Mail addresses of recipients: the check of the contracts, and reserved domains."""

from typing import Final

from clp_contracts.mail_addresses import (
    InvalidMailAddress,
    MailAddress,
    parse_mail_address,
)

MALFORMED: Final = "address_malformed"
UNDELIVERABLE: Final = "undeliverable"


class BadAddress(ValueError):
    """No mail can be sent to this address; ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def address_of(value: str) -> MailAddress:
    """Parse the address of a recipient.

    Raises:
        BadAddress: ``address_malformed``, or ``undeliverable`` for a reserved domain.
    """
    try:
        address = parse_mail_address(value)
    except InvalidMailAddress:
        raise BadAddress(MALFORMED) from None
    if not address.is_deliverable:
        raise BadAddress(UNDELIVERABLE)
    return address
