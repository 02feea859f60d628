"""Authenticate envelope senders, and name people in headers by pseudonyms."""

import hashlib
import hmac
from typing import Final

MAC_LENGTH: Final = 16


class MailTokens:
    """Creates and verifies MACs with one secret; equal input gives equal MACs."""

    def __init__(self, secret: str) -> None:
        if not secret:
            raise ValueError("mail_secret is empty")
        self._key = hashlib.sha512(b"clp mail tokens\x00" + secret.encode()).digest()

    def alias(self, person: str) -> str:
        """A stable pseudonym of a person for headers."""
        return self._mac("alias", person)

    def verp_mac(self, mail: str, address: str) -> str:
        """The MAC in the envelope sender (VERP) of a mail to an address (H11)."""
        return self._mac("bounce", f"{mail}\x00{address}")

    def is_verp_mac(self, mail: str, address: str, mac: str) -> bool:
        """Whether the MAC was made for this mail and address."""
        made = self.verp_mac(mail, address)
        return hmac.compare_digest(made.encode(), mac.encode())

    def _mac(self, purpose: str, value: str) -> str:
        content = f"{purpose}\x00{value}".encode()
        return hmac.digest(self._key, content, "sha256").hex()[:MAC_LENGTH]
