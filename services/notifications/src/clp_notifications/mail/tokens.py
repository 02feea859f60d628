"""Seals: what leaves the house and comes back must prove that it was ours."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

MAC_LETTERS: Final = 16
STOP: Final = b"stop mails"
BLOCK: Final = 48
LONGEST_TOKEN: Final = 400


class Seals:
    """Makes and reads seals with one secret; the same input gives the same seal."""

    def __init__(self, secret: str) -> None:
        if not secret:
            raise ValueError("mail_secret is empty")
        self._key = hashlib.sha512(b"clp mail seals\x00" + secret.encode()).digest()
        self._stops = AESSIV(self._mac("stop key", "", letters=64).encode())

    def alias(self, person: str) -> str:
        """A person in a header: always the same, and it tells nobody who."""
        return self._mac("alias", person)

    def bounce_mac(self, mail: str, address: str) -> str:
        """What makes a bounce address of a mail to an address ours (H11)."""
        return self._mac("bounce", f"{mail}\x00{address}")

    def is_bounce_mac(self, mail: str, address: str, mac: str) -> bool:
        """Whether a mail comes back to the address that we made for it."""
        made = self.bounce_mac(mail, address)
        return hmac.compare_digest(made.encode(), mac.encode())

    def stop_token(self, person: str, project: str) -> str:
        """What stops mails about a project to a person: opaque, and needs no login."""
        plain = f"{person} {project}"
        padded = plain.ljust(-(-len(plain) // BLOCK) * BLOCK).encode()
        return (
            urlsafe_b64encode(self._stops.encrypt(padded, [STOP])).decode().rstrip("=")
        )

    def read_stop_token(self, token: str) -> tuple[str, str] | None:
        """The person and the project of a token of ours."""
        if not token.isascii() or len(token) > LONGEST_TOKEN:
            return None
        try:
            sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            person, project = self._stops.decrypt(sealed, [STOP]).decode().split()
        except (ValueError, InvalidTag):
            return None
        return person, project

    def _mac(self, purpose: str, value: str, letters: int = MAC_LETTERS) -> str:
        content = f"{purpose}\x00{value}".encode()
        return hmac.digest(self._key, content, "sha256").hex()[:letters]
