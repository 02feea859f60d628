"""Find the signature of a file among many, in a time that hardly grows with them."""

import re
from collections.abc import Iterable
from typing import Final

from clp_core.attachments import DetectedKind
from clp_messages.signature_tables import Pattern, Signature

# Every signature has at least as many; they select the few to compare in full.
KEY_BYTES: Final = 3


def pattern_at(offset: int, pattern: bytes) -> bytes:
    """A pattern of the start of a head for one at an offset."""
    return b"(?s:.{%d})(?:%b)" % (offset, pattern) if offset else pattern


class SignatureIndex:
    """Signatures by their offset and first bytes; of several, the first one wins."""

    def __init__(self, signatures: Iterable[Signature]) -> None:
        """Index signatures, each of `KEY_BYTES` bytes or more."""
        offsets: dict[int, dict[bytes, list[tuple[int, Signature]]]] = {}
        for rank, signature in enumerate(signatures):
            by_key = offsets.setdefault(signature.offset, {})
            by_key.setdefault(signature.value[:KEY_BYTES], []).append((rank, signature))
        self._offsets = tuple(
            (offset, offset + KEY_BYTES, by_key)
            for offset, by_key in sorted(offsets.items())
        )

    def find(self, head: bytes) -> DetectedKind | None:
        """The kind of the first signature that the head has, None without one."""
        found: list[tuple[int, Signature]] = []
        for offset, end, by_key in self._offsets:
            if (key := head[offset:end]) in by_key:
                found += (
                    ranked
                    for ranked in by_key[key]
                    if head.startswith(ranked[1].value, offset)
                )
        return min(found)[1].kind if found else None


class PatternIndex:
    """Patterns of the start of a head, tried together; the first one wins."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        """Join patterns, which have no groups that capture, and no flags but theirs."""
        joined, self._kinds = zip(*((p.pattern, k) for p, k in patterns), strict=True)
        # An empty group says which one matched. In front, a group would have to be
        # opened before the first byte is compared, which takes twice the time.
        self._match = re.compile(b"|".join(b"(?:%b)()" % p for p in joined)).match

    def find(self, head: bytes) -> DetectedKind | None:
        """The kind of the first pattern that the head matches, None without one."""
        found = self._match(head)
        return self._kinds[found.lastindex - 1] if found and found.lastindex else None
