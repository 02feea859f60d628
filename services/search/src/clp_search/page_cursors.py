"""Page cursors: where a page ended, sealed for one person and one search."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

from clp_contracts.errors import Refused
from clp_search.engine import Key

_SEAL_BYTES: Final = 16
_LONGEST: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asked what: a cursor is good for nothing else."""

    person: str
    scope: str
    query: str


class PageCursors:
    """Makes and reads cursors; nobody else can make one."""

    def __init__(self, secret: str) -> None:
        self._key = blake2b(secret.encode(), person=b"clp page cursors").digest()

    def write(self, key: Key, asked: Asked) -> str:
        """The cursor of a page that ended at a key."""
        told = json.dumps([key.posted_at.isoformat(), key.number, key.message]).encode()
        return urlsafe_b64encode(self._seal(told, asked) + told).decode()

    def read(self, cursor: str | None, asked: Asked) -> Key | None:
        """The key to go on after.

        Raises:
            Refused: when the cursor is not one that this search gave this person.
        """
        if cursor is None:
            return None
        try:
            sealed = urlsafe_b64decode(cursor[:_LONGEST].encode())
        except ValueError:
            raise Refused.because("cursor.malformed") from None
        seal, told = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(told, asked)):
            raise Refused.because("cursor.malformed")
        posted_at, number, message = json.loads(told)
        return Key(datetime.fromisoformat(posted_at).astimezone(UTC), number, message)

    def _seal(self, told: bytes, asked: Asked) -> bytes:
        bound = json.dumps([asked.person, asked.scope, asked.query]).encode()
        content = len(bound).to_bytes(4) + bound + told
        return blake2b(content, key=self._key, digest_size=_SEAL_BYTES).digest()
