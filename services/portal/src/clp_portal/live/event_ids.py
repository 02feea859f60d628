"""Event ids: positions of the feed of `messages`, encrypted.

A bare position counts what other partners say. Every id has the same length.
"""

from typing import Final

from clp_portal.auth.encryption import Encryption

PURPOSE: Final = "event-id"
DIGITS: Final = 20
MAX_LENGTH: Final = 200


class EventIds:
    """Encrypt and decrypt positions; one secret for all portal processes.

    Args:
        encryption: encrypts with the secret of the portal.
        ttl_s: seconds after which an id is no longer read.
    """

    def __init__(self, encryption: Encryption, *, ttl_s: int) -> None:
        self._encryption = encryption
        self._ttl_s = ttl_s

    def encrypt(self, position: int) -> str:
        """Return the event id of a position."""
        return self._encryption.encrypt(PURPOSE, {"p": f"{position:0{DIGITS}}"})

    def decrypt(self, event_id: str) -> int | None:
        """Return the position of an event id; None when it is not ours or too old."""
        if not event_id or len(event_id) > MAX_LENGTH:
            return None
        found = self._encryption.decrypt(PURPOSE, event_id, ttl_s=self._ttl_s)
        return None if found is None else int(found["p"])
