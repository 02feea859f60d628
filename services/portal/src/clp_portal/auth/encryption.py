"""Values that travel through a browser and come back unread and unchanged."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken


class Encryption:
    """Encrypt small JSON objects, each for one purpose and a limited time."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def encrypt(self, purpose: str, values: Mapping[str, Any]) -> str:
        """Encrypt an object."""
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return self._key(purpose).encrypt(text.encode()).decode()

    def decrypt(self, purpose: str, token: str, *, ttl_s: int) -> dict[str, Any] | None:
        """Return the object, or None when it is not ours, too old, or for else."""
        try:
            text = self._key(purpose).decrypt(token.encode(), ttl=ttl_s)
        except (InvalidToken, ValueError):
            return None
        values: dict[str, Any] = json.loads(text)
        return values

    def _key(self, purpose: str) -> Fernet:
        digest = hashlib.sha256(b"\0".join((self._secret, purpose.encode()))).digest()
        return Fernet(base64.urlsafe_b64encode(digest))
