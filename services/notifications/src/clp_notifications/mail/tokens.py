"""Authenticate what leaves in a mail and comes back: bounces and unsubscribe links."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

MAC_LENGTH: Final = 16
UNSUBSCRIBE: Final = b"stop mails"
BLOCK: Final = 48
MAX_TOKEN: Final = 400


class MailTokens:
    """Creates and verifies tokens with one secret; equal input gives equal tokens."""

    def __init__(self, secret: str) -> None:
        if not secret:
            raise ValueError("mail_secret is empty")
        self._key = hashlib.sha512(b"clp mail tokens\x00" + secret.encode()).digest()
        self._cipher = AESSIV(self._mac("stop key", "", length=64).encode())

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

    def unsubscribe_token(self, person: str, project: str) -> str:
        """The token that stops mails about a project to a person, without a login."""
        plain = f"{person} {project}"
        padded = plain.ljust(-(-len(plain) // BLOCK) * BLOCK).encode()
        return (
            urlsafe_b64encode(self._cipher.encrypt(padded, [UNSUBSCRIBE]))
            .decode()
            .rstrip("=")
        )

    def read_unsubscribe_token(self, token: str) -> tuple[str, str] | None:
        """The person and the project of a valid token."""
        if not token.isascii() or len(token) > MAX_TOKEN:
            return None
        try:
            encrypted = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            person, project = (
                self._cipher.decrypt(encrypted, [UNSUBSCRIBE]).decode().split()
            )
        except (ValueError, InvalidTag):
            return None
        return person, project

    def _mac(self, purpose: str, value: str, length: int = MAC_LENGTH) -> str:
        content = f"{purpose}\x00{value}".encode()
        return hmac.digest(self._key, content, "sha256").hex()[:length]
