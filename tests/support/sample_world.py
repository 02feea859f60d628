"""What tests of one service use of the sample world: project p1, north and south."""

from datetime import UTC, datetime
from typing import Final

from clp_suite import sample_data

NOON: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PORTAL: Final = (sample_data.PORTAL,)
LINGUIST: Final = (sample_data.PORTAL, sample_data.LINGUIST)
PARTNERS: Final = {
    partner: sample_data.PARTNERS[partner] for partner in ("north", "south")
}
CAST: Final = tuple(
    member for member in sample_data.CAST if member.partner in {None, *PARTNERS}
)
BROADCAST, NORTH, SOUTH = "p1/broadcast", "p1/direct/north", "p1/direct/south"
