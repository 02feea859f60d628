"""The states of a file, as its row keeps them."""

from typing import Final

RECEIVING: Final = "receiving"
# Whole, and waiting for the scanner's word.
PENDING: Final = "pending"
READY: Final = "ready"
INFECTED: Final = "infected"
DISCARDED: Final = "discarded"

# Those of which a person has been given the id.
KNOWN: Final = (READY, PENDING, INFECTED)
