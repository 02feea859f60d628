"""The states of a file, as stored."""

from typing import Final

RECEIVING: Final = "receiving"
# Complete, and not scanned yet.
PENDING: Final = "pending"
READY: Final = "ready"
INFECTED: Final = "infected"
DISCARDED: Final = "discarded"

# States in which a person knows the id.
KNOWN: Final = (READY, PENDING, INFECTED)
