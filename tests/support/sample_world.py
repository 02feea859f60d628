"""What tests of one service use of the sample world: project p1, north and south."""

from datetime import UTC, datetime
from typing import Final

from clp_contracts.projects import PersonFacts
from clp_suite import sample_data
from clp_suite.sample_data import CastMember

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


def facts_of(member: CastMember, *, active: bool = True) -> PersonFacts:
    """What `projects` knows about a person of the cast."""
    return PersonFacts(
        id=member.id,
        name=member.name,
        email=member.email,
        partner=member.partner,
        roles=member.roles,
        active=active,
    )
