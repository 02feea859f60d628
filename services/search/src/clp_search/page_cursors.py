"""Page cursors: the last sort key of a page, bound to one person and search."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

from clp_contracts.errors import Refused
from clp_search.engine import SortKey

_MAC_BYTES: Final = 16
_MAX_LENGTH: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorScope:
    """The person, channel or project, and query that a cursor is bound to."""

    person: str
    scope: str
    query: str


class PageCursors:
    """Encodes and verifies page cursors with a secret key."""

    def __init__(self, secret: str) -> None:
        self._key = blake2b(secret.encode(), person=b"clp page cursors").digest()

    def write(self, key: SortKey, scope: CursorScope) -> str:
        """Encode the cursor of a page that ended at a sort key."""
        payload = json.dumps(
            [key.posted_at.isoformat(), key.number, key.message]
        ).encode()
        return urlsafe_b64encode(self._mac(payload, scope) + payload).decode()

    def read(self, cursor: str | None, scope: CursorScope) -> SortKey | None:
        """Return the sort key to continue after.

        Raises:
            Refused: for a cursor that was not issued to this person for this search.
        """
        if cursor is None:
            return None
        try:
            content = urlsafe_b64decode(cursor[:_MAX_LENGTH].encode())
        except ValueError:
            raise Refused.because("cursor.malformed") from None
        mac, payload = content[:_MAC_BYTES], content[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload, scope)):
            raise Refused.because("cursor.malformed")
        posted_at, number, message = json.loads(payload)
        return SortKey(
            datetime.fromisoformat(posted_at).astimezone(UTC), number, message
        )

    def _mac(self, payload: bytes, scope: CursorScope) -> bytes:
        bound = json.dumps([scope.person, scope.scope, scope.query]).encode()
        content = len(bound).to_bytes(4) + bound + payload
        return blake2b(content, key=self._key, digest_size=_MAC_BYTES).digest()
